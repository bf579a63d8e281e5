//! Hosts' certificates: each is of a member of the fleet, and holds where others dial it.

use std::collections::BTreeMap;

use cim_spec::name;
use cim_spec::spec::Fleet;

use super::fleet_at;
use super::say::Say;
use crate::certificate::Certificate;
use crate::committed::Committed;

/// Holds the certificates against the fleet's names and addresses.
pub(super) fn check(fleet: &Fleet, committed: &Committed, say: &mut Say<'_>) {
    let mut members = BTreeMap::new();
    for hub in fleet.hubs.iter() {
        for (node, entry) in &hub.1.nodes {
            let at = fleet_at().join("hubs").join(hub.0).join("nodes").join(node);
            members.insert(name::unit(node), (at, Some(entry.address.as_str())));
        }
    }
    for leaf in fleet.leaves.keys() {
        members.insert(
            name::unit(leaf),
            (fleet_at().join("leaves").join(leaf), None),
        );
    }
    if let Some(text) = &committed.ca
        && let Err(error) = Certificate::all(text)
    {
        say.of_folder(&fleet_at().join("operator"), format!("ca.pem {error}"));
    }
    for (unit, text) in &committed.certificates {
        let file = format!("certificates/{unit}.pem");
        let Some((at, address)) = members.get(unit) else {
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
