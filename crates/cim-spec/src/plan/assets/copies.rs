//! Mirrors and sources: whose stream is copied, and whether the link lets it.

use std::collections::BTreeMap;

use super::{Copied, read};
use crate::asset::{External, Source};
use crate::durable::{self, Crossing};
use crate::field::{Block, Fields};
use crate::path::OptionPath;
use crate::plan::copies::delivered;
use crate::problem::{Problems, Rule, shown};
use crate::spec::{self, Hub, Leaf};

/// Another server, whose stream is copied over a leaf link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Far {
    /// The leaf or hub.
    pub name: String,
    /// Whether it is a leaf.
    pub is_leaf: bool,
    /// The account there.
    pub account: String,
    /// Its JetStream domain.
    pub domain: String,
    /// What stands before the subjects that its messages are delivered on.
    pub deliver: String,
}

/// The servers that one may copy from.
pub(crate) enum Others<'a> {
    /// A hub knows the leaves that dial it.
    OfHub {
        /// Its name.
        name: &'a str,
        /// Those leaves.
        leaves: &'a BTreeMap<String, Leaf>,
    },
    /// A leaf knows itself and its hubs.
    OfLeaf {
        /// Its name.
        name: &'a str,
        /// What the fleet says of it.
        member: &'a Leaf,
        /// The hubs that it dials.
        hubs: &'a BTreeMap<String, Hub>,
    },
}

impl Others<'_> {
    /// Servers that may copy a stream of an account here: leaves of a hub, the hubs of a leaf.
    pub fn may_copy(&self, account: &str, stream: &str) -> Vec<String> {
        let is_it = |one: &Crossing| one.stream == stream;
        match self {
            Others::OfHub { leaves, .. } => leaves
                .iter()
                .filter(|(name, leaf)| {
                    leaf.account == account && durable::to_leaf(name, leaf).iter().any(is_it)
                })
                .map(|(name, _)| name.clone())
                .collect(),
            Others::OfLeaf { name, member, hubs } => {
                let crosses = durable::to_hub(name, member).iter().any(is_it);
                match crosses && member.local_account == account {
                    true => hubs.keys().cloned().collect(),
                    false => Vec::new(),
                }
            }
        }
    }
}

/// Where mirrors and sources are declared.
pub(super) struct Declared<'a> {
    /// The account of the streams that copy.
    pub account: &'a str,
    /// What is known of other servers.
    pub others: &'a Others<'a>,
}

/// What a stream or bucket copies.
pub(super) struct Read {
    /// Its mirror; `None`: it is none.
    pub mirror: Option<Source>,
    /// Its sources; `None`: it has none.
    pub sources: Option<Vec<Source>>,
    /// How rules know all of these.
    pub known: Vec<Copied>,
}

impl Declared<'_> {
    /// Reads the mirror and the sources of the stream or bucket at an option. `kind` stands before the name of what is
    /// copied: `KV_` where it is a bucket.
    pub fn read(
        &self,
        kind: &str,
        mirror: &Option<spec::Source>,
        sources: &[spec::Source],
        at: &OptionPath,
        problems: &mut Problems,
    ) -> Read {
        let mut known = Vec::new();
        let mut read = |source: &spec::Source, at: &OptionPath| {
            let (made, copied) = self.one(kind, source, at, problems);
            known.push(copied);
            made
        };
        let mirror = mirror
            .as_ref()
            .map(|mirror| read(mirror, &at.join("mirror")));
        let at = at.join("sources");
        let sources = sources.iter().enumerate();
        let sources = sources.map(|(index, source)| read(source, &at.index(index)));
        let sources: Vec<_> = sources.collect();
        Read {
            mirror,
            sources: (!sources.is_empty()).then_some(sources),
            known,
        }
    }

    /// Reads one mirror or source; the second is how rules know it.
    fn one(
        &self,
        kind: &str,
        source: &spec::Source,
        at: &OptionPath,
        problems: &mut Problems,
    ) -> (Source, Copied) {
        let at = source.flow.as_ref().unwrap_or(at);
        let mut made: Source = read::read(&source.fields, Block::Source, at, problems);
        read::transforms(&made, at, problems);
        made.name = Some(source.name.clone());
        super::account::name(&source.name, !kind.is_empty(), &at.join("name"), problems);
        // With transforms a bucket copies any stream, said in full.
        let in_full = made
            .subject_transforms
            .as_ref()
            .is_some_and(|t| !t.is_empty());
        let kind = if in_full { "" } else { kind };
        let stream = format!("{kind}{}", source.name);
        let far = self.far(source, &stream, at, problems);
        made.external = far.as_ref().map(|far| External {
            api: Some(format!("$JS.{}.API", far.domain)),
            deliver: Some(far.deliver.clone()),
        });
        let named = source.leaf.is_some() || source.hub.is_some();
        let copied = Copied {
            at: at.clone(),
            stream,
            here: far.is_none() && (!named || self.is_here(source)),
            far,
            written: source.fields.clone(),
        };
        (made, copied)
    }

    /// Whether it names the very server that copies.
    fn is_here(&self, source: &spec::Source) -> bool {
        let (own, named, other) = match self.others {
            Others::OfHub { name, .. } => (*name, &source.hub, &source.leaf),
            Others::OfLeaf { name, .. } => (*name, &source.leaf, &source.hub),
        };
        named.as_deref() == Some(own) && other.is_none()
    }

    fn far(
        &self,
        source: &spec::Source,
        stream: &str,
        at: &OptionPath,
        problems: &mut Problems,
    ) -> Option<Far> {
        match (&source.leaf, &source.hub) {
            (None, None) => None,
            (Some(_), Some(_)) => {
                problems.add(
                    Rule::CopyTarget,
                    at,
                    "names both a leaf and a hub",
                    "keep the one that has the stream",
                );
                None
            }
            (Some(leaf), None) => self.on_leaf(leaf, stream, at, problems),
            (None, Some(hub)) => self.on_hub(hub, stream, at, problems),
        }
    }

    fn on_leaf(
        &self,
        leaf: &str,
        stream: &str,
        at: &OptionPath,
        problems: &mut Problems,
    ) -> Option<Far> {
        let at = at.join("leaf");
        let (name, leaves) = match self.others {
            Others::OfLeaf { name, .. } if *name == leaf => return None,
            Others::OfLeaf { .. } => {
                problems.add(
                    Rule::CopyTarget,
                    &at,
                    format!(
                        "{} is another leaf, which has no link to this one",
                        shown(leaf)
                    ),
                    "collect its stream on the hub, and copy that with hub = …",
                );
                return None;
            }
            Others::OfHub { name, leaves } => (name, leaves),
        };
        let Some(member) = leaves.get(leaf) else {
            problems.add(
                Rule::CopyTarget,
                &at,
                format!("{} is not a leaf of hub {name:?}", shown(leaf)),
                format!("name one of {}", super::super::leaf::names(leaves.keys())),
            );
            return None;
        };
        self.bound(&member.account, &member.account, leaf, &at, problems);
        let may = durable::to_hub(leaf, member);
        allowed(&may, stream, leaf, "toHub", &at, problems);
        Some(Far {
            name: leaf.to_owned(),
            is_leaf: true,
            account: member.local_account.clone(),
            domain: member.domain.clone(),
            deliver: delivered(leaf, true),
        })
    }

    fn on_hub(
        &self,
        hub: &str,
        stream: &str,
        at: &OptionPath,
        problems: &mut Problems,
    ) -> Option<Far> {
        let at = at.join("hub");
        let (name, member, hubs) = match self.others {
            Others::OfHub { name, .. } if *name == hub => return None,
            Others::OfHub { name, .. } => {
                problems.add(
                    Rule::CopyTarget,
                    &at,
                    format!("{} is not {name:?}, the hub that makes this: hubs do not reach each other's JetStream", shown(hub)),
                    "let a leaf of both carry it, or hold both streams on one hub",
                );
                return None;
            }
            Others::OfLeaf { name, member, hubs } => (name, member, hubs),
        };
        let Some(found) = hubs.get(hub) else {
            problems.add(
                Rule::CopyTarget,
                &at,
                format!("{} is no hub that leaf {name:?} dials", shown(hub)),
                format!("name one of {}", super::super::leaf::names(hubs.keys())),
            );
            return None;
        };
        self.bound(&member.local_account, &member.account, name, &at, problems);
        let may = durable::to_leaf(name, member);
        allowed(&may, stream, name, "toLeaf", &at, problems);
        Some(Far {
            name: hub.to_owned(),
            is_leaf: false,
            account: member.account.clone(),
            domain: found.domain.clone(),
            deliver: delivered(name, false),
        })
    }

    /// A link joins one account at each end.
    fn bound(
        &self,
        here: &str,
        on_hub: &str,
        leaf: &str,
        at: &OptionPath,
        problems: &mut Problems,
    ) {
        if here != self.account {
            problems.add(
                Rule::CopyRights,
                at,
                format!(
                    "is copied into account {:?}, but the links of leaf {leaf:?} join account {here:?}",
                    self.account
                ),
                format!("declare it in account {here:?} here, which is {on_hub:?} on the hub"),
            );
        }
    }
}

/// The fleet gives a leaf's user the rights that a copy needs, stream by stream.
fn allowed(
    streams: &[Crossing],
    stream: &str,
    leaf: &str,
    way: &str,
    at: &OptionPath,
    problems: &mut Problems,
) {
    if !streams.iter().any(|one| one.stream == stream) {
        let option = OptionPath::new("services.cim.fleet.leaves")
            .join(leaf)
            .descend(&format!("streams.{way}"));
        problems.add(
            Rule::CopyRights,
            at,
            format!("has {stream:?}, which may not cross: nats-server would say that all is well, and copy nothing"),
            format!("add {stream:?} to {option}"),
        );
    }
}

impl Copied {
    /// Its fields as they were written.
    pub(super) fn fields(&self) -> &Fields {
        &self.written
    }
}
