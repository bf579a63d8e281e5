//! Mirrors and sources: whose stream is copied, and whether the link lets it.

mod far;

use std::collections::BTreeMap;

use super::{Copied, read};
use crate::asset::{External, Source};
use crate::durable::{self, Crossing};
use crate::field::{Block, Fields};
use crate::path::OptionPath;
use crate::problem::Problems;
use crate::spec::{self, Hub, Leaf};
pub use far::Far;

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
}

impl Copied {
    /// Its fields as they were written.
    pub(super) fn fields(&self) -> &Fields {
        &self.written
    }
}
