//! Messages by what they were called first and what they are called now: renamed on the way, and fewer with each flow that
//! takes only some of them.

use std::collections::BTreeMap;

/// One token of a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    /// Any one word: the same where the number is.
    Any(usize),
    /// One word or more, last.
    Rest,
}

/// Messages of one subject, which may have wildcards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    was: Vec<Token>,
    is: Vec<Token>,
    /// Numbers given to tokens.
    count: usize,
}

impl Named {
    /// Messages as they are published.
    pub fn of(subject: &str) -> Self {
        let mut count = 0;
        let tokens = subject.split('.').map(|token| match token {
            "*" => {
                count += 1;
                Token::Any(count)
            }
            ">" => Token::Rest,
            word => Token::Word(word.to_owned()),
        });
        let was: Vec<Token> = tokens.collect();
        Self {
            is: was.clone(),
            was,
            count,
        }
    }

    /// What is filed under a first token that some of them may have now.
    pub fn among<'a, T>(
        &self,
        all: &'a BTreeMap<String, Vec<T>>,
    ) -> impl Iterator<Item = &'a T> + use<'a, T> {
        let first = match self.is.first() {
            Some(Token::Word(word)) => Some(word.clone()),
            _ => None,
        };
        let fits = move |name: &str| {
            let open = matches!(name, "*" | ">");
            open || first.as_deref().is_none_or(|first| first == name)
        };
        let some = all.iter().filter(move |(name, _)| fits(name));
        some.flat_map(|(_, all)| all)
    }

    /// Those that a subject stands for now; `None`: there are none.
    pub fn narrowed(&self, subject: &str) -> Option<Self> {
        let mut named = self.clone();
        let pattern: Vec<&str> = subject.split('.').collect();
        for (index, token) in pattern.iter().enumerate() {
            let is_last = index + 1 == pattern.len();
            if *token == ">" {
                return (index < named.is.len()).then_some(named);
            }
            if named.is.get(index) == Some(&Token::Rest) {
                named.count += 1;
                let any = Token::Any(named.count);
                let more = if is_last {
                    vec![any]
                } else {
                    vec![any, Token::Rest]
                };
                named.replace(&Token::Rest, &more);
            }
            match (named.is.get(index)?.clone(), *token) {
                (_, "*") => {}
                (Token::Word(word), token) if word == token => {}
                (any @ Token::Any(_), token) => {
                    named.replace(&any, &[Token::Word(token.to_owned())]);
                }
                _ => return None,
            }
        }
        (named.is.len() == pattern.len()).then_some(named)
    }

    /// Under another name, of messages that a subject stands for: with a prefix, or `to` with `$1` for its first `*`.
    #[must_use]
    pub fn renamed(mut self, subject: &str, prefix: Option<&str>, to: Option<&str>) -> Self {
        let word = |token: &str| Token::Word(token.to_owned());
        if let Some(prefix) = prefix {
            self.is.splice(0..0, prefix.split('.').map(word));
        }
        let Some(to) = to else {
            return self;
        };
        let pattern: Vec<&str> = subject.split('.').collect();
        let stars: Vec<Token> = pattern
            .iter()
            .zip(&self.is)
            .filter(|(token, _)| **token == "*")
            .map(|(_, is)| is.clone())
            .collect();
        let rest: Vec<Token> = self.is.iter().skip(pattern.len() - 1).cloned().collect();
        let star = |token: &str| {
            let number: usize = token.strip_prefix('$')?.parse().ok()?;
            stars.get(number.checked_sub(1)?).cloned()
        };
        self.is = to
            .split('.')
            .flat_map(|token| match (token, star(token)) {
                (">", _) => rest.clone(),
                (_, Some(star)) => vec![star],
                (token, None) => vec![word(token)],
            })
            .collect();
        self
    }

    /// Whether a subject stands for some of them that are called now as they were first.
    pub fn arrives_in(&self, subject: &str) -> bool {
        self.narrowed(subject)
            .is_some_and(|there| there.was == there.is)
    }

    fn replace(&mut self, token: &Token, by: &[Token]) {
        for list in [&mut self.was, &mut self.is] {
            let new = list.iter().flat_map(|old| match old == token {
                true => by.to_vec(),
                false => vec![old.clone()],
            });
            *list = new.collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::overlap;

    #[test]
    fn without_another_name_it_is_what_overlaps() {
        let all = [
            "a", "a.b", "a.*", "a.>", "*.b", ">", "a.*.c", "a.b.>", "*.*.c", "b",
        ];
        for one in all {
            for other in all {
                let arrives = Named::of(one).arrives_in(other);
                assert_eq!(arrives, overlap(one, other), "{one} {other}");
            }
        }
    }

    #[test]
    fn names_that_come_back_are_known() {
        let there = |own: &str, steps: &[(&str, Option<&str>, Option<&str>)], theirs: &str| {
            let mut named = Named::of(own);
            for (subject, prefix, to) in steps {
                let Some(some) = named.narrowed(subject) else {
                    return false;
                };
                named = some.renamed(subject, *prefix, *to);
            }
            named.arrives_in(theirs)
        };
        let prefixed = ("e.>", Some("p.q"), None);
        assert!(!there("e.>", &[prefixed], "p.>"));
        assert!(there(
            "e.*",
            &[prefixed, ("p.q.e.>", None, Some("e.>"))],
            "e.x"
        ));
        assert!(!there(
            "e.*",
            &[prefixed, ("p.q.e.y", None, Some("e.y"))],
            "e.x"
        ));
        // Two tokens that change places, and back.
        let over = ("e.*.*", None, Some("f.$2.$1"));
        assert!(there(
            "e.>",
            &[over, ("f.*.*", None, Some("e.$2.$1"))],
            "e.>"
        ));
        // Not back: only where both are the same it would be called as before.
        assert!(!there(
            "e.>",
            &[over, ("f.*.*", None, Some("e.$1.$2"))],
            "e.>"
        ));
        assert!(there(
            "e.b.b",
            &[over, ("f.*.*", None, Some("e.$1.$2"))],
            "e.>"
        ));
        assert!(!there("g.>", &[over], "e.>"));
    }
}
