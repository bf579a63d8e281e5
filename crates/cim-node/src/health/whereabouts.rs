//! Where the servers of leaves are: linked to this node of the hub, or to another one, as that says in its reports.

use std::collections::BTreeMap;
use std::time::Instant;

use cim_spec::artefact::{Health, WatchedLeaf};

use super::look::Look;
use super::summary::Summary;
use super::wire::Heard;
use crate::monitor::links::Leaf;

/// Where one server of a leaf is.
#[derive(Debug, Clone)]
pub enum Place<'a> {
    /// Linked to this node.
    Here(&'a Leaf),
    /// Linked to another node: that says so, or, where that says nothing, the leaf itself.
    At(&'a str),
    /// Linked to none of them.
    Nowhere,
    /// Not linked to those that have said whom they have; these have not.
    Unknown(Vec<&'a str>),
}

/// What is known at one look.
pub struct Whereabouts<'a> {
    here: BTreeMap<(&'a str, &'a str), &'a Leaf>,
    others: Vec<(&'a str, Option<&'a Summary>)>,
    heard: Option<&'a Heard>,
    now: Instant,
}

impl<'a> Whereabouts<'a> {
    /// By what a look at a hub's node shows. A node without a route is out of reach, and so is who hangs on it.
    pub fn of(health: &'a Health, look: &'a Look) -> Self {
        let now = Instant::now();
        let heard = look.heard.as_ref();
        let leafs = look.leafz.iter().flat_map(|leafz| &leafz.leafs);
        let here = leafs.filter(|link| !link.is_spoke);
        let routes = |node: &String| {
            let mut routes = look.routez.iter().flat_map(|routez| &routez.routes);
            routes.any(|route| route.remote_name == *node)
        };
        let others = health.watch.peers.iter().filter(|node| routes(node));
        let others = others.map(|node| {
            let said = heard.and_then(|heard| heard.current(node, now));
            (node.as_str(), said.filter(|said| said.leaves.is_some()))
        });
        Self {
            here: here
                .map(|link| ((link.name.as_str(), link.account.as_str()), link))
                .collect(),
            others: others.collect(),
            heard,
            now,
        }
    }

    /// Where a leaf's server is.
    pub fn place(&self, leaf: &WatchedLeaf, server: &str) -> Place<'a> {
        if let Some(link) = self.here.get(&(server, leaf.account_id.as_str())) {
            return Place::Here(link);
        }
        let mut silent = Vec::new();
        for &(node, said) in &self.others {
            let leaves = said.and_then(|said| said.leaves.as_ref());
            match leaves.map(|leaves| leaves.contains(server)) {
                Some(true) => return Place::At(node),
                Some(false) => {}
                None => silent.push(node),
            }
        }
        let own = self.heard.and_then(|heard| heard.current(server, self.now));
        let links = own.into_iter().flat_map(|own| &own.links);
        let mut links = links.filter_map(|link| link.server.as_deref());
        let own = links.find_map(|to| silent.iter().copied().find(|node| *node == to));
        match (own, silent.is_empty()) {
            (Some(node), _) => Place::At(node),
            (None, true) => Place::Nowhere,
            (None, false) => Place::Unknown(silent),
        }
    }
}
