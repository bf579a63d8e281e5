//! Whose certificates may stand in `identity/certificates/`: members of the fleet, whether their hosts run NixOS or not.

use std::collections::BTreeMap;

use cim_spec::spec::{Fleet, Leaf};
use cim_spec::{OptionPath, name};

use crate::pki::Usage;

/// Who may have a certificate.
pub(crate) struct Member<'a> {
    /// The hub's node or the leaf, or the leaf's node.
    pub host: &'a str,
    /// The option that declares it.
    pub at: OptionPath,
    /// Where others dial it; `None`: nobody does.
    pub address: Option<&'a str>,
    /// What its certificate is for at least.
    pub usage: Usage,
    /// The common name by which hubs know it; `None`: they do not look at that.
    pub common_name: Option<&'a str>,
}

/// The members of a fleet by the names of their certificates: a host's is called what its unit is, and one of a leaf
/// that is a cluster also by its node.
pub(crate) fn members(fleet: &Fleet) -> BTreeMap<String, Member<'_>> {
    let at = || OptionPath::new("services.cim.fleet");
    let mut members = BTreeMap::new();
    for (hub, entry) in &fleet.hubs {
        // Routes and gateways are dialled from both ends.
        let dials = entry.nodes.len() > 1 || fleet.hubs.len() > 1;
        for (node, entry) in &entry.nodes {
            let member = Member {
                host: node,
                at: at().join("hubs").join(hub).join("nodes").join(node),
                address: Some(&entry.address),
                usage: if dials {
                    Usage::Server
                } else {
                    Usage::Listener
                },
                common_name: None,
            };
            members.insert(name::unit(node), member);
        }
    }
    for (leaf, entry) in &fleet.leaves {
        let at = at().join("leaves").join(leaf);
        let unit = name::unit(leaf);
        for (node, own) in &entry.nodes {
            let member = Member {
                host: node,
                at: at.join("nodes").join(node),
                address: Some(&own.address),
                usage: Usage::Server,
                common_name: common_name(entry),
            };
            members.insert(format!("{unit}.{node}"), member);
        }
        let member = Member {
            host: leaf,
            at,
            address: None,
            usage: Usage::Client,
            common_name: common_name(entry),
        };
        members.insert(unit, member);
    }
    members
}

/// Every file below `identity/` that a member's certificate may stand in.
pub fn certificates(fleet: &Fleet) -> impl Iterator<Item = String> {
    let units = members(fleet).into_keys();
    units.map(|unit| format!("certificates/{unit}.pem"))
}

/// Of `CN=plant-a` the name; hubs may know a leaf by another name of its certificate, too.
fn common_name(leaf: &Leaf) -> Option<&str> {
    let subject = leaf.certificate.as_deref()?;
    let name = subject.strip_prefix("CN=")?;
    (!name.contains([',', '+'])).then_some(name)
}
