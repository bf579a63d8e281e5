//! The rules that one field keeps, whatever it means.

use std::collections::BTreeMap;

use super::{Block, Field, Fields, Kind};
use crate::duration::Duration;
use crate::path::OptionPath;
use crate::problem::{Problems, Rule, shown};
use crate::settings::{Value, is_key};
use crate::version::Version;
use crate::{file, moment, nkey, secret, size, subject};

/// A field with its checked value.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The option's path.
    pub at: OptionPath,
    /// Its row.
    pub field: &'static Field,
    /// What it is set to.
    pub value: SettingValue,
}

/// A checked value, as nats.conf takes it.
#[derive(Debug, Clone, PartialEq)]
pub enum SettingValue {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number; bytes where it was a size.
    Int(i64),
    /// A text; Go's notation where it was a duration.
    Text(String),
    /// The path of something on the host.
    File(String),
    /// A list.
    List(Vec<SettingValue>),
    /// A block with names of the operator's.
    Map(BTreeMap<String, SettingValue>),
}

impl Setting {
    /// Refuses what the nats-server that will read it does not know.
    pub fn known_to(&self, version: Version, problems: &mut Problems) {
        if version < self.field.since {
            let (Version(a, b, c), Version(x, y, z)) = (version, self.field.since);
            problems.add(
                Rule::FieldVersion,
                &self.at,
                format!("is set, but nats-server {a}.{b}.{c} does not know it"),
                format!("leave it out, or use a nats-server package of {x}.{y}.{z} or newer"),
            );
        }
    }
}

impl Fields {
    /// Checks each field that is set; `at` is the option path of the block.
    pub fn plan(&self, block: Block, at: &OptionPath, problems: &mut Problems) -> Vec<Setting> {
        let mut settings = Vec::new();
        for field in block.fields() {
            let Some(value) = self.get(field.option) else {
                continue;
            };
            let at = at.descend(field.option);
            if let Some(value) = checked(field.kind, value, &at, problems) {
                settings.push(Setting { at, field, value });
            }
        }
        self.known(block, at, problems);
        settings
    }

    /// Every option that is set has a row; the modules make both from one table.
    fn known(&self, block: Block, at: &OptionPath, problems: &mut Problems) {
        for option in self.0.keys() {
            if !block.fields().any(|field| field.option == option) {
                problems.add(
                    Rule::FieldValue,
                    &at.descend(option),
                    "is no option that this cim-render knows",
                    "take modules and packages from the same revision of the flake",
                );
            }
        }
    }
}

fn checked(
    kind: Kind,
    value: &Value,
    at: &OptionPath,
    problems: &mut Problems,
) -> Option<SettingValue> {
    match (kind, value) {
        (Kind::Bool, Value::Bool(value)) => Some(SettingValue::Bool(*value)),
        (Kind::Int(least, most), Value::Int(number)) if (least..=most).contains(number) => {
            Some(SettingValue::Int(*number))
        }
        (_, Value::Str(text)) => of_text(kind, text, at, problems),
        (
            Kind::Texts
            | Kind::Subjects
            | Kind::Enums(_)
            | Kind::NanosecondsList
            | Kind::Transforms,
            Value::List(list),
        ) => {
            let items: Vec<_> = list
                .iter()
                .enumerate()
                .map(|(index, item)| checked(kind.inner(), item, &at.index(index), problems))
                .collect();
            items
                .into_iter()
                .collect::<Option<_>>()
                .map(SettingValue::List)
        }
        (Kind::TextMap | Kind::BoolMap, Value::Map(map)) => {
            let mut entries = BTreeMap::new();
            for (name, value) in map {
                let at = at.join(name);
                is_key(name, &at, problems);
                entries.insert(name.clone(), checked(kind.inner(), value, &at, problems)?);
            }
            Some(SettingValue::Map(entries))
        }
        (Kind::Labels, Value::Map(map)) => {
            let entries = map.iter().map(|(name, value)| {
                Some((
                    name.clone(),
                    checked(Kind::Text, value, &at.join(name), problems)?,
                ))
            });
            let entries: Vec<_> = entries.collect();
            entries
                .into_iter()
                .collect::<Option<_>>()
                .map(SettingValue::Map)
        }
        (Kind::Transforms, Value::Map(map)) => {
            let mut entry = |name: &str, kind| {
                let value = map.get(name).unwrap_or(&Value::Null);
                let checked = checked(kind, value, &at.join(name), problems)?;
                Some((name.to_owned(), checked))
            };
            let entries = [entry("src", Kind::Subject), entry("dest", Kind::Text)];
            entries
                .into_iter()
                .collect::<Option<_>>()
                .map(SettingValue::Map)
        }
        _ => refused(kind, value, at, problems),
    }
}

impl Kind {
    /// What one item of a list, or one entry of a map, is.
    fn inner(self) -> Kind {
        match self {
            Kind::Texts | Kind::TextMap => Kind::Text,
            Kind::Subjects => Kind::Subject,
            Kind::Enums(words) => Kind::Enum(words),
            Kind::BoolMap => Kind::Bool,
            Kind::NanosecondsList => Kind::Nanoseconds,
            one => one,
        }
    }
}

fn of_text(
    kind: Kind,
    text: &str,
    at: &OptionPath,
    problems: &mut Problems,
) -> Option<SettingValue> {
    let value = || SettingValue::Text(text.to_owned());
    match kind {
        Kind::Text => plain(text, at, problems).then(value),
        Kind::Version if is_release(text) => Some(value()),
        Kind::Enum(words) if words.contains(&text) => Some(word(text)),
        Kind::Size => {
            let bytes = problems.parsed(Rule::Size, at, text, size::parse(text))?;
            i64::try_from(bytes).ok().map(SettingValue::Int)
        }
        Kind::Duration => problems
            .parsed(Rule::Duration, at, text, Duration::parse(text))
            .map(|duration| SettingValue::Text(duration.to_string())),
        Kind::Nanoseconds => {
            let duration = problems.parsed(Rule::Duration, at, text, Duration::parse(text))?;
            i64::try_from(duration.as_millis())
                .ok()
                .and_then(|millis| millis.checked_mul(1_000_000))
                .map(SettingValue::Int)
        }
        Kind::Time => problems
            .parsed(Rule::Time, at, text, moment::check(text))
            .map(|()| value()),
        Kind::Subject => problems
            .parsed(Rule::Subject, at, text, subject::check(text))
            .map(|()| value()),
        Kind::File => problems
            .parsed(Rule::File, at, text, file::check(text))
            .map(|()| SettingValue::File(text.to_owned())),
        Kind::Nkey(letter) => problems
            .parsed(Rule::Nkey, at, text, nkey::check(text, letter))
            .map(|()| value()),
        _ => refused(kind, &Value::Str(text.to_owned()), at, problems),
    }
}

/// What nats-server takes for the oldest version of a peer.
fn is_release(text: &str) -> bool {
    let oldest = Version(2, 8, 0);
    Version::parse(text).is_ok_and(|Version(major, minor, patch)| {
        Version(major, minor, patch) >= oldest && text == format!("{major}.{minor}.{patch}")
    })
}

/// `true` and `false` among words are nats.conf's own.
fn word(text: &str) -> SettingValue {
    match text {
        "true" => SettingValue::Bool(true),
        "false" => SettingValue::Bool(false),
        _ => SettingValue::Text(text.to_owned()),
    }
}

/// A text that is neither empty nor a secret, whatever option it stands in.
fn plain(text: &str, at: &OptionPath, problems: &mut Problems) -> bool {
    if secret::is_in(text) {
        problems.add(
            Rule::SettingsSecret,
            at,
            "holds a secret in plain text, which every user of the host can read in the Nix store",
            "make a new one, and name a file with it where there is an option for that",
        );
        return false;
    }
    let plain = !text.is_empty() && !text.chars().any(char::is_control);
    if !plain {
        problems.add(
            Rule::ControlCharacter,
            at,
            format!("{} is empty or holds control characters", shown(text)),
            "write visible characters and spaces",
        );
    }
    plain
}

fn refused(
    kind: Kind,
    value: &Value,
    at: &OptionPath,
    problems: &mut Problems,
) -> Option<SettingValue> {
    let wanted = match kind {
        Kind::Bool => "true or false".to_owned(),
        Kind::Int(least, most) => format!("a whole number from {least} to {most}"),
        Kind::Size => "a size, for example \"64MiB\"".to_owned(),
        Kind::Duration | Kind::Nanoseconds => "a duration, for example \"30s\"".to_owned(),
        Kind::NanosecondsList => "a list of durations, for example [ \"1s\" \"10s\" ]".to_owned(),
        Kind::Time => "a moment, for example \"2030-01-01T00:00:00Z\"".to_owned(),
        Kind::Labels => "texts by name".to_owned(),
        Kind::Transforms => "a list of { src = …; dest = …; }".to_owned(),
        Kind::Version => "a version from \"2.8.0\" on, for example \"2.12.0\"".to_owned(),
        Kind::Text | Kind::File | Kind::Nkey(_) => "a text".to_owned(),
        Kind::Subject => "a subject, for example \"events.>\"".to_owned(),
        Kind::Enum(words) => format!("one of {}", words.join(", ")),
        Kind::Enums(words) => format!("a list of some of {}", words.join(", ")),
        Kind::Texts | Kind::Subjects => "a list of texts".to_owned(),
        Kind::TextMap => "texts by name".to_owned(),
        Kind::BoolMap => "true or false by name".to_owned(),
    };
    problems.add(
        Rule::FieldValue,
        at,
        format!("{} is not right here", value.shown()),
        format!("write {wanted}"),
    );
    None
}
