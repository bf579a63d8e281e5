//! Many subjects, each of an owner: whether one more overlaps somebody else's, without asking all.

use std::collections::BTreeMap;

/// Subjects by their tokens.
#[derive(Debug, Default)]
pub struct Crowd {
    /// Whose subjects end here.
    here: Owners,
    /// Whose subjects go on from here.
    beyond: Owners,
    /// Whose subjects have `>` next.
    rest: Owners,
    next: BTreeMap<String, Crowd>,
}

/// Owners, of whom two are enough to know that one is not who asks.
#[derive(Debug, Default)]
struct Owners(Vec<usize>);

impl Owners {
    fn add(&mut self, owner: usize) {
        if self.0.len() < 2 && !self.0.contains(&owner) {
            self.0.push(owner);
        }
    }

    fn has_other_than(&self, owner: usize) -> bool {
        self.0.iter().any(|found| *found != owner)
    }
}

impl Crowd {
    /// Adds a subject.
    pub fn insert(&mut self, subject: &str, owner: usize) {
        let mut node = self;
        for token in subject.split('.') {
            node.beyond.add(owner);
            if token == ">" {
                node.rest.add(owner);
                return;
            }
            node = node.next.entry(token.to_owned()).or_default();
        }
        node.here.add(owner);
    }

    /// Whether a subject of another owner overlaps this one.
    pub fn overlaps(&self, subject: &str, owner: usize) -> bool {
        let tokens: Vec<&str> = subject.split('.').collect();
        self.meets(&tokens, owner)
    }

    fn meets(&self, tokens: &[&str], owner: usize) -> bool {
        let Some((token, tokens)) = tokens.split_first() else {
            return self.here.has_other_than(owner);
        };
        if *token == ">" {
            return self.beyond.has_other_than(owner);
        }
        let next = |name: &str| {
            self.next
                .get(name)
                .is_some_and(|node| node.meets(tokens, owner))
        };
        self.rest.has_other_than(owner)
            || match *token {
                "*" => self.next.values().any(|node| node.meets(tokens, owner)),
                token => next(token) || next("*"),
            }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::subject::overlap;

    fn subject() -> impl Strategy<Value = String> {
        let tokens = prop::collection::vec(prop::sample::select(vec!["a", "b", "*"]), 1..4);
        (tokens, any::<bool>()).prop_map(|(mut tokens, rest)| {
            if rest {
                tokens.push(">");
            }
            tokens.join(".")
        })
    }

    proptest! {
        #[test]
        fn a_crowd_knows_what_asking_each_would_tell(
            subjects in prop::collection::vec((subject(), 0usize..3), 0..6), asked in subject(), owner in 0usize..3
        ) {
            let mut crowd = Crowd::default();
            for (subject, owner) in &subjects {
                crowd.insert(subject, *owner);
            }
            let expected = subjects
                .iter()
                .any(|(subject, other)| *other != owner && overlap(subject, &asked));
            prop_assert_eq!(crowd.overlaps(&asked, owner), expected);
        }
    }
}
