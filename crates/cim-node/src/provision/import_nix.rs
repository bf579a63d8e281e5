//! What a server has, as the Nix options that declare it: names in camelCase, durations and sizes as text.

mod origin;
mod text;

use std::collections::BTreeMap;

use cim_spec::asset::{Consumer, Field, KeyValue, Kind, ObjectStore, Stream};
use serde_json::{Map, Value};

use super::asset::Asset;
use super::defaults;
use super::import::Imported;
use super::tree::Tree;
use super::words::camel;
use origin::{Origin, origin, sayable};

/// Nix text, and what no option says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Nix {
    /// An attribute set: `{ streams = …; kv = …; objectStores = …; }`.
    pub text: String,
    /// What is left out, each with why.
    pub left_out: Vec<String>,
}

/// Fields that count bytes.
const SIZES: [&str; 3] = ["max_bytes", "max_msg_size", "max_value_size"];

/// Fields that the attribute's name says.
const NAMES: [&str; 4] = ["name", "durable_name", "bucket", "stream"];

const MILLISECOND: i64 = 1_000_000;

/// The options of what was imported.
pub fn nix(imported: &[Imported]) -> Nix {
    let (imported, mut left_out) = sayable(imported);
    let mut groups: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for (asset, config) in &imported {
        let (group, name, fields) = match asset {
            Asset::Stream(name) => ("streams", name, Stream::FIELDS),
            Asset::KeyValue(name) => ("kv", name, KeyValue::FIELDS),
            Asset::ObjectStore(name) => ("objectStores", name, ObjectStore::FIELDS),
            Asset::Consumer { .. } => continue,
        };
        let config = match asset {
            Asset::Stream(_) => lean(config, defaults::stream),
            _ => config.clone(),
        };
        let options = options(fields, &config, &asset.to_string(), &mut left_out);
        let group = groups.entry(group).or_default();
        group.insert(name.clone(), Value::Object(options));
    }
    for (asset, config) in &imported {
        let Asset::Consumer { stream, name } = asset else {
            continue;
        };
        let of = imported.iter().find(|(asset, _)| asset.stream() == *stream);
        let of = of.map(|(_, config)| defaults::stream(config));
        let of = of.unwrap_or_default();
        let config = lean(config, |config| defaults::consumer(config, &of));
        let options = options(Consumer::FIELDS, &config, &asset.to_string(), &mut left_out);
        let streams = groups.get_mut("streams");
        match streams.and_then(|streams| streams.get_mut(stream)) {
            Some(Value::Object(of)) => {
                let consumers = of
                    .entry("consumers")
                    .or_insert_with(|| Value::Object(Map::new()));
                consumers[name.as_str()] = Value::Object(options);
            }
            _ => left_out.push(format!(
                "{asset}: only streams have consumers among the options, and {stream} is a bucket"
            )),
        }
    }
    let all = groups
        .into_iter()
        .map(|(group, assets)| (group.to_owned(), Value::Object(assets)));
    let text = text::expression(&Value::Object(all.collect()));
    Nix { text, left_out }
}

/// Without the fields that the server would fill in just so.
fn lean(config: &Tree, filled: impl Fn(&Tree) -> Tree) -> Tree {
    let whole = filled(config);
    let mut lean = config.clone();
    for field in config.keys() {
        let mut less = lean.clone();
        less.remove(field);
        if filled(&less) == whole {
            lean = less;
        }
    }
    lean
}

/// A configuration as options have it.
fn options(fields: &[Field], config: &Tree, at: &str, left_out: &mut Vec<String>) -> Tree {
    let mut options = Tree::new();
    for field in fields {
        let Some(value) = config.get(field.name) else {
            continue;
        };
        if NAMES.contains(&field.name) && !at.contains('.') {
            continue;
        }
        let (key, value) = match (field.name, origin(config)) {
            ("external", Origin::Leaf(leaf)) => ("leaf".to_owned(), Some(leaf.into())),
            ("external", Origin::Hub(hub)) => ("hub".to_owned(), Some(hub.into())),
            (name, _) => {
                let at = format!("{at}.{name}");
                (camel(name), option(field, value, &at, left_out))
            }
        };
        if let Some(value) = value {
            options.insert(key, value);
        }
    }
    options
}

fn option(field: &Field, value: &Value, at: &str, left_out: &mut Vec<String>) -> Option<Value> {
    let mut part = |fields: &[Field], value: &Value| {
        let tree = value.as_object().cloned().unwrap_or_default();
        Value::Object(options(fields, &tree, at, left_out))
    };
    match field.kind {
        Kind::Part(fields) => Some(part(fields, value)),
        Kind::Parts(fields) | Kind::PartList(fields) => {
            let list = value.as_array()?.iter();
            Some(list.map(|value| part(fields, value)).collect())
        }
        Kind::Duration => {
            let text = value.as_i64().and_then(duration);
            if text.is_none() {
                left_out.push(format!(
                    "{at}: {value} ns is no whole number of milliseconds"
                ));
            }
            text.map(Value::String)
        }
        Kind::Durations => {
            let list = value.as_array()?.iter();
            let texts: Option<Vec<Value>> = list
                .map(|nanos| nanos.as_i64().and_then(duration).map(Value::String))
                .collect();
            if texts.is_none() {
                left_out.push(format!(
                    "{at}: {value} ns are no whole numbers of milliseconds"
                ));
            }
            texts.map(Value::Array)
        }
        _ if SIZES.contains(&field.name) => value.as_u64().map(size).map(Value::String),
        _ => Some(value.clone()),
    }
}

/// Nanoseconds as options write them; `None`: no option says it.
fn duration(nanos: i64) -> Option<String> {
    const UNITS: [(&str, i64); 5] = [
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1000),
        ("ms", 1),
    ];
    if nanos <= 0 || nanos % MILLISECOND != 0 {
        return None;
    }
    let millis = nanos / MILLISECOND;
    let (unit, factor) = UNITS.iter().find(|(_, factor)| millis % factor == 0)?;
    Some(format!("{}{unit}", millis / factor))
}

/// Bytes as options write them, in the largest unit that divides them.
fn size(bytes: u64) -> String {
    const UNITS: [(&str, u32); 4] = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
    let unit = UNITS
        .iter()
        .find(|(_, bits)| bytes > 0 && bytes.trailing_zeros() >= *bits);
    match unit {
        Some((unit, bits)) => format!("{}{unit}", bytes >> bits),
        None => bytes.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use cim_spec::duration::Duration;
    use serde_json::json;

    use super::*;

    /// Numbers of every magnitude, the same ones each time.
    fn numbers() -> impl Iterator<Item = u64> {
        let mut state = 1_u64;
        (0..20_000).map(move |index| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> (1 + index % 62)).max(1)
        })
    }

    #[test]
    fn what_is_written_is_read_back_by_the_options_own_parsers() {
        for number in numbers() {
            assert_eq!(cim_spec::size::parse(&size(number)), Ok(number));
            let nanos = i64::try_from(number).unwrap() / MILLISECOND * MILLISECOND;
            let read = duration(nanos).map(|text| Duration::parse(&text).unwrap().as_millis());
            let millis = u64::try_from(nanos / MILLISECOND).unwrap();
            assert_eq!(read, (millis > 0).then_some(millis), "{nanos}");
        }
        assert_eq!(duration(1_500_000), None);
        assert_eq!(size(10 << 30), "10GiB");
    }

    #[test]
    fn options_are_nix() {
        let tree = |value: Value| value.as_object().cloned().unwrap();
        let imported = vec![
            (
                Asset::Stream("A b".to_owned()),
                tree(
                    json!({"name": "A b", "subjects": ["a.>"], "max_age": 2_592_000_000_000_000_i64, "max_bytes": 10_737_418_240_i64,
                    "sources": [{"name": "B", "opt_start_seq": 3}], "metadata": {"in": "a \"b\" ${c}"}}),
                ),
            ),
            (
                Asset::Consumer {
                    stream: "A b".to_owned(),
                    name: "w".to_owned(),
                },
                tree(
                    json!({"durable_name": "w", "ack_policy": "explicit", "backoff": [500_000_000], "max_ack_pending": -1, "max_expires": 1}),
                ),
            ),
            (
                Asset::KeyValue("x".to_owned()),
                tree(json!({"bucket": "x", "history": 5})),
            ),
        ];
        let nix = nix(&imported);
        assert_eq!(
            nix.text,
            "{\n  kv = {\n    x = {\n      history = 5;\n    };\n  };\n  streams = {\n    \"A b\" = {\n      consumers = {\n        w = {\n          ackPolicy = \"explicit\";\n          backoff = [\n            \"500ms\"\n          ];\n          maxAckPending = (-1);\n        };\n      };\n      maxAge = \"30d\";\n      maxBytes = \"10GiB\";\n      metadata = {\n        \"in\" = \"a \\\"b\\\" \\${c}\";\n      };\n      sources = [\n        {\n          name = \"B\";\n          optStartSeq = 3;\n        }\n      ];\n      subjects = [\n        \"a.>\"\n      ];\n    };\n  };\n}\n"
        );
        assert_eq!(
            nix.left_out,
            ["consumers/A b/w.max_expires: 1 ns is no whole number of milliseconds"]
        );
    }

    #[test]
    fn what_is_copied_from_elsewhere_names_its_leaf_or_hub_or_is_left_out() {
        let tree = |value: Value| value.as_object().cloned().unwrap();
        let source = |domain: &str, deliver: &str| json!({"name": "E", "external": {"api": format!("$JS.{domain}.API"), "deliver": deliver}});
        let stream = |name: &str, config: Value| (Asset::Stream(name.to_owned()), tree(config));
        let bucket = json!({"bucket": "b", "mirror": {"name": "settings"}});
        let consumer = Asset::Consumer {
            stream: "UNKNOWN".to_owned(),
            name: "w".to_owned(),
        };
        let nix = nix(&[
            stream(
                "A",
                json!({"sources": [source("edge", "$CIM.toHub.plant-7")]}),
            ),
            stream("B", json!({"mirror": source("hub", "$CIM.toLeaf.plant-7")})),
            stream("UNKNOWN", json!({"mirror": source("edge", "")})),
            (Asset::KeyValue("b".to_owned()), tree(bucket)),
            (consumer, tree(json!({"durable_name": "w"}))),
        ]);
        let text: String = nix.text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(
            text,
            "{ kv = { b = { mirror = { name = \"settings\"; }; }; }; streams = { \
             A = { sources = [ { leaf = \"plant-7\"; name = \"E\"; } ]; }; \
             B = { mirror = { hub = \"hub\"; name = \"E\"; }; }; }; }"
        );
        assert_eq!(
            nix.left_out,
            [
                "streams/UNKNOWN: copies E by $JS.edge.API: only the fleet knows whose that is; declare it by hand, with the leaf or hub that has it (leaf = \"…\" or hub = \"…\")",
                "consumers/UNKNOWN/w: UNKNOWN is left out"
            ]
        );
    }
}
