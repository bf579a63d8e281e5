//! Leaves as the hub knows them: principals of the account that their links are bound to.

use super::{Account, Principal, PrincipalKind, Proof, accounts, allow};
use crate::path::OptionPath;
use crate::problem::{Problems, Rule};
use crate::spec::{Fleet, Leaf};

/// Each leaf is a principal of the account that its link is bound to; its flows are what it
/// may do. Allow lists only: deny lists leak (`reference/nats.md` §3.5).
pub(super) fn principals(fleet: &Fleet, accounts: &mut [Account], problems: &mut Problems) {
    let domains: Vec<&str> = fleet.hubs.values().map(|hub| hub.domain.as_str()).collect();
    for (leaf_name, leaf) in &fleet.leaves {
        let at = OptionPath::new("services.cim.fleet.leaves").join(leaf_name);
        let proof = match (&leaf.nkey, &leaf.certificate) {
            _ if fleet.operator.is_some() => Some(Proof::Jwt),
            (Some(key), None) => accounts::nkey(key, &at.join("nkey"), problems),
            (None, Some(name)) => Some(Proof::Certificate(name.clone())),
            (Some(_), Some(_)) => continue, // the fleet's own rule has said so
            (None, None) => {
                problems.add(
                    Rule::Identity,
                    &at,
                    "has neither nkey nor certificate: this hub could not know it",
                    "set nkey to the leaf's public nkey, or certificate to the name in its certificate",
                );
                continue;
            }
        };
        let account = accounts.iter_mut().find(|a| a.name == leaf.account);
        let (Some(account), Some(proof)) = (account, proof) else {
            continue;
        };
        account.principals.push(Principal {
            name: leaf_name.clone(),
            kind: PrincipalKind::Leaf,
            connections: connections(leaf),
            proof,
            permissions: Some(allow::permissions(leaf_name, leaf, &domains)),
            fields: Vec::new(),
        });
    }
}

/// How a leaf's links come in: to nats-server those over WebSocket are of another kind.
fn connections(leaf: &Leaf) -> &'static [&'static str] {
    let websocket = leaf.remotes.values().any(|remote| remote.websocket);
    let direct = leaf.remotes.values().any(|remote| !remote.websocket);
    match (direct, websocket) {
        (true, true) => &["LEAFNODE", "LEAFNODE_WS"],
        (false, true) => &["LEAFNODE_WS"],
        (_, false) => &["LEAFNODE"],
    }
}
