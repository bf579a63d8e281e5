//! Turns `assets/*.json`, which Nix reads too, into the types of JetStream assets, their tables, and the rows of their
//! options.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use serde::Deserialize;

/// The first nats-server that has JetStream as we know it.
const FIRST: &str = "2.9.0";

/// One file: a type with its fields.
#[derive(Deserialize)]
struct Table {
    #[serde(rename = "type")]
    name: String,
    description: String,
    fields: Vec<Row>,
}

/// One row, as far as Rust needs it.
#[derive(Deserialize)]
struct Row {
    /// Absent: no option is straight behind it.
    #[serde(default)]
    option: Option<String>,
    key: String,
    #[serde(rename = "type")]
    kind: String,
    /// Of a part: the file with its fields.
    #[serde(default)]
    of: Option<String>,
    /// Of numbers: `limit`, `positive` or `number`.
    #[serde(default)]
    is: Option<String>,
    /// Of numbers: the type in Rust, where it is not `i64`.
    #[serde(default)]
    rust: Option<String>,
    #[serde(default)]
    values: Vec<String>,
    #[serde(default)]
    min: Option<i64>,
    #[serde(default)]
    max: Option<i64>,
    #[serde(default)]
    default: Option<String>,
    description: String,
    #[serde(default)]
    since: Option<String>,
    #[serde(default)]
    change: Option<Change>,
}

/// `"in-place"`, `"name"`, or one word with its reason; absent: as the whole that it is a part of.
#[derive(Deserialize)]
#[serde(untagged)]
enum Change {
    Word(String),
    Why(BTreeMap<String, String>),
}

/// All files, by their names.
pub struct Tables(BTreeMap<String, Table>);

impl Tables {
    /// Reads `assets/`.
    pub fn read() -> Result<Self, Box<dyn Error>> {
        let mut tables = BTreeMap::new();
        for entry in fs::read_dir("assets")? {
            let path = entry?.path();
            let name = path.file_stem().ok_or("a file has a name")?;
            let table = serde_json::from_str(&fs::read_to_string(&path)?)
                .map_err(|error| format!("{}: {error}", path.display()))?;
            tables.insert(name.to_string_lossy().into_owned(), table);
        }
        Ok(Self(tables))
    }

    fn table(&self, name: &str) -> Result<&Table, Box<dyn Error>> {
        let table = self.0.get(name);
        table.ok_or_else(|| format!("there is no assets/{name}.json").into())
    }

    /// The types and their tables, as `asset/field.rs` makes them.
    pub fn types(&self) -> Result<String, Box<dyn Error>> {
        let mut out = String::new();
        for table in self.0.values() {
            writeln!(out, "fields! {{")?;
            writeln!(out, "    #[doc = {:?}]", table.description)?;
            writeln!(out, "    {} {{", table.name)?;
            for row in &table.fields {
                let described = self
                    .described(row)
                    .map_err(|error| format!("{}: {}: {error}", table.name, row.key))?;
                writeln!(out, "        {described};")?;
            }
            writeln!(out, "    }}\n}}")?;
        }
        Ok(out)
    }

    /// One line of `fields!`.
    fn described(&self, row: &Row) -> Result<String, Box<dyn Error>> {
        let mut doc = row.description.replace("{option}", "");
        if let Some(default) = &row.default {
            write!(doc, " Absent: {default}.")?;
        }
        let part = || -> Result<&str, Box<dyn Error>> {
            Ok(&self
                .table(row.of.as_deref().ok_or("a part is of something")?)?
                .name)
        };
        let (rust, kind) = match row.kind.as_str() {
            "text" | "subject" => ("String".to_owned(), "Kind::Text".to_owned()),
            "texts" | "subjects" => ("Vec<String>".to_owned(), "Kind::Texts".to_owned()),
            "list" => ("Vec<String>".to_owned(), "Kind::List".to_owned()),
            "bool" => ("bool".to_owned(), "Kind::Flag".to_owned()),
            "int" | "size" => {
                let kind = match row.is.as_deref() {
                    Some("limit") => "Kind::Limit",
                    Some("positive") => "Kind::Positive",
                    Some("number") => "Kind::Number",
                    _ => return Err("`is` says what numbers mean none".into()),
                };
                (
                    row.rust.clone().unwrap_or("i64".to_owned()),
                    kind.to_owned(),
                )
            }
            "duration" => ("Nanoseconds".to_owned(), "Kind::Duration".to_owned()),
            "durations" => ("Vec<Nanoseconds>".to_owned(), "Kind::Durations".to_owned()),
            "time" => ("String".to_owned(), "Kind::Time".to_owned()),
            "enum" => {
                let name = capitalised(&row.key);
                let kind = format!("Kind::Choice({name}::WORDS)");
                (name, kind)
            }
            "textMap" => ("Labels".to_owned(), "Kind::Labels".to_owned()),
            "part" => (
                part()?.to_owned(),
                format!("Kind::Part({}::FIELDS)", part()?),
            ),
            "parts" => (
                format!("Vec<{}>", part()?),
                format!("Kind::Parts({}::FIELDS)", part()?),
            ),
            "transforms" => (
                format!("Vec<{}>", part()?),
                format!("Kind::PartList({}::FIELDS)", part()?),
            ),
            other => return Err(format!("{other:?} is no type").into()),
        };
        Ok(format!(
            "#[doc = {doc:?}] {}: {rust}, {kind}, Version{:?}, {}",
            row.key,
            since(row)?,
            change(row)?
        ))
    }

    /// The options of a type, with those of its parts under their names, as rows of `field.rs`.
    pub fn options(&self, name: &str) -> Result<String, Box<dyn Error>> {
        let mut out = String::new();
        for row in &self.table(name)?.fields {
            let Some(option) = &row.option else { continue };
            if row.kind != "part" {
                writeln!(
                    out,
                    "    {},",
                    field(row, option, &[&row.key], since(row)?)?
                )?;
                continue;
            }
            for inner in &self.table(row.of.as_deref().unwrap_or_default())?.fields {
                let Some(name) = &inner.option else { continue };
                let since = since(row)?.max(since(inner)?);
                let path = [row.key.as_str(), &inner.key];
                writeln!(
                    out,
                    "    {},",
                    field(inner, &format!("{option}.{name}"), &path, since)?
                )?;
            }
        }
        Ok(out)
    }
}

/// The row of one option.
fn field(
    row: &Row,
    option: &str,
    path: &[&str],
    since: (u32, u32, u32),
) -> Result<String, Box<dyn Error>> {
    let kind = match row.kind.as_str() {
        "text" => "Text".to_owned(),
        "subject" => "Subject".to_owned(),
        "subjects" => "Subjects".to_owned(),
        "texts" | "list" => "Texts".to_owned(),
        "bool" => "Bool".to_owned(),
        "int" => format!(
            "Int({}, {})",
            row.min.unwrap_or(0),
            row.max.unwrap_or(i64::MAX)
        ),
        "size" => "Size".to_owned(),
        "duration" => "Nanoseconds".to_owned(),
        "durations" => "NanosecondsList".to_owned(),
        "time" => "Time".to_owned(),
        "enum" => format!("Enum(&{:?})", row.values),
        "textMap" => "Labels".to_owned(),
        "transforms" => "Transforms".to_owned(),
        other => return Err(format!("{option}: {other:?} is no type of an option").into()),
    };
    Ok(format!(
        "Field {{ option: {option:?}, path: &{path:?}, kind: Kind::{kind}, since: Version{since:?}, hot: None, roles: &[], connections: &[] }}"
    ))
}

fn since(row: &Row) -> Result<(u32, u32, u32), String> {
    let text = row.since.as_deref().unwrap_or(FIRST);
    super::version(text).ok_or_else(|| format!("{text:?} is no version"))
}

fn change(row: &Row) -> Result<String, String> {
    let (word, why) = match &row.change {
        None => return Ok("Change::Part".to_owned()),
        Some(Change::Word(word)) => (word.as_str(), ""),
        Some(Change::Why(map)) => {
            let mut entries = map.iter();
            match (entries.next(), entries.next()) {
                (Some((word, why)), None) => (word.as_str(), why.as_str()),
                _ => return Err("change has one word".to_owned()),
            }
        }
    };
    Ok(match word {
        "in-place" => "Change::InPlace".to_owned(),
        "name" => "Change::Name".to_owned(),
        "lossy" => format!("Change::Lossy({why:?})"),
        "impossible" => format!("Change::Impossible({why:?})"),
        "depends" => format!("Change::Depends({why:?})"),
        "as" => format!("Change::Stream({why:?})"),
        other => return Err(format!("{other:?} is no change")),
    })
}

/// `deliver_policy` is `DeliverPolicy`.
fn capitalised(key: &str) -> String {
    let words = key.split('_').map(|word| {
        let (first, rest) = word.split_at(1);
        format!("{}{rest}", first.to_uppercase())
    });
    words.collect()
}

/// Writes what Rust includes.
pub fn write(out: &Path) -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=assets");
    println!("cargo:rerun-if-changed=build");
    let tables = Tables::read()?;
    fs::write(out.join("assets.rs"), tables.types()?)?;
    let mut options = String::new();
    for name in ["stream", "consumer", "kv", "object-store", "source"] {
        let constant = name.to_uppercase().replace('-', "_");
        writeln!(
            options,
            "const {constant}: &[Field] = &[\n{}];",
            tables.options(name)?
        )?;
    }
    fs::write(out.join("asset-options.rs"), options)?;
    Ok(())
}
