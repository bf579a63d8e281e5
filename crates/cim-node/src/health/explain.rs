//! `cim-health explain CHECK`: what a check means, and where to look.

use cim_spec::artefact::Health;

use super::check::{self, Check};

/// A check by its name.
pub fn named(name: &str) -> Option<&'static Check> {
    check::all().find(|check| check.name == name)
}

/// The names of all checks.
pub fn names() -> String {
    let names: Vec<_> = check::all().map(|check| check.name).collect();
    names.join(", ")
}

/// What stands for an instance in commands.
pub struct Words {
    unit: String,
    monitor: String,
    config: String,
    health: String,
    assets: String,
}

impl Words {
    /// An instance's own.
    pub fn of(health: &Health, file: &str) -> Self {
        let jetstream = health.watch.jetstream.as_ref();
        Self {
            unit: health.unit.clone(),
            monitor: health.monitor.clone(),
            config: health.config.clone(),
            health: file.to_owned(),
            assets: jetstream.map_or(String::new(), |jetstream| jetstream.assets.clone()),
        }
    }

    /// Any instance's.
    pub fn general() -> Self {
        Self {
            unit: "cim-NAME".to_owned(),
            monitor: "localhost:8222".to_owned(),
            config: "/etc/cim/NAME/nats.conf".to_owned(),
            health: "/etc/cim/NAME/health.json".to_owned(),
            assets: "/etc/cim/NAME/jetstream".to_owned(),
        }
    }

    fn put(&self, command: &str, of: &str) -> String {
        command
            .replace("{unit}", &self.unit)
            .replace("{monitor}", &self.monitor)
            .replace("{config}", &self.config)
            .replace("{health}", &self.health)
            .replace("{assets}", &self.assets)
            .replace("{of}", of)
    }
}

/// All that there is to say of a check.
pub fn explain(check: &Check, words: &Words) -> String {
    let mut lines = vec![
        format!("{}: {}", check.name, check.meaning),
        String::new(),
        format!("looks at: {}", check.looks_at),
        check.states.to_owned(),
    ];
    if !check.of.is_empty() {
        lines.push(format!("one for each {}", check.of));
    }
    if !check.option.is_empty() {
        lines.push(format!("levels: option health.{}", check.option));
    }
    if !check.after.is_empty() {
        lines.push(format!("waits for: {}", check.after.join(", ")));
    }
    if check.gates {
        let but = match check.option {
            "" => "",
            _ => "; that it reaches a level is a warning there",
        };
        lines.push(format!("a deployment waits for it (cim-health gate){but}"));
    }
    lines.push(format!("\nUsual causes:\n{}", causes(check, words)));
    lines.join("\n")
}

/// The usual causes, each with the command to look.
pub fn causes(check: &Check, words: &Words) -> String {
    let of = if check.of.is_empty() { "" } else { "NAME" };
    let each = check.causes.iter().enumerate();
    let each = each.map(|(index, (cause, command))| {
        format!("{}. {cause}\n   `{}`\n", index + 1, words.put(command, of))
    });
    each.collect()
}
