//! Options of one asset into the type that upstream's JSON has.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use super::{Asset, Made};
use crate::asset::{AckPolicy, PriorityPolicy, Source, SubjectTransform};
use crate::field::{Block, Fields, Kind, Setting, SettingValue};
use crate::path::OptionPath;
use crate::problem::{Problems, Rule};
use crate::settings::Value;
use crate::version::Version;

/// Reads what is set of a block into its type; what was refused is absent.
pub fn read<T: DeserializeOwned + Default>(
    fields: &Fields,
    block: Block,
    at: &OptionPath,
    problems: &mut Problems,
) -> T {
    let settings = fields.plan(block, at, problems);
    let mut tree = BTreeMap::new();
    for setting in &settings {
        some(setting, problems);
        put(&mut tree, setting.field.path, value(&setting.value));
    }
    // What is out of bounds was said above: options and types are made of the same rows.
    T::deserialize(Value::Map(tree)).unwrap_or_default()
}

/// To nats-server 0 is no limit, and an empty list none at all.
fn some(setting: &Setting, problems: &mut Problems) {
    let limits = matches!(setting.field.kind, Kind::Size | Kind::Nanoseconds);
    let nothing = match &setting.value {
        SettingValue::Int(0) => limits,
        SettingValue::List(list) => list.is_empty(),
        _ => false,
    };
    let narrow = matches!(setting.field.path, ["max_msg_size" | "max_value_size"]);
    if let (true, SettingValue::Int(bytes)) = (narrow, &setting.value)
        && i32::try_from(*bytes).is_err()
    {
        problems.add(
            Rule::AssetLimit,
            &setting.at,
            format!("{bytes} bytes are more than nats-server counts there"),
            "write less than \"2GiB\"",
        );
    }
    if nothing {
        problems.add(
            Rule::AssetLimit,
            &setting.at,
            "is nothing, which nats-server takes for not set",
            "write what it shall be, or null for nats-server's own",
        );
    }
}

fn put(tree: &mut BTreeMap<String, Value>, path: &[&str], value: Value) {
    match path {
        [] => {}
        [last] => {
            tree.insert((*last).to_owned(), value);
        }
        [first, rest @ ..] => {
            let inside = tree.entry((*first).to_owned());
            if let Value::Map(inside) = inside.or_insert_with(|| Value::Map(BTreeMap::new())) {
                put(inside, rest, value);
            }
        }
    }
}

fn value(setting: &SettingValue) -> Value {
    match setting {
        SettingValue::Bool(value) => Value::Bool(*value),
        SettingValue::Int(value) => Value::Int(*value),
        SettingValue::Text(text) | SettingValue::File(text) => Value::Str(text.clone()),
        SettingValue::List(list) => Value::List(list.iter().map(value).collect()),
        SettingValue::Map(map) => {
            let entries = map.iter().map(|(name, inner)| (name.clone(), value(inner)));
            Value::Map(entries.collect())
        }
    }
}

/// Both halves of what becomes something else.
pub fn whole(
    transform: Option<&SubjectTransform>,
    at: &OptionPath,
    option: &str,
    problems: &mut Problems,
) {
    let Some(transform) = transform else {
        return;
    };
    for (half, there) in [("src", &transform.src), ("dest", &transform.dest)] {
        if there.is_none() {
            problems.add(
                Rule::AssetFields,
                &at.descend(option).join(half),
                "is null, but its other half is set",
                "write both src and dest, for example \"domain.>\" and \"graph.domain.>\"",
            );
        }
    }
}

/// Which subjects a source copies and what they become: one way of saying so.
pub fn transforms(source: &Source, at: &OptionPath, problems: &mut Problems) {
    let some = source.subject_transforms.iter().flatten().next();
    if some.is_some() && source.filter_subject.is_some() {
        problems.add(
            Rule::AssetFields,
            &at.join("filterSubject"),
            "is set beside subjectTransforms, whose src say which subjects are copied",
            "leave one of them out",
        );
    }
}

impl Asset {
    /// Refuses what the nats-server that will make it does not know.
    pub fn known_to(&self, version: Version, problems: &mut Problems) {
        let block = match &self.made {
            Made::Stream(_) => Block::Stream,
            Made::Consumer(..) => Block::Consumer,
            Made::KeyValue(_) => Block::KeyValue,
            Made::ObjectStore(_) => Block::ObjectStore,
        };
        // What is wrong in them was said when they were read.
        for setting in self.written.plan(block, &self.at, &mut Problems::new()) {
            setting.known_to(version, problems);
        }
        if let Made::Consumer(_, consumer) = &self.made {
            let young = [
                (
                    consumer.ack_policy == Some(AckPolicy::FlowControl),
                    "ackPolicy",
                    Version(2, 14, 0),
                ),
                (
                    consumer.priority_policy == Some(PriorityPolicy::Prioritized),
                    "priorityPolicy",
                    Version(2, 12, 0),
                ),
            ];
            for (used, option, since) in young {
                let Version(a, b, c) = since;
                if used && version < since {
                    self.wrong(
                        problems,
                        Rule::FieldVersion,
                        option,
                        "is a word that this nats-server does not know",
                        &format!(
                            "use a nats-server package of {a}.{b}.{c} or newer, or another word"
                        ),
                    );
                }
            }
        }
    }
}
