//! What a new generation changes, and what each change costs: nothing, a reload, a restart.
//!
//! Specs are read as JSON, not as [`cim_spec::Spec`]: the old generation may come from an older release.

mod drops;
mod generation;
mod option;
mod tell;
mod tree;

use std::collections::{BTreeMap, BTreeSet};

use cim_spec::reload::Consequence;
use serde::Serialize;
use serde_json::Value;

pub use generation::{Generation, Instance};

/// What differs between two generations.
#[derive(Debug, Serialize)]
pub struct Diff {
    /// By server name: what becomes of every instance that is in either.
    pub instances: BTreeMap<String, Outcome>,
    /// Options of the fleet that changed and that no instance sees.
    pub unseen: Vec<Change>,
}

/// What becomes of one instance.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// What happens to its server.
    pub fate: Fate,
    /// Who is without it meanwhile, as a sentence; `null`: nobody.
    pub drops: Option<String>,
    /// The leaves whose links end meanwhile, and are dialled again.
    pub leaves: Vec<String>,
    /// The renderer writes another nats.conf for the same spec: both generations come from different releases of cim.
    pub rendered_anew: bool,
    /// Its options that changed.
    pub changes: Vec<Change>,
}

/// What happens to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Fate {
    /// It goes on as it is.
    Nothing,
    /// It takes the new configuration over.
    Reload,
    /// It is stopped and started.
    Restart,
    /// It is new.
    Start,
    /// It is no more.
    Stop,
}

/// One option with another value.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// Its path, as an operator writes it.
    pub option: String,
    /// What it was; absent: it was not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<Value>,
    /// What it is; absent: it is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<Value>,
    /// What it needs.
    pub consequence: Fate,
}

impl From<Consequence> for Fate {
    fn from(consequence: Consequence) -> Self {
        match consequence {
            Consequence::Nothing => Fate::Nothing,
            Consequence::Reload => Fate::Reload,
            Consequence::Restart => Fate::Restart,
        }
    }
}

impl Diff {
    /// Compares two generations.
    pub fn between(old: &Generation, new: &Generation) -> Self {
        let rendered_anew = matches!((&old.epoch, &new.epoch), (Some(a), Some(b)) if a != b);
        let names: BTreeSet<&String> = old.instances.keys().chain(new.instances.keys()).collect();
        let instances: BTreeMap<String, Outcome> = names
            .into_iter()
            .map(|name| {
                let outcome = match (old.instances.get(name), new.instances.get(name)) {
                    (Some(old), Some(new)) => Outcome::of(old, new, rendered_anew),
                    (Some(old), None) => Outcome::stopped(old),
                    _ => Outcome::started(),
                };
                (name.clone(), outcome)
            })
            .collect();
        let unseen = unseen(old, new, &instances);
        Self { instances, unseen }
    }
}

impl Outcome {
    fn of(old: &Instance, new: &Instance, rendered_anew: bool) -> Self {
        let changes = changes(old, new);
        let worst = changes.iter().map(|change| change.consequence).max();
        let fate = match worst {
            _ if rendered_anew => Fate::Restart,
            None => Fate::Nothing,
            Some(worst) => worst,
        };
        let drops = drops::of(fate, old, new);
        Self {
            fate,
            drops: drops.said,
            leaves: drops.leaves,
            rendered_anew,
            changes,
        }
    }

    fn started() -> Self {
        Self {
            fate: Fate::Start,
            drops: None,
            leaves: Vec::new(),
            rendered_anew: false,
            changes: Vec::new(),
        }
    }

    fn stopped(old: &Instance) -> Self {
        let drops = drops::of(Fate::Stop, old, old);
        Self {
            fate: Fate::Stop,
            drops: drops.said,
            leaves: drops.leaves,
            rendered_anew: false,
            changes: Vec::new(),
        }
    }
}

/// What differs between two specs of an instance.
fn changes(old: &Instance, new: &Instance) -> Vec<Change> {
    if old.role != new.role {
        // A hub's node that becomes a leaf: nothing of it is comparable.
        return vec![Change {
            option: new.options(),
            old: Some(Value::from(old.role.name())),
            new: Some(Value::from(new.role.name())),
            consequence: Fate::Restart,
        }];
    }
    let differences = tree::differences(&old.body, &new.body);
    // A spec that comes or goes with operator mode restarts for that.
    let has_operator = new.body["fleet"]["operator"].is_object();
    let change = |difference: tree::Difference| Change {
        option: option::path(new.role, &new.name, &difference.path),
        consequence: difference
            .consequence(new.role, new.version, has_operator)
            .into(),
        old: difference.old,
        new: difference.new,
    };
    differences.into_iter().map(change).collect()
}

/// Changes of the whole fleet that show in no instance: of a leaf that nobody declares yet, for example.
fn unseen(
    old: &Generation,
    new: &Generation,
    instances: &BTreeMap<String, Outcome>,
) -> Vec<Change> {
    let (Some(old), Some(new)) = (&old.fleet, &new.fleet) else {
        return Vec::new();
    };
    let all = instances.values().flat_map(|outcome| &outcome.changes);
    let seen: BTreeSet<&str> = all.map(|change| change.option.as_str()).collect();
    let part_of = |part: &str, whole: &str| {
        let rest = part.strip_prefix(whole);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    tree::differences(old, new)
        .into_iter()
        .map(|difference| Change {
            option: option::of_fleet(&difference.path),
            old: difference.old,
            new: difference.new,
            consequence: Fate::Nothing,
        })
        .filter(|change| {
            let same = |seen: &&str| part_of(&change.option, seen) || part_of(seen, &change.option);
            !seen.iter().any(same)
        })
        .collect()
}
