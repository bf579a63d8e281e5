//! Every row of `cim-spec/fields`, each at its place in a golden spec that it fits.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::golden::{golden, like};

/// Where blocks stand, and what single rows need beside them.
const PLACES: &str = include_str!("rows.json");

/// Values by JSON pointer.
type Sets = BTreeMap<String, Value>;

/// One row of the table, ready to be tried.
#[derive(Debug, Clone)]
pub struct Row {
    /// Block, connection and option, with dots between.
    pub name: String,
    /// Whether nats-server takes it over on reload, in every transition.
    pub hot: bool,
    /// Why it counts as cold although nats-server takes it over.
    pub cold: Option<String>,
    /// A spec in which it is not set.
    pub unset: Value,
    /// Its own example.
    pub example: Value,
    /// Another value; `None`: there is none that is easy.
    pub other: Option<Value>,
    at: String,
    option: String,
}

impl Row {
    /// The spec with the row set to a value.
    ///
    /// # Errors
    /// A place without fields.
    pub fn set_to(&self, value: &Value) -> Result<Value> {
        let mut spec = self.unset.clone();
        fields(&mut spec, &self.at)?[&self.option] = value.clone();
        Ok(spec)
    }
}

#[derive(Deserialize)]
struct Places {
    places: BTreeMap<String, Place>,
    with: BTreeMap<String, With>,
    not_yet: BTreeMap<String, String>,
}

/// Where the fields of a block stand.
#[derive(Deserialize, Clone)]
struct Place {
    case: String,
    at: String,
    #[serde(default)]
    sets: Sets,
}

/// What a row needs that others of its block do not.
#[derive(Deserialize, Default, Clone)]
#[serde(deny_unknown_fields)]
struct With {
    /// Another place.
    place: Option<String>,
    /// Other options of the same block.
    #[serde(default)]
    fields: BTreeMap<String, Value>,
    /// Anything else in the spec.
    #[serde(default)]
    sets: Sets,
    /// Another value, where one made of the example would not do.
    #[serde(default)]
    other: Option<Value>,
}

/// Every row, once for each kind of TLS connection that it is for.
///
/// # Errors
/// Files that are not there, and places that do not fit the golden specs.
pub fn rows() -> Result<Vec<Row>> {
    let places: Places = serde_json::from_str(PLACES).context("reading rows.json")?;
    let mut rows = Vec::new();
    let mut known = Vec::new();
    for (block, row) in table()? {
        let option = text(&row, "option")?;
        let connections = row["in"].as_array().cloned().unwrap_or_default();
        let mut places_of_row: Vec<String> = connections
            .iter()
            .filter_map(|connection| Some(format!("{block}.{}", connection.as_str()?)))
            .collect();
        if connections.is_empty() {
            places_of_row.push(block);
        }
        for place in places_of_row {
            let name = format!("{place}.{option}");
            known.push(name.clone());
            if !places.not_yet.contains_key(&name) {
                let row = places.row(&place, &name, &row);
                rows.push(row.with_context(|| name.clone())?);
            }
        }
    }
    for name in places.with.keys().chain(places.not_yet.keys()) {
        ensure!(
            known.contains(name),
            "rows.json names {name}, which is no row"
        );
    }
    Ok(rows)
}

impl Places {
    fn row(&self, place: &str, name: &str, row: &Value) -> Result<Row> {
        let option = text(row, "option")?;
        let with = self.with.get(name).cloned().unwrap_or_default();
        let place = with.place.as_deref().unwrap_or(place);
        let place = self
            .places
            .get(place)
            .with_context(|| format!("no place {place}"))?;
        let mut unset = golden(&place.case)?;
        for (path, value) in place.sets.iter().chain(&with.sets) {
            put(&mut unset, path, value)?;
        }
        for (option, value) in &with.fields {
            fields(&mut unset, &place.at)?[option] = value.clone();
        }
        let example = row["example"].clone();
        ensure!(!example.is_null(), "no example");
        let other = with.other.or_else(|| other(row, &example));
        Ok(Row {
            name: name.to_owned(),
            hot: row["hot"].is_string(),
            cold: row["cold"].as_str().map(str::to_owned),
            unset,
            example,
            other,
            at: place.at.clone(),
            option,
        })
    }
}

/// The rows as they stand in the files, with the name of their block.
fn table() -> Result<Vec<(String, Value)>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cim-spec/fields");
    let entries = fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))?;
    let mut files: Vec<PathBuf> = entries.filter_map(|e| Some(e.ok()?.path())).collect();
    files.sort();
    let mut table = Vec::new();
    for file in files {
        let name = file.file_stem().and_then(|name| name.to_str());
        let block = name.context("a file has a name")?.to_owned();
        let content: Value = serde_json::from_str(&fs::read_to_string(&file)?)
            .with_context(|| format!("reading {}", file.display()))?;
        let rows = content["fields"].as_array().cloned().unwrap_or_default();
        table.extend(rows.into_iter().map(|row| (block.clone(), row)));
    }
    ensure!(table.len() > 100, "only {} rows", table.len());
    Ok(table)
}

/// Another value of the same kind.
fn other(row: &Value, example: &Value) -> Option<Value> {
    let differs = |value: &Value| value != example;
    let of = |values: [Value; 2]| values.into_iter().find(differs);
    match row["type"].as_str()? {
        "bool" => Some(json!(!example.as_bool()?)),
        "int" | "port" => {
            let number = example.as_i64()?;
            let least = row["min"].as_i64().unwrap_or(1);
            Some(json!(if number > least {
                number - 1
            } else {
                number + 1
            }))
        }
        "size" => of([json!("24MiB"), json!("48MiB")]),
        "duration" => of([json!("3s"), json!("4s")]),
        "enum" => row["values"]
            .as_array()?
            .iter()
            .find(|value| differs(value))
            .cloned(),
        "enums" => of([json!([row["values"][0]]), json!([row["values"][1]])]),
        "subjects" => Some(json!(["other.>"])),
        "subject" => Some(json!("other.place")),
        "textMap" => {
            let entries = example.as_object()?.keys();
            Some(entries.map(|name| (name.clone(), json!("other"))).collect())
        }
        _ => None,
    }
}

fn text(row: &Value, name: &str) -> Result<String> {
    let text = row[name].as_str();
    text.map(str::to_owned)
        .with_context(|| format!("a row has no {name}"))
}

fn fields<'a>(spec: &'a mut Value, at: &str) -> Result<&'a mut Value> {
    spec.pointer_mut(at)
        .filter(|fields| fields.is_object())
        .with_context(|| format!("no fields at {at}"))
}

fn put(spec: &mut Value, path: &str, value: &Value) -> Result<()> {
    let value = like(spec, value.clone())?;
    let (parent, name) = path.rsplit_once('/').context("no JSON pointer")?;
    let parent = spec.pointer_mut(parent).and_then(Value::as_object_mut);
    let Some(parent) = parent else {
        bail!("nothing can stand at {path}")
    };
    parent.insert(name.to_owned(), value);
    Ok(())
}
