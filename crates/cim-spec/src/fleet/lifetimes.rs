//! How long what the desk issues holds, and when it counts as ending.

use super::root;
use crate::duration::Duration;
use crate::path::OptionPath;
use crate::plan::duration;
use crate::problem::{Problems, Rule};
use crate::spec::Fleet;

/// How long certificates and JWTs hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetimes {
    /// Certificates of hosts, and JWTs of services on them.
    pub server: Duration,
    /// JWTs of leaves; `None`: they do not expire.
    pub leaf: Option<Duration>,
    /// Certificates of devices.
    pub device: Duration,
    /// JWTs of users; `None`: they do not expire.
    pub user: Option<Duration>,
    /// What ends within this counts as ending.
    pub horizon: Duration,
}

/// The lifetimes of a whole fleet; `None` where a value was refused, and of a slice, which has none.
pub fn lifetimes(fleet: &Fleet, problems: &mut Problems) -> Option<Lifetimes> {
    let (texts, horizon) = (fleet.lifetimes.as_ref()?, fleet.expiry_horizon.as_ref()?);
    let at = root().join("lifetimes");
    let horizon_at = root().join("expiryHorizon");
    let horizon_text = horizon;
    let horizon = duration(horizon_text, &horizon_at, problems);
    let mut read = |text: &str, name: &str| {
        let at = at.join(name);
        let lifetime = duration(text, &at, problems)?;
        // What devices have is short, and not looked at here.
        let short = horizon.filter(|horizon| lifetime <= *horizon && name != "device");
        if lifetime.as_millis() < 1000 {
            not_at_once(text, &at, problems);
        } else if let Some(horizon) = short {
            outlives(text, horizon_text, horizon, &at, problems);
        }
        Some(lifetime)
    };
    let server = read(&texts.server, "server");
    let leaf = texts.leaf.as_ref().map(|text| read(text, "leaf"));
    let device = read(&texts.device, "device");
    let user = texts.user.as_ref().map(|text| read(text, "user"));
    Some(Lifetimes {
        server: server?,
        leaf: whole(leaf)?,
        device: device?,
        user: whole(user)?,
        horizon: horizon?,
    })
}

/// What is not said, or was understood; `None`: it was refused.
fn whole(read: Option<Option<Duration>>) -> Option<Option<Duration>> {
    match read {
        None => Some(None),
        Some(read) => read.map(Some),
    }
}

fn outlives(
    text: &str,
    horizon_text: &str,
    horizon: Duration,
    at: &OptionPath,
    problems: &mut Problems,
) {
    problems.add(
        Rule::Lifetime,
        at,
        format!("{text:?} is no longer than expiryHorizon, {horizon_text:?}: what is issued would count as ending at once"),
        format!("write more than {horizon}, or a shorter expiryHorizon"),
    );
}

fn not_at_once(text: &str, at: &OptionPath, problems: &mut Problems) {
    problems.add(
        Rule::Lifetime,
        at,
        format!("{text:?} is less than a second, and JWTs count in seconds"),
        "write how long it shall hold, for example \"365d\"",
    );
}
