//! Durable flows: the streams at both ends that each of them becomes, as if they were declared.
//!
//! Where messages are published a stream takes them in, and refuses what it has no room for: publishers are told. Where
//! they arrive another one copies it over the link, and waits where it is full. Nothing else of such a flow crosses.

mod made;
mod rules;

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use made::{at_hub, at_leaf};
pub(crate) use rules::{apart_on_leaf, ends, hubs, leaf};

use crate::duration::Duration;
use crate::path::OptionPath;
use crate::size;
use crate::spec::{Durable, Flow, Leaf};

/// A durable flow of a leaf.
#[derive(Clone, Copy)]
pub(crate) struct DurableFlow<'a> {
    /// The leaf.
    leaf: &'a str,
    member: &'a Leaf,
    /// Whether it goes to the hub.
    exported: bool,
    /// Its place among them.
    index: usize,
    pub flow: &'a Flow,
    pub durable: &'a Durable,
}

/// How much a flow has stored at both ends.
struct Sizes {
    /// Milliseconds.
    age: u64,
    /// Bytes where it is published: what comes in until it is too old.
    held: u64,
    /// Bytes where it arrives: the same, and what a partition held back comes at once.
    arriving: u64,
}

/// All durable flows of a leaf, its imports first.
pub(crate) fn of_leaf<'a>(
    leaf: &'a str,
    member: &'a Leaf,
) -> impl Iterator<Item = DurableFlow<'a>> + 'a {
    let ways = [(false, &member.imports), (true, &member.exports)];
    ways.into_iter().flat_map(move |(exported, flows)| {
        flows.iter().enumerate().filter_map(move |(index, flow)| {
            Some(DurableFlow {
                leaf,
                member,
                exported,
                index,
                flow,
                durable: flow.durable.as_ref()?,
            })
        })
    })
}

impl<'a> DurableFlow<'a> {
    /// The option that says so.
    pub fn at(&self) -> OptionPath {
        let way = if self.exported { "exports" } else { "imports" };
        let at = OptionPath::new("services.cim.fleet.leaves").join(self.leaf);
        at.join(way).index(self.index).join("durable")
    }

    /// Name of the streams that are made for it: the plain tokens of its subject, in capitals.
    fn name(&self) -> String {
        if let Some(name) = &self.durable.name {
            return name.clone();
        }
        let plain = |c: char| match c.is_ascii_alphanumeric() || c == '-' {
            true => c.to_ascii_uppercase(),
            false => '_',
        };
        let tokens = self.flow.subject.split('.');
        let tokens = tokens.filter(|token| !matches!(*token, "*" | ">"));
        let tokens: Vec<String> = tokens
            .map(|token| token.chars().map(plain).collect())
            .collect();
        tokens.join("_")
    }

    /// The stream on the hub.
    fn on_hub(&self) -> String {
        let declared = self.durable.stream.clone();
        declared.unwrap_or_else(|| self.name())
    }

    /// The hub at the other end; `None`: which one is not said.
    fn hub(&self) -> Option<&'a str> {
        if let Some(hub) = &self.durable.hub {
            return Some(hub);
        }
        let hubs = self
            .member
            .remotes
            .values()
            .map(|remote| remote.hub.as_str());
        let hubs: BTreeSet<&str> = hubs.collect();
        hubs.first().copied().filter(|_| hubs.len() == 1)
    }

    /// `None`: something of it cannot be read, or is nothing, which is said elsewhere.
    fn sizes(&self) -> Option<Sizes> {
        let partition = Duration::parse(&self.durable.longest_partition)
            .ok()?
            .as_millis();
        let rate = size::parse(&self.durable.rate).ok()?;
        // After a cut of more than 10 s nats-server takes up to a minute until it copies again, and then has all to copy.
        let age = partition.saturating_add((partition / 4).max(10 * 60_000));
        let age = match &self.durable.max_age {
            Some(text) => Duration::parse(text).ok()?.as_millis(),
            None => age,
        };
        let bytes = |millis: u64| {
            let bytes = u128::from(rate) * u128::from(millis) / 1000;
            u64::try_from(bytes)
                .unwrap_or(u64::MAX)
                .min(i64::MAX as u64)
        };
        let (held, arriving) = match &self.durable.max_bytes {
            Some(text) => {
                let bytes = size::parse(text).ok()?;
                (bytes, bytes)
            }
            None => (bytes(age), bytes(age.saturating_add(partition))),
        };
        let sizes = Sizes {
            age,
            held,
            arriving,
        };
        Some(sizes).filter(|sizes| sizes.age > 0 && sizes.held > 0)
    }
}

/// A stream that may be copied over a leaf's links.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Crossing {
    /// Its name.
    pub stream: String,
    /// What of it may be; `None`: all.
    pub only: Option<String>,
}

/// Streams of a leaf that its hubs may copy: those that are named, and those of durable flows.
pub(crate) fn to_hub(leaf: &str, member: &Leaf) -> Vec<Crossing> {
    let flows = of_leaf(leaf, member).filter(|flow| flow.exported);
    let made = flows.map(|flow| whole(flow.name()));
    let named = member.streams.to_hub.iter().cloned().map(whole);
    named.chain(made).collect()
}

/// Streams of its hubs that a leaf may copy: those that are named, and what durable flows take of others.
pub(crate) fn to_leaf(leaf: &str, member: &Leaf) -> Vec<Crossing> {
    let flows = of_leaf(leaf, member).filter(|flow| !flow.exported);
    let made = flows.map(|flow| Crossing {
        stream: flow.on_hub(),
        // With a transform nats-server asks for the whole stream.
        only: Some(flow.flow.subject.clone()).filter(|_| !flow.flow.is_renamed()),
    });
    let named = member.streams.to_leaf.iter().cloned().map(whole);
    named.chain(made).collect()
}

fn whole(stream: String) -> Crossing {
    Crossing { stream, only: None }
}
