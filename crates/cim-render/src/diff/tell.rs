//! A diff as text: each changed option with its values and what it needs where, then a line an instance.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use super::{Change, Diff, Fate, Outcome};

/// Texts longer than this are cut; `--json` has them whole.
const LONG: usize = 100;

impl Fate {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Fate::Nothing => "nothing",
            Fate::Reload => "reload",
            Fate::Restart => "restart",
            Fate::Start => "start",
            Fate::Stop => "stop",
        }
    }
}

impl fmt::Display for Diff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (option, changes) in self.by_option() {
            writeln!(f, "{option}")?;
            for (change, fates) in changes {
                values(f, change)?;
                for (fate, names) in fates {
                    writeln!(f, "  {}: {}", fate.word(), names.join(", "))?;
                }
            }
        }
        for change in &self.unseen {
            writeln!(f, "{}", change.option)?;
            values(f, change)?;
            writeln!(f, "  nothing: no instance sees it")?;
        }
        let has_changes = |outcome: &Outcome| !outcome.changes.is_empty();
        if self.instances.values().any(has_changes) || !self.unseen.is_empty() {
            writeln!(f)?;
        }
        self.summary(f)
    }
}

/// Which servers a change concerns, by what it needs there.
type Fates<'a> = BTreeMap<Fate, Vec<&'a str>>;

impl Diff {
    /// The changes of all instances by their option; those that are one change of the fleet stand once.
    fn by_option(&self) -> BTreeMap<&str, Vec<(&Change, Fates<'_>)>> {
        let mut options: BTreeMap<&str, Vec<(&Change, Fates<'_>)>> = BTreeMap::new();
        for (name, outcome) in &self.instances {
            for change in &outcome.changes {
                let same = options.entry(&change.option).or_default();
                let is_same = |(other, _): &(&Change, _)| {
                    (&other.old, &other.new) == (&change.old, &change.new)
                };
                let at = same.iter().position(is_same).unwrap_or_else(|| {
                    same.push((change, Fates::new()));
                    same.len() - 1
                });
                same[at].1.entry(change.consequence).or_default().push(name);
            }
        }
        options
    }

    fn summary(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.instances.keys().map(String::len).max().unwrap_or(0);
        for (name, outcome) in &self.instances {
            let what = outcome.fate.word();
            let because = match outcome.rendered_anew {
                true => "another release of cim writes another nats.conf; ",
                false => "",
            };
            match (&outcome.drops, outcome.fate) {
                (Some(drops), _) => writeln!(f, "{name:width$}  {what:7}  {because}{drops}")?,
                (None, Fate::Reload) => writeln!(f, "{name:width$}  {what:7}  nobody is cut off")?,
                (None, _) => writeln!(f, "{name:width$}  {what}")?,
            }
        }
        Ok(())
    }
}

/// The values on one line; lists as what goes and what comes; of passwords' hashes only that there is another.
fn values(f: &mut fmt::Formatter<'_>, change: &Change) -> fmt::Result {
    if change.option.ends_with(".passwordHash") {
        return writeln!(f, "    another one");
    }
    if let (Some(Value::Array(old)), Some(Value::Array(new))) = (&change.old, &change.new) {
        let gone: Vec<&Value> = old.iter().filter(|value| !new.contains(value)).collect();
        let come: Vec<&Value> = new.iter().filter(|value| !old.contains(value)).collect();
        if !gone.is_empty() || !come.is_empty() {
            for value in gone {
                writeln!(f, "    - {}", shown(Some(value)))?;
            }
            for value in come {
                writeln!(f, "    + {}", shown(Some(value)))?;
            }
            return Ok(());
        }
    }
    let (old, new) = (shown(change.old.as_ref()), shown(change.new.as_ref()));
    if old.chars().count() + new.chars().count() > LONG {
        return writeln!(f, "    - {old}\n    + {new}");
    }
    writeln!(f, "    {old} → {new}")
}

fn shown(value: Option<&Value>) -> String {
    let Some(value) = value else {
        return "nothing".to_owned();
    };
    let text = set(value).to_string();
    if text.chars().count() <= LONG {
        return text;
    }
    text.chars().take(LONG).chain(['…']).collect()
}

/// What is set of a block, which else is mostly `null` and empty.
fn set(value: &Value) -> Value {
    let Value::Object(block) = value else {
        return value.clone();
    };
    let is_set = |value: &Value| match value {
        Value::Null => false,
        Value::Object(block) => !block.is_empty(),
        Value::Array(list) => !list.is_empty(),
        _ => true,
    };
    // A hash is no secret, and no pleasure to guess passwords from either.
    let entries = block.iter().filter(|(name, _)| *name != "passwordHash");
    let entries = entries.map(|(name, value)| (name.clone(), set(value)));
    Value::Object(entries.filter(|(_, value)| is_set(value)).collect())
}
