//! `refusals/<case>/`: this mistake, or this damage, earns this message.
//!
//! `case.json` is a list of steps; what the last `run` says is compared with `message.txt`. In paths and arguments FOLDER,
//! BACKUP (the newest in it), NAME (its name), SERVER and NATS stand for what they are.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use cim_node::backup::folder;
use regex::Regex;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::{Said, Site, asked, one, tool};

/// So many at least.
const AT_LEAST: usize = 35;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "lowercase")]
enum Verb {
    Stream(String),
    Publish(String),
    Delete(String),
    Run(Vec<String>),
    Write(String, String),
    Replace(String, String, String),
    Rename(String, String),
    Folder(String),
    Remove(String),
    Cut(String),
    Append(String),
    Flip(String),
}

#[derive(Deserialize)]
struct Step {
    #[serde(flatten)]
    verb: Verb,
    #[serde(default)]
    fields: Value,
}

#[tokio::test]
async fn every_refusal_says_where_what_and_what_to_do() -> Result<()> {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/backup/refusals");
    let cases = cim_testkit::cases(&cases)?;
    ensure!(cases.len() >= AT_LEAST, "only {} cases", cases.len());
    let site = one()?;
    let mut complaints = Vec::new();
    for case in cases {
        let name = case
            .file_name()
            .context("a folder has a name")?
            .to_string_lossy()
            .into_owned();
        let said = run(&site, &case).await.with_context(|| name.clone())?;
        let path = case.join("message.txt");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&path, &said)?;
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        if said != expected {
            complaints.push(format!("{name}: expected\n{expected}but it said\n{said}"));
        }
    }
    assert!(
        complaints.is_empty(),
        "{}\nIf that is meant: UPDATE_GOLDEN=1 cargo test -p cim-node --test backup",
        complaints.join("\n")
    );
    Ok(())
}

async fn run(site: &Site, case: &Path) -> Result<String> {
    let api = site.api().await?;
    let names = api.names("STREAM.NAMES", "streams").await;
    for name in names.map_err(|failure| anyhow::anyhow!("{failure}"))? {
        asked(&api, &format!("STREAM.DELETE.{name}"), &Value::Null).await?;
    }
    match site.folder() {
        folder if folder.is_dir() => fs::remove_dir_all(folder)?,
        folder if folder.exists() => fs::remove_file(folder)?,
        _ => {}
    }
    let steps: Vec<Step> = serde_json::from_str(&fs::read_to_string(case.join("case.json"))?)?;
    let mut said = None;
    for step in steps {
        if let Some(now) = taken(site, step).await? {
            said = Some(now);
        }
    }
    let said = said.context("it runs nothing")?;
    masked(
        site,
        &format!("exit {}\n{}{}", said.code, said.err, said.out),
    )
}

async fn taken(site: &Site, step: Step) -> Result<Option<Said>> {
    let path = |text: &str| -> Result<PathBuf> { Ok(PathBuf::from(filled(site, text)?)) };
    match step.verb {
        Verb::Stream(name) => {
            let fields: Value = match step.fields {
                Value::Null => json!({}),
                fields => serde_json::from_str(&filled(site, &fields.to_string())?)?,
            };
            site.stream(&name, fields).await?;
        }
        Verb::Publish(name) => site.publish(&name, 5, 10).await?,
        Verb::Delete(name) => {
            asked(
                &site.api().await?,
                &format!("STREAM.DELETE.{name}"),
                &Value::Null,
            )
            .await?;
        }
        Verb::Run(words) => {
            let words: Result<Vec<String>> = words.iter().map(|word| filled(site, word)).collect();
            let mut command = tool(&[]);
            return Ok(Some(Said::of(command.args(words?).output()?)?));
        }
        Verb::Write(to, text) => fs::write(path(&to)?, text)?,
        Verb::Replace(at, from, to) => {
            let text = fs::read_to_string(path(&at)?)?;
            ensure!(text.contains(&from), "no {from:?} in {text}");
            fs::write(path(&at)?, text.replacen(&from, &to, 1))?;
        }
        Verb::Rename(from, to) => fs::rename(path(&from)?, path(&to)?)?,
        Verb::Folder(at) => fs::create_dir_all(path(&at)?)?,
        Verb::Remove(at) => fs::remove_file(path(&at)?)?,
        Verb::Cut(at) => changed(&path(&at)?, |bytes| bytes.truncate(bytes.len() / 2))?,
        Verb::Append(at) => changed(&path(&at)?, |bytes| bytes.push(0))?,
        Verb::Flip(at) => changed(&path(&at)?, |bytes| bytes[20] ^= 1)?,
    }
    Ok(None)
}

fn changed(path: &Path, change: impl FnOnce(&mut Vec<u8>)) -> Result<()> {
    let mut bytes = fs::read(path)?;
    change(&mut bytes);
    Ok(fs::write(path, bytes)?)
}

fn filled(site: &Site, text: &str) -> Result<String> {
    let backup = folder::backups(&site.folder())
        .ok()
        .and_then(|mut all| all.pop());
    let backup = backup.unwrap_or_default();
    let name = backup
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    Ok(text
        .replace("FOLDER", &site.folder().to_string_lossy())
        .replace("BACKUP", &backup.to_string_lossy())
        .replace("NAME", &name)
        .replace("SERVER", &site.url())
        .replace("NATS", &cim_testkit::nats_server()?.to_string_lossy()))
}

/// What is another in each run.
fn masked(site: &Site, text: &str) -> Result<String> {
    let text = text.replace(&*site.dir.path().to_string_lossy(), "<dir>");
    let masks = [
        (r"\b2026(0[2-9]|1\d)\d\dT\d{6}\.\d{3}Z", "<backup>"),
        (r"\b20(2[7-9]|[3-9]\d)\d{4}T\d{6}\.\d{3}Z", "<backup>"),
        (r"\b[0-9a-f]{64}\b", "<sha256>"),
        (r"\d+\.\d s\b", "<n> s"),
        (r"\d+(\.\d)? (B|KiB)\b", "<size>"),
        (r"\d+ bytes, and \d+ were", "<n> bytes, and <n> were"),
        (r"\d+(\.\d)? (<size>|B)  +", "<size>  "),
    ];
    masks.iter().try_fold(text, |text, (mask, by)| {
        Ok(Regex::new(mask)?.replace_all(&text, *by).into_owned())
    })
}
