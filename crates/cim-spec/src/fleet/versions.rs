//! Which versions of nats-server meet on a leaf link; only where all hosts are known can that be seen.

use crate::field::SettingValue;
use crate::path::OptionPath;
use crate::plan::{LeafListener, Plan};
use crate::problem::{Problems, Rule};
use crate::version::Version;

/// From here on a hub really hides its address, and leaves before cannot do without it (nats-server#8367).
const HIDES: Version = Version(2, 15, 0);

/// Holds the version of each leaf against what its hubs let in.
pub(super) fn check(plans: &[Plan], problems: &mut Problems) {
    for hub in plans {
        let Some(listener) = &hub.leafnodes else {
            continue;
        };
        for leaf in plans.iter().filter(|leaf| dials(leaf, listener)) {
            if let Some(why) = refuses(hub, listener, leaf.version) {
                problems.add(
                    Rule::LeafVersion,
                    &leaf.options.join("package"),
                    format!(
                        "nats-server {} {why} of {:?}: the link would never be up",
                        shown(leaf.version),
                        hub.server_name
                    ),
                    "use the hub's nats-server package, or take that option away from the hub",
                );
            }
        }
    }
}

fn dials(leaf: &Plan, listener: &LeafListener) -> bool {
    let remotes = leaf.link.iter().flat_map(|link| &link.remotes);
    let mut nodes = remotes.flat_map(|remote| &remote.nodes);
    nodes.any(|node| node.host == listener.advertise.host)
}

fn refuses(hub: &Plan, listener: &LeafListener, leaf: Version) -> Option<String> {
    listener.fields.iter().find_map(|setting| {
        let at: &OptionPath = &setting.at;
        match (setting.field.option, &setting.value) {
            ("minVersion", SettingValue::Text(least)) => {
                let least = Version::parse(least).ok()?;
                (leaf < least).then(|| format!("is older than {at}, {},", shown(least)))
            }
            ("noAdvertise", SettingValue::Bool(true)) => {
                let apart = hub.version >= HIDES && leaf < HIDES;
                apart.then(|| format!("cannot do with {at}"))
            }
            _ => None,
        }
    })
}

fn shown(Version(major, minor, patch): Version) -> String {
    format!("{major}.{minor}.{patch}")
}
