//! Puts streams of a backup back, and over nothing that is there.
//!
//! A stream says by its metadata that it is being restored, until all of it was verified: nats-server keeps what a killed
//! restore left behind, as a stream like any other (2.15.1).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::account::{Account, place};
use super::contents::Format;
use super::create::unreachable;
use super::existing::{self, Existing};
use super::manifest::{Manifest, STREAM_FILES, STREAMS, Stream};
use super::problem::{Level, Problem};
use super::progress::Progress;
use super::report::Report;
use super::{check, order, repack, status, stream, upload};
use crate::provision::api::Pauses;
use crate::provision::connect::Login;

/// The metadata of a stream that is not whole yet: the backup's name.
pub const MARK: &str = "cim.restoring";

/// What a run needs.
#[derive(Debug, Clone)]
pub struct Restore {
    /// The backup's folder.
    pub backup: PathBuf,
    /// Where the server is.
    pub login: Login,
    /// The JetStream domain; `None`: the server's own.
    pub domain: Option<String>,
    /// How long what fails for now is tried again, and consumers may take to come up in a cluster.
    pub patience: Duration,
    /// Only these streams; none: all of the backup.
    pub streams: Vec<String>,
    /// Pass over what is there already.
    pub missing: bool,
    /// So many replicas of each; `None`: as many as there were.
    pub replicas: Option<u64>,
    /// Where a snapshot that must be rewritten for that is put meanwhile.
    pub temp: PathBuf,
}

/// A stream of a backup, read.
#[derive(Debug)]
pub struct Packed<'a> {
    /// Its name.
    pub name: &'a str,
    /// What the manifest says.
    pub stream: &'a Stream,
    /// The snapshot.
    pub data: PathBuf,
    /// Its configuration.
    pub config: Value,
    /// Its state.
    pub state: Value,
}

impl Restore {
    /// Restores.
    ///
    /// # Errors
    /// None but a bug's: what is wrong is in the report.
    pub async fn run(&self, tell: &dyn Fn(&str)) -> Result<Report> {
        let begin = OffsetDateTime::now_utc();
        let mut report = Report::default();
        let restored = match self.restored(&mut report, tell).await {
            Ok(restored) => restored,
            Err(problems) => {
                report.problems.extend(problems);
                Vec::new()
            }
        };
        let took = (OffsetDateTime::now_utc() - begin).as_seconds_f64();
        report.done.push(format!(
            "{} streams restored in {took:.1} s",
            restored.len()
        ));
        report.set("restored", restored);
        report.set("seconds", took);
        Ok(report)
    }

    async fn restored(
        &self,
        report: &mut Report,
        tell: &dyn Fn(&str),
    ) -> Result<Vec<String>, Vec<Problem>> {
        let manifest = self.checked()?;
        let packed = packed(&self.backup, &manifest, &|name| self.chosen(name))?;
        let account = Account::connect(&self.login, self.domain.as_deref(), self.patience).await;
        let account = account.map_err(|error| vec![unreachable(&error)])?;
        let (mut due, mut problems) = (Vec::new(), Vec::new());
        for one in packed {
            let found = existing::look(&account, &one, &status::name(&self.backup)).await;
            match found.map_err(|problem| vec![problem])? {
                Existing::Other(_) if self.missing => {
                    report
                        .done
                        .push(format!("{}: is there already; left alone", place(one.name)));
                }
                Existing::Other(problem) => problems.push(problem),
                found => due.push((one, found)),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut progress = Progress::new(due.len(), tell);
        let mut restored = Vec::new();
        for (one, found) in &due {
            let done = self.one(&account, one, found, &mut progress).await;
            match done {
                Ok(()) => restored.push(one.name.to_owned()),
                Err(problem) => report.problems.push(problem),
            }
            progress.next();
        }
        report
            .problems
            .extend(copied_again(&account, &manifest, &restored).await?);
        Ok(restored)
    }

    fn chosen(&self, name: &str) -> bool {
        self.streams.is_empty() || self.streams.iter().any(|one| one == name)
    }

    /// The manifest, and nothing wrong with the files of the streams that are wanted.
    fn checked(&self) -> Result<Manifest, Vec<Problem>> {
        let manifest = match check::read(&self.backup) {
            Ok(manifest) => manifest,
            Err(problems) => {
                let manifest = Manifest::read(&self.backup)
                    .map_err(|_| problems.clone())?
                    .0;
                let others = manifest.streams.keys().filter(|name| !self.chosen(name));
                let others: Vec<_> = others
                    .map(|name| self.backup.join(STREAMS).join(name))
                    .collect();
                let elsewhere = |problem: &Problem| {
                    others
                        .iter()
                        .any(|other| Path::new(&problem.place).starts_with(other))
                };
                let here: Vec<_> = problems.into_iter().filter(|one| !elsewhere(one)).collect();
                if !here.is_empty() {
                    return Err(here);
                }
                manifest
            }
        };
        let missing = self
            .streams
            .iter()
            .filter(|name| !manifest.streams.contains_key(*name));
        let known: Vec<_> = manifest.streams.keys().cloned().collect();
        let missing: Vec<_> = missing
            .map(|name| {
                Problem::new(
                    format!("--stream {name}"),
                    "the backup has no such stream",
                    format!("it has {}", known.join(", ")),
                )
            })
            .collect();
        if missing.is_empty() {
            Ok(manifest)
        } else {
            Err(missing)
        }
    }

    async fn one(
        &self,
        account: &Account,
        one: &Packed<'_>,
        found: &Existing,
        progress: &mut Progress<'_>,
    ) -> Result<(), Problem> {
        let failed = |why: String| {
            Problem::new(
                place(one.name),
                format!("was not restored: {why}"),
                format!(
                    "see to that, and run again with --missing: what is half there, marked by the metadata {MARK}, is begun anew"
                ),
            )
        };
        if let Existing::Half = found {
            existing::remove(account, one).await.map_err(failed)?;
        }
        understood(&account.server().version, one).map_err(failed)?;
        let mut config = one.config.clone();
        if let (Some(fields), Some(replicas)) = (config.as_object_mut(), self.replicas) {
            fields.insert("num_replicas".to_owned(), json!(replicas));
        }
        let body = upload::body(&marked(&config, &status::name(&self.backup)), &one.state);
        let fitted = self
            .temp
            .join(format!("cim-restore-{}", std::process::id()));
        let fits = self.replicas.map_or(Ok(false), |replicas| {
            repack::fit(&one.data, &fitted, replicas)
        });
        let fits = fits.map_err(|error| failed(format!("{error:#}")))?;
        let data = if fits { &fitted } else { &one.data };
        let mut more = |count| progress.more(one.name, count);
        let given = upload::give(account, one.name, &body, data, &mut more).await;
        if fits {
            let _ = std::fs::remove_file(&fitted); // in a folder for such files
        }
        given.map_err(failed)?;
        self.verified(account, one).await.map_err(failed)?;
        // The very configuration, with the age at which messages go.
        let updated = account
            .api
            .ask(&format!("STREAM.UPDATE.{}", one.name), &config)
            .await;
        updated
            .map(drop)
            .map_err(|failure| failed(format!("its configuration: {failure}")))
    }

    /// Waits until all is there; in a cluster consumers come up after their stream.
    async fn verified(&self, account: &Account, one: &Packed<'_>) -> Result<(), String> {
        let mut pauses = Pauses::new(self.patience);
        loop {
            let found = account
                .told(one.name)
                .await
                .map_err(|problem| problem.what)?;
            let losses = one.stream.contents.losses(&found);
            if losses.is_empty() {
                return Ok(());
            }
            if !pauses.next().await {
                return Err(losses.join("; "));
            }
        }
    }
}

/// Reads what the backup says of its streams: origins first, so that a copy finds them.
///
/// # Errors
/// A file that cannot be read.
pub fn packed<'a>(
    backup: &Path,
    manifest: &'a Manifest,
    chosen: &dyn Fn(&str) -> bool,
) -> Result<Vec<Packed<'a>>, Vec<Problem>> {
    let mut all = BTreeMap::new();
    for (name, stream) in manifest.streams.iter().filter(|(name, _)| chosen(name)) {
        let [description, data] =
            STREAM_FILES.map(|file| backup.join(STREAMS).join(name).join(file));
        let described = stream::read(&description)
            .with_context(|| format!("reading {}", description.display()));
        let (config, state) = described.map_err(|error| {
            let help = "take another backup; `cim-backup list` names them";
            vec![Problem::new(
                description.display().to_string(),
                format!("{error:#}"),
                help,
            )]
        })?;
        let one = Packed {
            name,
            stream,
            data,
            config,
            state,
        };
        all.insert(name.clone(), one);
    }
    let copies = all
        .iter()
        .map(|(name, one)| (name.clone(), order::origins(&one.config)));
    let order = order::copies_first(&copies.collect());
    Ok(order
        .iter()
        .rev()
        .filter_map(|name| all.remove(name))
        .collect())
}

/// Streams of the account that have a restored one as their source: nats-server (2.15.1) knows a stream by the moment at which
/// it was made, which a snapshot does not hold.
async fn copied_again(
    account: &Account,
    manifest: &Manifest,
    restored: &[String],
) -> Result<Vec<Problem>, Vec<Problem>> {
    let configs = account.configs().await.map_err(|problem| vec![problem])?;
    let mut problems = Vec::new();
    for (name, config) in &configs {
        for origin in order::sources(config)
            .iter()
            .filter(|origin| restored.contains(origin))
        {
            let contents = manifest.streams.get(origin).map(|stream| &stream.contents);
            let Some(contents) =
                contents.filter(|one| one.format == Format::Archive && one.messages > 0)
            else {
                continue;
            };
            let what = format!(
                "has the restored stream {origin} as a source; nats-server takes that for a new one and copies its {} messages again",
                contents.messages
            );
            let help = "nothing is lost; clients of this stream get those messages twice, so look whether they can take that before they go on";
            problems.push(Problem::new(place(name), what, help).level(Level::Warning));
        }
    }
    Ok(problems)
}

/// The configuration while it is being restored: marked, and nothing goes for its age before it was counted.
fn marked(config: &Value, backup: &str) -> Value {
    let mut config = config.clone();
    if let Some(fields) = config.as_object_mut() {
        fields.insert("max_age".to_owned(), json!(0));
        fields.insert("sealed".to_owned(), json!(false));
        let metadata = fields.entry("metadata").or_insert_with(|| json!({}));
        let mut marked = metadata.as_object().cloned().unwrap_or_else(Map::new);
        marked.insert(MARK.to_owned(), json!(backup));
        *metadata = Value::Object(marked);
    }
    config
}

/// Whether a server of this version reads the snapshot.
///
/// # Errors
/// It is too old.
pub fn understood(version: &str, one: &Packed<'_>) -> Result<(), String> {
    let mut numbers = version
        .split(['.', '-'])
        .map(|part| part.parse::<u64>().unwrap_or_default());
    let version_of = (
        numbers.next().unwrap_or_default(),
        numbers.next().unwrap_or_default(),
    );
    if one.stream.contents.format == Format::Archive && version_of < (2, 15) {
        return Err(format!(
            "nats-server {version} does not read snapshots of 2.15 or later: use such a server"
        ));
    }
    Ok(())
}
