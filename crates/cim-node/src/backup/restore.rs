//! Puts streams of a backup back, and over nothing that is there.
//!
//! A stream says by its metadata that it is being restored, until all of it was verified: nats-server keeps what a killed
//! restore left behind, as a stream like any other (2.15.1).

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::account::{Account, place};
use super::create::unreachable;
use super::existing::{self, Existing};
use super::manifest::{Manifest, STREAMS};
use super::packed::{Packed, packed};
use super::problem::Problem;
use super::progress::Progress;
use super::report::Report;
use super::{check, copies, repack, status, upload};
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
        if report.problems.is_empty() || !restored.is_empty() {
            let count = restored.len();
            report
                .done
                .push(format!("{count} streams restored in {took:.1} s"));
        }
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
        let again = copies::again(&account, &manifest, &restored).await;
        report
            .problems
            .extend(again.unwrap_or_else(|problem| vec![problem]));
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
        one.understood(&account.server().version).map_err(failed)?;
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
