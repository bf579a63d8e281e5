//! Turns `fields/*.json`, `assets/*.json`, `src/reload.json` and `advisories.json`, which Nix reads too, into the constant
//! tables of `field.rs`, `asset.rs`, `reload.rs` and `lint/advisories.rs`.

#[path = "build/assets.rs"]
mod assets;

use std::error::Error;
use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

use serde::Deserialize;

/// One file of rows: the fields of one block.
#[derive(Deserialize)]
struct Table {
    fields: Vec<Row>,
}

/// One row, as far as Rust needs it; the rest is documentation.
#[derive(Deserialize)]
struct Row {
    option: String,
    key: String,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    min: Option<i64>,
    #[serde(default)]
    max: Option<i64>,
    #[serde(default)]
    values: Vec<String>,
    #[serde(default, rename = "kind")]
    letter: String,
    #[serde(default)]
    since: Option<String>,
    #[serde(default)]
    hot: Option<String>,
    #[serde(default)]
    roles: Vec<String>,
    #[serde(default, rename = "in")]
    connections: Vec<String>,
}

/// `src/reload.json`: what is hot of the fields that do more than pass through.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reload {
    hub: Vec<HotRow>,
    hub_in_operator_mode: Vec<HotRow>,
    leaf: Vec<HotRow>,
}

#[derive(Deserialize)]
struct HotRow {
    path: String,
    since: String,
}

/// One entry of `advisories.json`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advisory {
    id: String,
    #[serde(default)]
    fixed: Vec<String>,
    #[serde(default)]
    versions: Vec<String>,
    when: String,
    what: String,
    #[serde(default)]
    help: String,
    url: String,
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=fields");
    println!("cargo:rerun-if-changed=advisories.json");
    println!("cargo:rerun-if-changed=src/reload.json");
    let out = env::var("OUT_DIR")?;
    fs::write(Path::new(&out).join("fields.rs"), fields()?)?;
    fs::write(Path::new(&out).join("advisories.rs"), advisories()?)?;
    fs::write(Path::new(&out).join("reload.rs"), reload()?)?;
    assets::write(Path::new(&out))
}

fn advisories() -> Result<String, Box<dyn Error>> {
    let list: Vec<Advisory> = serde_json::from_str(&fs::read_to_string("advisories.json")?)?;
    let mut out = String::from("/// All of them.\npub const ADVISORIES: &[Advisory] = &[\n");
    for entry in &list {
        // `no-auth-user` is `NoAuthUser`; the compiler knows which there are.
        let when = entry.when.split('-').map(|word| {
            let (first, rest) = word.split_at(1);
            format!("{}{rest}", first.to_uppercase())
        });
        writeln!(
            out,
            "    Advisory {{ id: {:?}, fixed: {}, versions: {}, when: When::{}, what: {:?}, help: {:?}, url: {:?} }},",
            entry.id,
            versions(&entry.fixed)?,
            versions(&entry.versions)?,
            when.collect::<String>(),
            entry.what,
            entry.help,
            entry.url,
        )?;
    }
    out.push_str("];\n");
    Ok(out)
}

fn versions(list: &[String]) -> Result<String, String> {
    let mut out = String::from("&[");
    for text in list {
        let version = version(text).ok_or_else(|| format!("{text:?} is no version"))?;
        out.push_str(&format!("Version{version:?}, "));
    }
    Ok(out + "]")
}

fn fields() -> Result<String, Box<dyn Error>> {
    let mut out = String::new();
    for block in [
        "server",
        "cluster",
        "leafnodes",
        "link",
        "remote",
        "websocket",
        "mqtt",
        "gateway",
        "tls",
        "account",
        "user",
    ] {
        let path = Path::new("fields").join(format!("{block}.json"));
        let table: Table = serde_json::from_str(&fs::read_to_string(&path)?)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        writeln!(out, "const {}: &[Field] = &[", block.to_uppercase())?;
        for row in &table.fields {
            let field = field(row)
                .map_err(|error| format!("{}: {}: {error}", path.display(), row.option))?;
            writeln!(out, "    {field},")?;
        }
        writeln!(out, "];")?;
    }
    Ok(out)
}

/// The rows of `src/reload.json` as Rust constants.
fn reload() -> Result<String, Box<dyn Error>> {
    let table: Reload = serde_json::from_str(&fs::read_to_string("src/reload.json")?)?;
    let mut out = String::new();
    for (name, rows) in [
        ("HUB", &table.hub),
        ("HUB_IN_OPERATOR_MODE", &table.hub_in_operator_mode),
        ("LEAF", &table.leaf),
    ] {
        writeln!(out, "const {name}: &[Row] = &[")?;
        for row in rows {
            let since = version(&row.since)
                .ok_or_else(|| format!("src/reload.json: {}: since is no version", row.path))?;
            let path: Vec<&str> = row.path.split('.').collect();
            writeln!(
                out,
                "    Row {{ path: &{path:?}, since: Version{since:?} }},"
            )?;
        }
        writeln!(out, "];")?;
    }
    Ok(out)
}

/// The row as a Rust constant.
fn field(row: &Row) -> Result<String, Box<dyn Error>> {
    let mut path: Vec<&str> = row.key.split('.').collect();
    let last = path.pop().ok_or("no key")?;
    let names = [&[last.to_owned()], row.aliases.as_slice()]
        .concat()
        .join("|");
    path.push(&names);
    let since = match &row.since {
        None => (0, 0, 0),
        Some(text) => version(text).ok_or("since is no version")?,
    };
    let hot = match &row.hot {
        None => "None".to_owned(),
        Some(text) => format!(
            "Some(Version{:?})",
            version(text).ok_or("hot is no version")?
        ),
    };
    Ok(format!(
        "Field {{ option: {:?}, path: &{path:?}, kind: {}, since: Version{since:?}, hot: {hot}, roles: &{:?}, connections: &{:?} }}",
        row.option,
        kind(row)?,
        row.roles,
        row.connections,
    ))
}

fn kind(row: &Row) -> Result<String, String> {
    Ok(match row.kind.as_str() {
        "bool" => "Kind::Bool".to_owned(),
        "int" => format!(
            "Kind::Int({}, {})",
            row.min.unwrap_or(i64::MIN),
            row.max.unwrap_or(i64::MAX)
        ),
        "size" => "Kind::Size".to_owned(),
        "duration" => "Kind::Duration".to_owned(),
        "text" => "Kind::Text".to_owned(),
        "version" => "Kind::Version".to_owned(),
        "texts" => "Kind::Texts".to_owned(),
        "subject" => "Kind::Subject".to_owned(),
        "subjects" => "Kind::Subjects".to_owned(),
        "enum" => format!("Kind::Enum(&{:?})", row.values),
        "enums" => format!("Kind::Enums(&{:?})", row.values),
        "textMap" => "Kind::TextMap".to_owned(),
        "boolMap" => "Kind::BoolMap".to_owned(),
        "port" => "Kind::Int(1, 65535)".to_owned(),
        "file" => "Kind::File".to_owned(),
        "nkey" => format!(
            "Kind::Nkey({:?})",
            row.letter.chars().next().ok_or("no kind of nkey")?
        ),
        other => return Err(format!("{other:?} is no type")),
    })
}

fn version(text: &str) -> Option<(u32, u32, u32)> {
    let mut numbers = text.split('.').map(str::parse);
    match (numbers.next(), numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor)), Some(Ok(patch))) => Some((major, minor, patch)),
        _ => None,
    }
}
