//! Hosts' certificates: each is of a member of the fleet, and holds where others dial it.

use std::collections::BTreeMap;

use cim_spec::spec::Fleet;
use cim_spec::{OptionPath, name};

use super::fleet_at;
use super::say::Say;
use crate::certificate::Certificate;
use crate::committed::Committed;

/// Holds the certificates against the fleet's names and addresses.
pub(super) fn check(fleet: &Fleet, committed: &Committed, say: &mut Say<'_>) {
    let members = members(fleet);
    if let Some(text) = &committed.ca
        && let Err(error) = Certificate::all(text)
    {
        say.of_folder(&fleet_at().join("operator"), format!("ca.pem {error}"));
    }
    for (unit, text) in &committed.certificates {
        let file = format!("certificates/{unit}.pem");
        let Some(Member { at, address }) = members.get(unit) else {
            say.stranger(&file, &fleet_at().join("hubs"));
            continue;
        };
        let own = match Certificate::all(text) {
            Ok(all) => all.into_iter().next(),
            Err(error) => {
                say.of_folder(at, format!("{file} {error}"));
                continue;
            }
        };
        let (Some(own), Some(address)) = (own, address) else {
            continue;
        };
        if !own.holds_for(address) {
            let names = own.names.join(", ");
            let what = format!("is {address:?}, for which {file} does not hold: it names {names}");
            say.of_folder(&at.join("address"), what);
        }
    }
}

/// Who has a certificate: its option, and where others dial it.
struct Member<'a> {
    at: OptionPath,
    address: Option<&'a str>,
}

/// The members of the fleet by their certificates: a host's is called what its unit is, and one of a leaf that is a
/// cluster also by its node.
fn members(fleet: &Fleet) -> BTreeMap<String, Member<'_>> {
    let mut members = BTreeMap::new();
    for (hub, entry) in &fleet.hubs {
        for (node, entry) in &entry.nodes {
            let at = fleet_at().join("hubs").join(hub).join("nodes").join(node);
            let address = Some(entry.address.as_str());
            members.insert(name::unit(node), Member { at, address });
        }
    }
    for (leaf, entry) in &fleet.leaves {
        let at = fleet_at().join("leaves").join(leaf);
        let unit = name::unit(leaf);
        for (node, entry) in &entry.nodes {
            let at = at.join("nodes").join(node);
            let address = Some(entry.address.as_str());
            members.insert(format!("{unit}.{node}"), Member { at, address });
        }
        members.insert(unit, Member { at, address: None });
    }
    members
}
