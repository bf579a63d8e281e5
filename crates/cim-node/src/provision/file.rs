//! One file: read, held against its type, and mistakes in it put in words.

use std::fs;
use std::path::Path;

use cim_spec::asset::{CONSENT_LABEL, Field, Kind, MAX_HISTORY, Provision};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::error::Category;

use super::asset::Asset;
use super::tree::{Tree, number, text};

/// What is wrong in a file, and what to write.
#[derive(Debug)]
pub struct Mistake {
    /// What is there.
    pub what: String,
    /// What would be right.
    pub help: String,
}

impl Mistake {
    fn new(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            help: help.into(),
        }
    }
}

/// Names that people write, and what upstream calls them.
const MEANT: [(&str, &str); 12] = [
    ("replicas", "num_replicas"),
    ("rate_limit", "rate_limit_bps"),
    ("subject", "subjects"),
    ("max_messages", "max_msgs"),
    ("ttl", "max_age"),
    ("max_msgs_per", "max_msgs_per_subject"),
    ("dedupe_window", "duplicate_window"),
    ("allow_rollup", "allow_rollup_hdrs"),
    ("heartbeat", "idle_heartbeat"),
    ("durable", "durable_name"),
    ("filter", "filter_subject"),
    ("max_value_bytes", "max_value_size"),
];

/// Reads a file of an asset.
///
/// # Errors
/// What is wrong with it.
pub fn read<T: DeserializeOwned + Serialize>(
    path: &Path,
    fields: &[Field],
) -> Result<(T, Tree), Mistake> {
    let bytes = bytes(path)?;
    let is_object = bytes.trim_ascii_start().starts_with(b"{");
    // Nearly every file is right; of one that is not, what is wrong is found in steps.
    if let (true, Ok(read)) = (is_object, serde_json::from_slice(&bytes)) {
        return tree(&read).map(|tree| (read, tree));
    }
    let value = json(&bytes)?;
    let Value::Object(said) = &value else {
        return Err(Mistake::new(
            "is not a JSON object",
            "write one asset as { \"name\": … }",
        ));
    };
    known(fields, said, "")?;
    let read: Result<T, _> = serde_path_to_error::deserialize(&value);
    match read {
        Ok(read) => Ok((tree(&read).map(|tree| (read, tree)))?),
        Err(error) => {
            let at = error.path().to_string();
            let what = match at_path(&value, &at) {
                _ if error.inner().to_string().starts_with("invalid value") => {
                    format!(
                        "{at}: {} is beyond what nats-server counts",
                        shown(&value, &at)
                    )
                }
                Some(_) => format!("{at}: {} is {}", shown(&value, &at), not(fields, &at)),
                None => format!("{at}: {}", error.inner()),
            };
            Err(Mistake::new(what, help(fields, &at)))
        }
    }
}

fn shown(value: &Value, at: &str) -> String {
    at_path(value, at).map(Value::to_string).unwrap_or_default()
}

/// The value at a path as `sources[0].name`.
fn at_path<'a>(value: &'a Value, at: &str) -> Option<&'a Value> {
    at.split(['.', '['])
        .try_fold(value, |value, part| match part.strip_suffix(']') {
            Some(index) => value.get(index.parse::<usize>().ok()?),
            None => value.get(part),
        })
}

/// Reads `provision.json`.
///
/// # Errors
/// What is wrong with it.
pub fn sidecar(path: &Path) -> Result<Provision, Mistake> {
    let value = json(&bytes(path)?)?;
    serde_path_to_error::deserialize(&value).map_err(|error| {
        Mistake::new(
            format!("{}: {}", error.path(), error.inner()),
            "write {\"allowDataLoss\": {\"streams/EVENTS\": \"<plan id>\"}, \"options\": {}}",
        )
    })
}

/// A value as a tree, without what is absent.
///
/// # Errors
/// A type of ours that is no object.
pub fn tree(value: &impl Serialize) -> Result<Tree, Mistake> {
    match serde_json::to_value(value) {
        Ok(Value::Object(tree)) => Ok(tree),
        other => Err(Mistake::new(
            format!("is no object: {other:?}"),
            "report this",
        )),
    }
}

fn bytes(path: &Path) -> Result<Vec<u8>, Mistake> {
    fs::read(path)
        .map_err(|error| Mistake::new(format!("{error}"), "make it a file that this user may read"))
}

fn json(bytes: &[u8]) -> Result<Value, Mistake> {
    serde_json::from_slice(bytes).map_err(|error| {
        let what = match error.classify() {
            Category::Eof => format!("ends in the middle, at line {}", error.line()),
            _ => format!("is not JSON: {error}"),
        };
        Mistake::new(what, "write the whole file again")
    })
}

/// Every key is a field, in parts too.
fn known(fields: &[Field], tree: &Tree, at: &str) -> Result<(), Mistake> {
    for (name, value) in tree {
        let Some(field) = fields.iter().find(|field| field.name == name.as_str()) else {
            let help = match meant(fields, name) {
                Some(meant) => format!("write {meant:?}"),
                None => format!("remove it; the fields are {}", names(fields)),
            };
            return Err(Mistake::new(format!("{at}{name} is not a field"), help));
        };
        let parts = match (field.kind, value) {
            (Kind::Part(fields), value) => Some((fields, std::slice::from_ref(value))),
            (Kind::Parts(fields) | Kind::PartList(fields), Value::Array(list)) => {
                Some((fields, list.as_slice()))
            }
            _ => None,
        };
        let Some((fields, parts)) = parts else {
            continue;
        };
        for part in parts.iter().filter_map(Value::as_object) {
            known(fields, part, &format!("{at}{name}."))?;
        }
    }
    Ok(())
}

fn names(fields: &[Field]) -> String {
    let names: Vec<_> = fields.iter().map(|field| field.name).collect();
    names.join(", ")
}

/// What somebody meant by a name that is no field.
fn meant(fields: &[Field], name: &str) -> Option<&'static str> {
    let lower = name.to_lowercase();
    let plain = |text: &str| text.replace('_', "");
    let table = MEANT
        .iter()
        .filter(|(said, _)| *said == lower)
        .map(|(_, meant)| *meant);
    let like = fields
        .iter()
        .map(|field| field.name)
        .filter(|field| plain(field) == plain(&lower));
    table
        .chain(like)
        .find(|meant| fields.iter().any(|field| field.name == *meant))
}

/// What stands at a path.
fn kind(fields: &[Field], at: &str) -> Option<Kind> {
    let mut fields = fields;
    let mut kind = None;
    for part in at.split('.') {
        let name = part.split('[').next().unwrap_or(part);
        let Some(field) = fields.iter().find(|field| field.name == name) else {
            break;
        };
        kind = Some(field.kind);
        if let Kind::Part(inner) | Kind::Parts(inner) | Kind::PartList(inner) = field.kind {
            fields = inner;
        }
    }
    kind
}

/// What a value of the wrong type is not.
fn not(fields: &[Field], at: &str) -> &'static str {
    match kind(fields, at) {
        Some(Kind::Duration | Kind::Durations) => "not a number of nanoseconds",
        Some(Kind::Number | Kind::Limit | Kind::Positive) => "not a whole number",
        Some(Kind::Flag) => "neither true nor false",
        Some(Kind::Choice(_)) => "none of its words",
        Some(Kind::Text | Kind::Time) => "not a text",
        Some(Kind::Texts | Kind::List) => "not a list of texts",
        Some(Kind::Part(_)) => "not an object",
        Some(Kind::Parts(_) | Kind::PartList(_)) => "not a list of objects",
        Some(Kind::Labels) | None => "not a text in quotes",
    }
}

/// What to write where a value has the wrong type.
fn help(fields: &[Field], at: &str) -> String {
    match kind(fields, at) {
        Some(Kind::Duration | Kind::Durations) => {
            "write whole nanoseconds: 30 s is 30000000000".to_owned()
        }
        Some(Kind::Number | Kind::Limit | Kind::Positive) => {
            "write a whole number, sizes in bytes: 1 MiB is 1048576".to_owned()
        }
        Some(Kind::Flag) => "write true or false".to_owned(),
        Some(Kind::Choice(words)) => format!("write one of {}", words.join(", ")),
        Some(Kind::Text) => "write one text in quotes".to_owned(),
        Some(Kind::Time) => "write a moment such as \"2030-01-01T00:00:00Z\"".to_owned(),
        Some(Kind::Texts | Kind::List) => {
            "write a list of texts, such as [\"a\", \"b\"]".to_owned()
        }
        Some(Kind::Part(fields)) => format!("write an object with {}", names(fields)),
        Some(Kind::Parts(fields) | Kind::PartList(fields)) => {
            format!("write a list of objects with {}", names(fields))
        }
        Some(Kind::Labels) => "write an object whose values are texts".to_owned(),
        None => "see upstream's field of this name".to_owned(),
    }
}

/// What the type allows and still is wrong.
pub fn rules(asset: &Asset, said: &Tree) -> Vec<Mistake> {
    let mut found = Vec::new();
    let labels = said.get("metadata").and_then(Value::as_object);
    for name in labels.into_iter().flat_map(Tree::keys) {
        if name.starts_with("_nats.") {
            found.push(Mistake::new(
                format!("metadata.{name} is nats-server's own"),
                "remove it: the server writes it",
            ));
        }
        if name == CONSENT_LABEL {
            found.push(Mistake::new(
                format!("metadata.{name} is cim-provision's own"),
                "remove it: it notes the consent that was used last",
            ));
        }
    }
    match asset {
        Asset::KeyValue(_) if number(said, "history") > MAX_HISTORY => found.push(Mistake::new(
            format!("history is {}", number(said, "history")),
            format!("a bucket keeps at most {MAX_HISTORY} values of a key"),
        )),
        Asset::Consumer { stream, .. } => {
            let (name, durable) = (text(said, "name"), text(said, "durable_name"));
            if !name.is_empty() && !durable.is_empty() && name != durable {
                found.push(Mistake::new(
                    format!("name is {name:?}, durable_name is {durable:?}"),
                    "leave name out: durable_name is enough",
                ));
            }
            if let Some(problem) = super::asset::name_problem(stream) {
                found.push(Mistake::new(
                    format!("the stream's name {stream:?} {problem}"),
                    "a consumer's file is consumers/<stream>/<consumer>.json",
                ));
            }
        }
        _ => {}
    }
    found
}
