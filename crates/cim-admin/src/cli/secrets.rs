//! `cim-admin secrets …`: what is readable goes to a file of its owner's alone, never to stdout.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use clap::Subcommand;
use serde_json::json;
use zeroize::Zeroizing;

use super::store::{Sealing, Secret, Store};
use super::{Desk, Report};
use crate::files::{self, Batch, Mode};
use crate::identity::check::Problem;
use crate::identity::{self, Plan, few};
use crate::sops::{Format, Plain, ssh_recipient};

#[derive(Debug, Subcommand)]
pub enum Secrets {
    /// Seals a file for whom secrets/.sops.yaml names
    Encrypt {
        /// Its name in the folder, such as hub-1.yaml
        name: String,
        /// The readable file, or - for what is piped in
        #[arg(long, value_name = "FILE", required_unless_present = "again")]
        from: Option<PathBuf>,
        /// Sets this one entry of a YAML or JSON file, and keeps the others
        #[arg(long, value_name = "NAME")]
        entry: Option<String>,
        /// Seals what is there for whom the rules name now
        #[arg(long, conflicts_with_all = ["from", "entry", "replace"])]
        again: bool,
        /// Replaces a whole file that is there
        #[arg(long, conflicts_with = "entry")]
        replace: bool,
        #[command(flatten)]
        store: Store,
        /// Says what would be written, and writes nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Opens a file into another, which only you can read
    Decrypt {
        /// Its name in the folder
        name: String,
        /// Only this entry of a YAML or JSON file
        #[arg(long, value_name = "NAME")]
        entry: Option<String>,
        /// The file to write, 0600; on a disk in memory, best
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
        #[command(flatten)]
        store: Store,
        /// Opens it and writes nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Checks every file: sealed whole, for whom the rules name, unchanged if your keys open it
    Check {
        /// Holds both folders against what the fleet needs, too; - for what is piped in
        #[arg(long, value_name = "FILE")]
        plan: Option<PathBuf>,
        /// The folder of public files
        #[arg(
            long,
            value_name = "DIR",
            default_value = "identity",
            requires = "plan"
        )]
        identity: PathBuf,
        #[command(flatten)]
        store: Store,
    },
    /// Prints the age recipient of a host's ssh_host_ed25519_key.pub, for .sops.yaml
    Recipient {
        /// The public key's file
        file: PathBuf,
    },
}

impl Secrets {
    pub fn run(&self, desk: &Desk) -> Result<Report> {
        match self {
            Secrets::Encrypt {
                name,
                from: Some(from),
                entry,
                replace,
                store,
                dry_run,
                ..
            } => {
                let bytes = readable(from)?;
                let place = store.folder()?.place(name)?;
                ensure!(
                    *replace || entry.is_some() || !files::exists(&place)?,
                    "{} exists: --entry sets one of its secrets, --replace seals it anew",
                    place.display()
                );
                let sealing = match Format::of(&place)? {
                    Format::Yaml | Format::Json if entry.is_none() => {
                        Some(whole(store, desk, name, &bytes, from)?)
                    }
                    _ => {
                        let entry = entry.as_deref();
                        let secret = Secret {
                            file: name,
                            entry,
                            value: &bytes,
                            replace: true,
                        };
                        store.with(&secret, desk)?
                    }
                };
                written(name, sealing, *dry_run)
            }
            Secrets::Encrypt {
                name,
                store,
                dry_run,
                ..
            } => written(name, Some(again(store, desk, name)?), *dry_run),
            Secrets::Decrypt {
                name,
                entry,
                to,
                store,
                dry_run,
            } => decrypt(store, desk, name, entry.as_deref(), to, *dry_run),
            Secrets::Check {
                plan,
                identity,
                store,
            } => check(store, desk, plan.as_deref(), identity),
            Secrets::Recipient { file } => recipient(file),
        }
    }
}

/// What is to be sealed.
fn readable(from: &Path) -> Result<Zeroizing<Vec<u8>>> {
    let bytes = if from == Path::new("-") {
        files::from(io::stdin()).context("reading what is piped in")?
    } else {
        files::read(from)?
    };
    ensure!(
        !bytes.is_empty(),
        "{} has nothing in it to seal",
        from.display()
    );
    Ok(bytes)
}

fn whole(store: &Store, desk: &Desk, name: &str, bytes: &[u8], from: &Path) -> Result<Sealing> {
    let folder = store.folder()?;
    let place = folder.place(name)?;
    let format = Format::of(&place)?;
    let plain =
        Plain::read(bytes, format).with_context(|| format!("reading {}", from.display()))?;
    let text = folder.seal(name, &plain, desk.now)?;
    Ok(Sealing { place, text })
}

fn again(store: &Store, desk: &Desk, name: &str) -> Result<Sealing> {
    let folder = store.folder()?;
    let place = folder.place(name)?;
    let plain = folder.read(name, &store.identities(desk)?)?;
    let plain =
        plain.with_context(|| format!("there is no {}: is the name right?", place.display()))?;
    let text = folder.seal(name, &plain, desk.now)?;
    Ok(Sealing { place, text })
}

fn written(name: &str, sealing: Option<Sealing>, dry_run: bool) -> Result<Report> {
    let Some(sealing) = sealing else {
        let json = json!({ "file": name, "changed": false });
        return Ok(Report::new(vec![format!("{name} says so already")], json));
    };
    let place = sealing.place.display().to_string();
    if !dry_run {
        let mut batch = Batch::default();
        batch.put(&sealing.place, sealing.text.as_bytes(), Mode::Secret)?;
        batch.commit()?;
    }
    let did = if dry_run { "would write" } else { "wrote" };
    let json = json!({ "file": place, "changed": true, "dryRun": dry_run });
    Ok(Report::new(vec![format!("{did} {place}, sealed")], json))
}

fn decrypt(
    store: &Store,
    desk: &Desk,
    name: &str,
    entry: Option<&str>,
    to: &Path,
    dry_run: bool,
) -> Result<Report> {
    ensure!(
        !files::exists(to)?,
        "{} exists: remove it first, or name another file",
        to.display()
    );
    store.must_be_outside(to)?;
    let folder = store.folder()?;
    let place = folder.place(name)?;
    let plain = folder.read(name, &store.identities(desk)?)?;
    let plain =
        plain.with_context(|| format!("there is no {}: is the name right?", place.display()))?;
    let bytes = part(&plain, entry, &place)?;
    if !dry_run {
        let mut batch = Batch::default();
        batch.put(to, &bytes, Mode::Secret)?;
        batch.commit()?;
    }
    let did = if dry_run { "would write" } else { "wrote" };
    let to = to.display().to_string();
    let line = format!("{did} {to}: it is readable; remove it when you are done");
    Ok(Report::new(
        vec![line],
        json!({ "file": to, "dryRun": dry_run }),
    ))
}

fn part(plain: &Plain, entry: Option<&str>, place: &Path) -> Result<Zeroizing<Vec<u8>>> {
    let Some(entry) = entry else {
        return plain.write(Format::of(place)?);
    };
    let Plain::Tree(tree) = plain else {
        bail!("{} holds one secret: leave --entry out", place.display());
    };
    let text = tree.get(entry).and_then(|value| value.as_text());
    let text = text.with_context(|| {
        let names = tree.entries().iter().map(|(name, _)| name.as_str());
        let names = names.collect::<Vec<_>>().join(", ");
        format!("{} has no text {entry:?}; it has: {names}", place.display())
    })?;
    Ok(Zeroizing::new(text.as_bytes().to_vec()))
}

fn check(store: &Store, desk: &Desk, plan: Option<&Path>, identity: &Path) -> Result<Report> {
    let plan = plan.map(Plan::open).transpose()?;
    let identities = store.identities_if_any(desk)?;
    let findings = store.folder()?.check(identities.as_ref())?;
    let checked = plan.as_ref().map(|plan| {
        let folders = (identity, store.path());
        let keys = identities.as_ref();
        identity::check::check(plan, folders, keys, desk.now, &desk.progress())
    });
    let checked = checked.transpose()?.unwrap_or_default();
    let mut lines = Vec::new();
    for finding in &findings {
        let file = store.path().join(&finding.file);
        let said = finding.problems.iter();
        lines.extend(said.map(|problem| format!("{}: {problem}", file.display())));
    }
    lines.extend(checked.problems.iter().map(Problem::line));
    let ends = checked.ends.iter().map(|end| end.line(desk.now));
    few(&mut lines, ends);
    let bad = findings
        .iter()
        .filter(|finding| !finding.problems.is_empty())
        .count();
    let opened = findings.iter().filter(|finding| finding.opened).count();
    lines.push(format!(
        "{} files, {opened} opened, {bad} with problems{}",
        findings.len(),
        if identities.is_none() {
            "; without keys (--keys) nothing is opened, and changes go unnoticed"
        } else {
            ""
        }
    ));
    let soon = checked.ends.iter().any(|end| end.soon);
    let good = bad == 0 && checked.problems.is_empty() && !soon;
    let mut json = json!({ "good": good, "opened": opened, "files": findings });
    if plan.is_some() {
        json["problems"] = json!(checked.problems);
        json["ends"] = json!(checked.ends);
    }
    Ok(Report { lines, good, json })
}

fn recipient(file: &Path) -> Result<Report> {
    let bytes = files::read(file)?;
    let converted = || {
        let text = std::str::from_utf8(&bytes)
            .ok()
            .context("it has other bytes than text")?;
        let mut lines = text.lines().filter(|line| !line.trim().is_empty());
        ssh_recipient(lines.next().unwrap_or_default())
    };
    let recipient = converted().with_context(|| format!("reading {}", file.display()))?;
    let json = json!({ "recipient": recipient });
    Ok(Report::new(vec![recipient], json))
}
