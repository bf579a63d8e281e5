//! No message is stored at both ends of a way that flows make: from leaf to hub, from hub to leaf, between accounts of either,
//! one after the other, under whatever names in between.
//!
//! Tried on 2.15.1 (`cim-node/tests/provision/durable/twice.rs`): both streams store it, its publisher hears of one. What is
//! called otherwise at the other end is taken for another message, and is nobody's mistake.

use std::collections::{BTreeMap, BTreeSet};

use crate::path::OptionPath;
use crate::plan::{Plan, Shared, assets};
use crate::problem::{Problems, Rule};
use crate::spec::{Fleet, Flow};
use crate::subject::{self, Named};

/// A server, or the cluster that it is, by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Member {
    Hub(String),
    Leaf(String),
}

/// An account of one: where subjects mean one thing.
type Place = (Member, String);

/// What may go from one place to another.
struct Flows {
    to: Place,
    /// The option that says so.
    at: OptionPath,
    subject: String,
    prefix: Option<String>,
    renamed: Option<String>,
}

/// A fleet as messages see it.
#[derive(Default)]
struct Map {
    /// By place, and the first token of what goes.
    flows: BTreeMap<Place, BTreeMap<String, Vec<Flows>>>,
    /// Subjects with the options that have them stored.
    stored: BTreeMap<Place, Vec<(OptionPath, String)>>,
    /// Hubs whose leaves never hear of each other.
    apart: BTreeSet<String>,
}

/// Holds what servers store against each other. Leaves that no host of ours runs are not known.
pub(super) fn check(fleet: &Fleet, plans: &[Plan], problems: &mut Problems) {
    let map = Map::of(fleet, plans);
    let mut told = BTreeSet::new();
    // What is said of a hub and a leaf is said at the leaf.
    let leaves_first = |(place, _): &(&Place, _)| matches!(place.0, Member::Hub(_));
    let mut places: Vec<_> = map.stored.iter().collect();
    places.sort_by_key(leaves_first);
    for (place, stored) in places {
        for (at, own) in stored {
            let Some((far, theirs, way)) = map.stored_again(place, own) else {
                continue;
            };
            let (here, own, there, theirs) = match (&place.0, &far.0) {
                (Member::Hub(_), Member::Leaf(_)) => (&theirs.0, &theirs.1, at, own),
                _ => (at, own, &theirs.0, &theirs.1),
            };
            let (first, second) = (
                here.as_str().min(there.as_str()),
                here.as_str().max(there.as_str()),
            );
            if !told.insert((first.to_owned(), second.to_owned())) {
                continue;
            }
            problems.add(
                Rule::StoredTwice,
                here,
                format!("{own:?} overlaps {theirs:?} of {there}, and {way}: such a message is stored on both ends, its publisher hears of one, and a link that is cut keeps it from the other"),
                "store it on one end; the other may copy that stream, with mirror or sources",
            );
        }
    }
}

impl Map {
    fn of(fleet: &Fleet, plans: &[Plan]) -> Self {
        let mut map = Self::default();
        for (name, leaf) in &fleet.leaves {
            let here = (Member::Leaf(name.clone()), leaf.local_account.clone());
            let at = super::root().join("leaves").join(name);
            let hubs: BTreeSet<&String> = leaf.remotes.values().map(|remote| &remote.hub).collect();
            for hub in hubs {
                let there = (Member::Hub(hub.clone()), leaf.account.clone());
                map.link(&here, &there, &leaf.exports, &at.join("exports"));
                map.link(&there, &here, &leaf.imports, &at.join("imports"));
            }
        }
        for (hub, entry) in &fleet.hubs {
            if super::isolates(fleet, hub, entry) {
                map.apart.insert(hub.clone());
            }
        }
        let mut seen = BTreeSet::new();
        for plan in plans {
            let is_node = |hub: &crate::spec::Hub| hub.nodes.contains_key(&plan.server_name);
            let hub = fleet.hubs.iter().find(|(_, hub)| is_node(hub));
            let (member, accounts) = match (&plan.link, hub) {
                (Some(_), _) => (
                    Member::Leaf(plan.name.clone()),
                    plan.options.join("accounts"),
                ),
                (None, Some((hub, _))) => {
                    (Member::Hub(hub.clone()), super::root().join("accounts"))
                }
                (None, None) => continue,
            };
            // Nodes of one cluster hold the same.
            if seen.insert(member.clone()) {
                map.server(&member, plan, &accounts);
            }
        }
        map
    }

    /// What crosses a link in one direction.
    fn link(&mut self, from: &Place, to: &Place, flows: &[Flow], at: &OptionPath) {
        let core = flows.iter().enumerate().filter(|(_, flow)| flow.is_core());
        for (index, flow) in core {
            self.add(
                from,
                Flows {
                    to: to.clone(),
                    at: at.index(index),
                    subject: flow.subject.clone(),
                    prefix: flow.prefix.clone(),
                    renamed: flow.to.clone(),
                },
            );
        }
    }

    /// What one server stores, and what its accounts have of each other.
    fn server(&mut self, member: &Member, plan: &Plan, accounts: &OptionPath) {
        for held in &plan.assets {
            let place = (member.clone(), held.account.clone());
            let all = held.assets.iter().flat_map(assets::own_subjects);
            let good = all.filter(|(_, subject)| subject::check(subject).is_ok());
            self.stored.entry(place).or_default().extend(good);
        }
        for account in &plan.accounts {
            let at = accounts.join(&account.name).join("imports");
            for (index, import) in account.imports.iter().enumerate() {
                if import.shared == Shared::Stream {
                    self.add(
                        &(member.clone(), import.from.account.clone()),
                        Flows {
                            to: (member.clone(), account.name.clone()),
                            at: at.index(index),
                            subject: import.from.subject.clone(),
                            prefix: import.prefix.clone(),
                            renamed: import.to.clone(),
                        },
                    );
                }
            }
        }
    }

    fn add(&mut self, from: &Place, flows: Flows) {
        let first = flows.subject.split('.').next().unwrap_or_default();
        let first = first.to_owned();
        let all = self.flows.entry(from.clone()).or_default();
        all.entry(first).or_default().push(flows);
    }

    /// What also stores what is stored here, over a link at least, and the way there in words.
    fn stored_again<'a>(
        &'a self,
        from: &'a Place,
        own: &str,
    ) -> Option<(&'a Place, &'a (OptionPath, String), String)> {
        let mut ways = vec![Way {
            at: from,
            named: Named::of(own),
            by: Vec::new(),
            seen: vec![from],
        }];
        while let Some(way) = ways.pop() {
            for next in self
                .flows
                .get(way.at)
                .into_iter()
                .flat_map(|all| way.named.among(all))
            {
                let Some(way) = self.goes_on(&way, next) else {
                    continue;
                };
                let again = self.stored.get(way.at).into_iter().flatten();
                let mut again = again.filter(|(_, theirs)| way.named.arrives_in(theirs));
                if way.at.0 != from.0
                    && let Some(theirs) = again.next()
                {
                    return Some((way.at, theirs, way.words()));
                }
                ways.push(way);
            }
        }
        None
    }

    /// One step further: never to where it was, and from link to link through hubs alone, whose leaves hear of each other.
    fn goes_on<'a>(&'a self, way: &Way<'a>, next: &'a Flows) -> Option<Way<'a>> {
        let was_elsewhere = way.seen.first().is_some_and(|first| first.0 != way.at.0);
        let leaves = next.to.0 != way.at.0;
        let stops = match &way.at.0 {
            Member::Leaf(_) => true,
            Member::Hub(hub) => self.apart.contains(hub),
        };
        let back = way
            .seen
            .iter()
            .any(|seen| **seen == next.to || (leaves && seen.0 == next.to.0));
        if back || (was_elsewhere && leaves && stops) {
            return None;
        }
        let named = way.named.narrowed(&next.subject)?;
        let named = named.renamed(
            &next.subject,
            next.prefix.as_deref(),
            next.renamed.as_deref(),
        );
        let (mut by, mut seen) = (way.by.clone(), way.seen.clone());
        by.push(next);
        seen.push(&next.to);
        Some(Way {
            at: &next.to,
            named,
            by,
            seen,
        })
    }
}

/// How messages got somewhere.
struct Way<'a> {
    at: &'a Place,
    named: Named,
    by: Vec<&'a Flows>,
    seen: Vec<&'a Place>,
}

impl Way<'_> {
    fn words(&self) -> String {
        match self.by.as_slice() {
            [one] => format!("{:?} crosses the link", one.subject),
            all => {
                let all: Vec<_> = all
                    .iter()
                    .map(|flows| format!("{:?} of {}", flows.subject, flows.at))
                    .collect();
                format!("it gets there by {}", all.join(", then "))
            }
        }
    }
}
