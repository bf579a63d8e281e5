//! Whose stream a mirror or source copies over a leaf link: a leaf's or a hub's, in the account that the link joins, and only
//! where the fleet lets it cross.

use super::{Declared, Others};
use crate::durable::{self, Crossing};
use crate::path::OptionPath;
use crate::plan::copies::delivered;
use crate::plan::leaf;
use crate::problem::{Problems, Rule, shown};
use crate::spec;

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

impl Declared<'_> {
    /// Whether it names the very server that copies.
    pub(super) fn is_here(&self, source: &spec::Source) -> bool {
        let (own, named, other) = match self.others {
            Others::OfHub { name, .. } => (*name, &source.hub, &source.leaf),
            Others::OfLeaf { name, .. } => (*name, &source.leaf, &source.hub),
        };
        named.as_deref() == Some(own) && other.is_none()
    }

    /// The server that has the stream; `None`: this one, or none that may be named.
    pub(super) fn far(
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
                format!("name one of {}", leaf::names(leaves.keys())),
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
                format!("name one of {}", leaf::names(hubs.keys())),
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
