//! The streams of durable flows, in the form that Nix declares streams in: what is planned of those is planned of these.

use std::collections::btree_map::Entry;

use super::{BTreeMap, DurableFlow, of_leaf};
use crate::field::Fields;
use crate::path::OptionPath;
use crate::settings::Value;
use crate::spec::{Assets, Fleet, Leaf, Source, Stream};

/// A stream that is made for one flow or several.
pub(super) struct Made {
    /// The first of those flows.
    pub at: OptionPath,
    /// What it stores where it is published; `None`: it only gathers.
    pub subject: Option<String>,
    sources: Vec<Source>,
    /// Milliseconds.
    age: u64,
    bytes: u64,
    about: String,
    servers: usize,
    /// What it is checked against: where it is published, the longest partition and the rate.
    window: Option<(String, String)>,
}

impl Made {
    /// The stream as an operator would declare it.
    fn stream(self) -> Stream {
        let mut fields = Fields::of([
            ("description", Value::Str(self.about)),
            ("maxAge", Value::Str(format!("{}ms", self.age))),
            ("maxBytes", Value::Str(self.bytes.to_string())),
            // Who publishes is told; who copies waits.
            ("discard", Value::Str("new".to_owned())),
        ]);
        if let Some(subject) = self.subject {
            fields.set("subjects", Value::List(vec![Value::Str(subject)]));
        }
        if self.servers >= 3 {
            fields.set("numReplicas", Value::Int(3));
        }
        let (partition, rate) = self.window.unzip();
        Stream {
            hub: None,
            allow_data_loss: None,
            longest_partition: partition,
            rate,
            mirror: None,
            sources: self.sources,
            consumers: BTreeMap::new(),
            fields,
            flow: Some(self.at),
        }
    }
}

impl DurableFlow<'_> {
    /// Copies the flow's stream from the other end, under the names that it has at this one.
    fn source(&self) -> Source {
        let Self { flow, .. } = *self;
        let fields = match (flow.is_renamed(), self.exported) {
            (true, _) => {
                let transform = BTreeMap::from([
                    ("src".to_owned(), Value::Str(flow.subject.clone())),
                    ("dest".to_owned(), Value::Str(self.becomes())),
                ]);
                Fields::of([(
                    "subjectTransforms",
                    Value::List(vec![Value::Map(transform)]),
                )])
            }
            // The hub's stream may hold what is not for this leaf.
            (false, false) => Fields::of([("filterSubject", Value::Str(flow.subject.clone()))]),
            (false, true) => Fields::default(),
        };
        Source {
            name: match self.exported {
                true => self.name(),
                false => self.on_hub(),
            },
            leaf: self.exported.then(|| self.leaf.to_owned()),
            hub: self.hub().filter(|_| !self.exported).map(str::to_owned),
            fields,
            flow: Some(self.at()),
        }
    }

    /// Where messages go, as a transform of a stream says it.
    fn becomes(&self) -> String {
        match (&self.flow.prefix, &self.flow.to) {
            (Some(prefix), _) => {
                let mut number = 0;
                let tokens = self.flow.subject.split('.').map(|token| match token {
                    "*" => {
                        number += 1;
                        format!("{{{{wildcard({number})}}}}")
                    }
                    token => token.to_owned(),
                });
                format!("{prefix}.{}", tokens.collect::<Vec<_>>().join("."))
            }
            (None, Some(to)) => {
                let tokens = to.split('.').map(|token| match token.strip_prefix('$') {
                    Some(number) => format!("{{{{wildcard({number})}}}}"),
                    None => token.to_owned(),
                });
                tokens.collect::<Vec<_>>().join(".")
            }
            (None, None) => self.flow.subject.clone(),
        }
    }

    fn window(&self) -> Option<(String, String)> {
        let Self { durable, .. } = *self;
        Some((durable.longest_partition.clone(), durable.rate.clone()))
    }
}

/// What a leaf's accounts hold: what is declared, and the streams of its durable flows, in the account that its clients
/// and its links share.
pub(crate) fn at_leaf(
    leaf: &str,
    member: &Leaf,
    declared: &BTreeMap<String, Assets>,
) -> BTreeMap<String, Assets> {
    let mut accounts = declared.clone();
    for flow in of_leaf(leaf, member) {
        let (Some(sizes), Some(hub)) = (flow.sizes(), flow.hub()) else {
            continue;
        };
        let subject = &flow.flow.subject;
        let made = Made {
            at: flow.at(),
            subject: flow.exported.then(|| subject.clone()),
            sources: match flow.exported {
                true => Vec::new(),
                false => vec![flow.source()],
            },
            age: sizes.age,
            bytes: match flow.exported {
                true => sizes.held,
                false => sizes.arriving,
            },
            about: match flow.exported {
                true => format!("{subject} until it is on hub {hub}"),
                false => format!("{subject} of hub {hub}"),
            },
            servers: member.nodes.len(),
            window: flow.window().filter(|_| flow.exported),
        };
        put(&mut accounts, &member.local_account, flow.name(), made);
    }
    accounts
}

/// Adds to what a hub's accounts hold the streams of durable flows: those that are made, and sources of those that are
/// declared.
pub(crate) fn at_hub(fleet: &Fleet, hub: &str, accounts: &mut BTreeMap<String, Assets>) {
    for flow in of_hub(fleet, hub) {
        let Some(stream) = flow.durable.stream.as_ref().filter(|_| flow.exported) else {
            continue;
        };
        let account = accounts.get_mut(&flow.member.account);
        let found = account.and_then(|account| account.streams.get_mut(stream));
        if let Some(found) = found {
            found.sources.push(flow.source());
        }
    }
    for ((account, name), made) in gathered(fleet, hub) {
        put(accounts, &account, name, made);
    }
}

/// Declared streams stay what they are: that a name is theirs is said elsewhere.
fn put(accounts: &mut BTreeMap<String, Assets>, account: &str, name: String, made: Made) {
    let account = accounts.entry(account.to_owned()).or_default();
    if let Entry::Vacant(place) = account.streams.entry(name) {
        place.insert(made.stream());
    }
}

/// The durable flows between a hub and its leaves.
pub(super) fn of_hub<'a>(
    fleet: &'a Fleet,
    hub: &'a str,
) -> impl Iterator<Item = DurableFlow<'a>> + 'a {
    let leaves = fleet.leaves.iter();
    let flows = leaves.flat_map(|(name, leaf)| of_leaf(name, leaf));
    flows.filter(move |flow| flow.hub() == Some(hub))
}

/// The streams that a hub makes for them, by account and name: one gathers the flows of all leaves that have its name.
fn gathered(fleet: &Fleet, hub: &str) -> BTreeMap<(String, String), Made> {
    let servers = fleet.hubs.get(hub).map_or(1, |hub| hub.nodes.len());
    let mut all: BTreeMap<(String, String), Made> = BTreeMap::new();
    // Bytes of what is published at the hub: several leaves copy the same.
    let mut held: BTreeMap<(String, String), u64> = BTreeMap::new();
    for flow in of_hub(fleet, hub).filter(|flow| flow.durable.stream.is_none()) {
        let Some(sizes) = flow.sizes() else {
            continue;
        };
        let key = (flow.member.account.clone(), flow.name());
        let made = all.entry(key.clone()).or_insert_with(|| Made {
            at: flow.at(),
            subject: None,
            sources: Vec::new(),
            age: 0,
            bytes: 0,
            about: format!("Durable flows {}", flow.flow.subject),
            servers,
            window: None,
        });
        made.age = made.age.max(sizes.age);
        if flow.exported {
            made.sources.push(flow.source());
            made.bytes = made.bytes.saturating_add(sizes.arriving);
            continue;
        }
        made.subject
            .get_or_insert_with(|| flow.flow.subject.clone());
        made.window = made.window.take().or_else(|| flow.window());
        let most = held.entry(key).or_default();
        *most = sizes.held.max(*most);
    }
    for (key, held) in held {
        if let Some(made) = all.get_mut(&key) {
            made.bytes = made.bytes.saturating_add(held).min(i64::MAX as u64);
        }
    }
    for made in all.values_mut() {
        made.bytes = made.bytes.min(i64::MAX as u64);
    }
    all
}
