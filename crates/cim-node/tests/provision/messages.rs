//! `refusals/<case>/`: this mistake, or this change of what is there, earns this message.
//!
//! `case.json` has `before` (assets that are made first), `store` (messages to publish, by subject), `declared` (the
//! files; a text is the file's whole content, `null` a folder in its place), `run` (`apply`, or another command) and
//! `args`; `message.txt` is the exit code and what it says, with `<id>` for plan ids.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use regex::Regex;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::{Said, Site, one, put};

/// The issue wants at least so many that name the option, the asset and the messages at stake.
const AT_STAKE: usize = 40;

/// Refusals of what is on the server, where no message is at stake.
const NOTHING_AT_STAKE: [&str; 5] = [
    "migrate-not-declared",
    "migrate-nothing-to-migrate",
    "migration-of-somebody-else",
    "migration-under-way",
    "server-subjects-overlap",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    #[serde(default)]
    before: BTreeMap<String, Value>,
    #[serde(default)]
    store: BTreeMap<String, usize>,
    declared: BTreeMap<String, Value>,
    #[serde(default = "apply")]
    run: String,
    #[serde(default)]
    args: Vec<String>,
}

fn apply() -> String {
    "apply".to_owned()
}

#[tokio::test]
async fn every_refusal_says_where_what_and_what_to_write() -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/provision/refusals");
    let cases = cim_testkit::cases(&folder)?;
    let site = one()?;
    let mut complaints = Vec::new();
    let mut at_stake = 0;
    for case in cases {
        let name = case
            .file_name()
            .context("a folder has a name")?
            .to_string_lossy()
            .into_owned();
        let path = case.join("message.txt");
        let case: Case = serde_json::from_str(&fs::read_to_string(case.join("case.json"))?)?;
        let said = run(&site, &case).await.with_context(|| name.clone())?;
        if !case.before.is_empty() && !NOTHING_AT_STAKE.contains(&name.as_str()) {
            at_stake += usize::from(names_all(&site, &case).with_context(|| name.clone())?);
        }
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            put(&path, &said)?;
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        if said != expected {
            complaints.push(format!("{name}: expected\n{expected}but it said\n{said}"));
        }
    }
    ensure!(at_stake >= AT_STAKE, "only {at_stake} cases");
    assert!(
        complaints.is_empty(),
        "{}\nIf that is meant: UPDATE_GOLDEN=1 cargo test -p cim-node --test provision",
        complaints.join("\n")
    );
    Ok(())
}

async fn run(site: &Site, case: &Case) -> Result<String> {
    clean(site).await?;
    if !case.before.is_empty() {
        write(site, &case.before)?;
        site.applied()?;
    }
    for (subject, count) in &case.store {
        site.publish(&[subject.as_str()], *count).await?;
    }
    fs::remove_dir_all(site.folder())?;
    fs::create_dir_all(site.folder())?;
    write(site, &case.declared)?;
    let said = said(site, case)?;
    Ok(masked(&format!(
        "exit {}\n{}{}",
        said.code, said.err, said.out
    )))
}

fn said(site: &Site, case: &Case) -> Result<Said> {
    let args: Vec<_> = case.args.iter().map(String::as_str).collect();
    site.run(&case.run, &args)
}

/// Runs it again as a host does, where options declare the assets: each refusal names the option, or the asset if nobody
/// declares it, and how many messages are at stake. Whether it was refused at all.
fn names_all(site: &Site, case: &Case) -> Result<bool> {
    let declared = case.declared.keys().filter(|name| name.contains('/'));
    let options: BTreeMap<_, _> = declared.map(|asset| (asset, option(asset))).collect();
    let mut sidecar = case.declared.get("provision").cloned().unwrap_or(json!({}));
    sidecar["options"] = json!(options);
    write(site, &BTreeMap::from([("provision".to_owned(), sidecar)]))?;
    let said = said(site, case)?;
    let all = [said.out, said.err].concat();
    let errors: Vec<_> = all
        .lines()
        .filter_map(|line| line.strip_prefix("error: "))
        .collect();
    let messages = Regex::new(r"\b\d+ (of its \d+ )?messages\b")?;
    for error in &errors {
        ensure!(
            messages.is_match(error),
            "no number of messages in {error:?}"
        );
        let of = |(asset, option): (&&String, &String)| {
            let name = asset.rsplit('/').next().unwrap_or_default();
            error.contains(option.as_str()) && error.contains(name)
        };
        let undeclared = case
            .before
            .keys()
            .any(|asset| !options.contains_key(asset) && error.starts_with(&format!("{asset}: ")));
        ensure!(
            undeclared || options.iter().any(of),
            "no option in {error:?}"
        );
    }
    Ok(!errors.is_empty())
}

/// The option that declares an asset.
fn option(asset: &str) -> String {
    let path = match asset.split('/').collect::<Vec<_>>()[..] {
        ["consumers", stream, name] => format!("streams.{stream}.consumers.{name}"),
        ["object-stores", name] => format!("objectStores.{name}"),
        _ => asset.replace('/', "."),
    };
    format!("services.cim.fleet.accounts.APP.{path}")
}

fn write(site: &Site, assets: &BTreeMap<String, Value>) -> Result<()> {
    for (name, content) in assets {
        let file = match name
            .rsplit_once('/')
            .map_or(name.as_str(), |(_, file)| file)
        {
            file if file.contains('.') => site.folder().join(name),
            _ => site.folder().join(format!("{name}.json")),
        };
        match content {
            Value::String(text) => put(&file, text)?,
            Value::Null => fs::create_dir_all(&file)?,
            content => put(&file, &content.to_string())?,
        }
    }
    Ok(())
}

async fn clean(site: &Site) -> Result<()> {
    let api = site.api().await?;
    let streams = api.names("STREAM.NAMES", "streams").await;
    for name in streams.map_err(|failure| anyhow::anyhow!("{failure}"))? {
        let removed = api
            .once(&format!("STREAM.DELETE.{name}"), &Value::Null)
            .await;
        ensure!(removed.is_ok(), "{removed:?}");
    }
    if site.folder().exists() {
        fs::remove_dir_all(site.folder())?;
    }
    fs::create_dir_all(site.folder())?;
    put(
        &site.folder().join("nats.conf"),
        &json!("somebody else's").to_string(),
    )
}

/// Words of 12 hexadecimal digits are plan ids.
fn masked(text: &str) -> String {
    let is_id = |word: &str| word.len() == 12 && word.chars().all(|c| c.is_ascii_hexdigit());
    let mut out = String::new();
    let mut word = String::new();
    for c in text.chars().chain(['\0']) {
        if c.is_ascii_alphanumeric() {
            word.push(c);
            continue;
        }
        out.push_str(if is_id(&word) { "<id>" } else { &word });
        word.clear();
        if c != '\0' {
            out.push(c);
        }
    }
    out
}
