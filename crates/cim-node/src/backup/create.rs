//! Takes a backup: every stream of an account, its consumers with it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use serde_json::json;
use time::OffsetDateTime;

use super::account::{Account, place};
use super::folder::{self, Folder, Partial};
use super::keep::Keep;
use super::manifest::{MANIFEST, Manifest, STREAMS, SUMS};
use super::problem::{Level, Problem};
use super::progress::Progress;
use super::report::{Report, bytes};
use super::sink::Sink;
use super::status::{self, Attempt, Newest};
use super::stream::Taker;
use super::{check, order};
use crate::provision::connect::Login;

/// What a run needs.
#[derive(Debug, Clone)]
pub struct Create {
    /// The folder of backups.
    pub folder: PathBuf,
    /// Where the server is.
    pub login: Login,
    /// The JetStream domain; `None`: the server's own.
    pub domain: Option<String>,
    /// How long what fails for now is tried again.
    pub patience: Duration,
    /// Only these streams; none: all.
    pub streams: Vec<String>,
    /// What is kept of older ones.
    pub keep: Keep,
    /// Who else gets the files.
    pub sink: Option<Sink>,
    /// Where everybody may read how it went; `None`: nowhere.
    pub status: Option<PathBuf>,
}

impl Create {
    /// Takes the backup. What was wrong is in the report and in `last.json`.
    ///
    /// # Errors
    /// A folder that is not ours to write.
    pub async fn run(&self, tell: &dyn Fn(&str)) -> Result<Report> {
        let folder = Folder::hold(&self.folder)?;
        let mut report = Report::default();
        for partial in folder.remove_partials()? {
            tell(&format!(
                "{}: was never finished; removed",
                partial.display()
            ));
        }
        let newest = match self.taken(&folder, &mut report, tell).await {
            Ok((backup, manifest)) => {
                self.after(&folder, &backup, &manifest, &mut report);
                Some(Newest::of(&backup, &manifest))
            }
            Err(problems) => {
                report.problems.extend(problems);
                // Half a backup is of no use, and its room may be: where a disk is full, nobody could be told.
                if let Err(error) = folder.remove_partials() {
                    report.problems.push(disk(folder.path(), &error));
                }
                None
            }
        };
        let attempt = Attempt::of(&report.problems);
        let written = status::change(folder.path(), self.status.as_deref(), |last| {
            last.newest = newest.or(last.newest.take());
            last.attempt = Some(attempt);
        });
        if let Err(error) = written {
            report.problems.push(untold(folder.path(), &error));
        }
        Ok(report)
    }

    async fn taken(
        &self,
        folder: &Folder,
        report: &mut Report,
        tell: &dyn Fn(&str),
    ) -> Result<(PathBuf, Manifest), Vec<Problem>> {
        let account = Account::connect(&self.login, self.domain.as_deref(), self.patience).await;
        let account = account.map_err(|error| vec![unreachable(&error)])?;
        let begin = OffsetDateTime::now_utc();
        let names = self.chosen(&account).await?;
        let partial = folder
            .begin(begin)
            .map_err(|error| vec![disk(folder.path(), &error)])?;
        let mut manifest = Manifest::new(status::rfc3339(begin), account.server());
        manifest.domain.clone_from(&self.domain);
        manifest.account = account.name().await;
        manifest.chosen = (!self.streams.is_empty()).then(|| self.streams.clone());
        let mut progress = Progress::new(names.len(), tell);
        let mut taker = Taker::new(&account, self.patience);
        let mut problems = Vec::new();
        for name in &names {
            let path = partial.path.join(STREAMS).join(name);
            match taker.take(name, &path, &mut progress).await {
                Ok(Some(stream)) => {
                    manifest.streams.insert(name.clone(), stream);
                }
                Ok(None) => report.problems.push(gone(name)),
                Err(problem) if problem.level == Level::Warning => report.problems.push(problem),
                Err(problem) => problems.push(problem),
            }
            progress.next();
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        manifest.end = status::rfc3339(OffsetDateTime::now_utc());
        let backup =
            finish(partial, &manifest).map_err(|error| vec![disk(folder.path(), &error)])?;
        let took = (OffsetDateTime::now_utc() - begin).as_seconds_f64();
        report.done.push(format!(
            "{}: {} streams, {} consumers, {} messages, {} in {took:.1} s",
            backup.display(),
            manifest.streams.len(),
            manifest.consumers(),
            manifest.messages(),
            bytes(manifest.bytes()),
        ));
        report.set("backup", json!(Newest::of(&backup, &manifest)));
        report.set("seconds", took);
        Ok((backup, manifest))
    }

    /// The streams, in the order in which they are taken.
    async fn chosen(&self, account: &Account) -> Result<Vec<String>, Vec<Problem>> {
        let all = account.streams().await.map_err(|problem| vec![problem])?;
        let missing = self.streams.iter().filter(|name| !all.contains(name));
        let missing: Vec<_> = missing
            .map(|name| {
                let known = if all.is_empty() {
                    "none".to_owned()
                } else {
                    all.join(", ")
                };
                Problem::new(
                    format!("--stream {name}"),
                    "the account has no such stream",
                    format!("it has {known}; a key-value bucket B is KV_B, an object store OBJ_B"),
                )
            })
            .collect();
        if !missing.is_empty() {
            return Err(missing);
        }
        if all.is_empty() {
            return Err(vec![Problem::new(
                "streams",
                "the account has none, so a backup would be empty",
                "look whether the server lost them (`nats server check jetstream`, a lost encryption key); older backups were kept. If none are meant to be there, run no backups",
            )]);
        }
        let configs = account.configs().await.map_err(|problem| vec![problem])?;
        let of = |name: &String| configs.get(name).map(order::origins).unwrap_or_default();
        let chosen = all
            .iter()
            .filter(|name| self.streams.is_empty() || self.streams.contains(name));
        let copies: BTreeMap<_, _> = chosen.map(|name| (name.clone(), of(name))).collect();
        Ok(order::copies_first(&copies))
    }

    /// What follows once it is whole.
    fn after(&self, folder: &Folder, backup: &Path, manifest: &Manifest, report: &mut Report) {
        report.problems.extend(lost(folder, backup, manifest));
        if let Some(sink) = &self.sink {
            match sink.send(backup, manifest) {
                Ok(count) => report
                    .done
                    .push(format!("{count} files given to {}", sink.command.join(" "))),
                Err(problem) => {
                    report.problems.push(problem);
                    // Older ones may be the only ones that are elsewhere.
                    return;
                }
            }
        }
        match self.keep.prune(folder, OffsetDateTime::now_utc()) {
            Ok((removed, problems)) => {
                let names: Vec<_> = removed.iter().map(|path| status::name(path)).collect();
                report.done.extend(
                    names
                        .iter()
                        .map(|name| format!("{name}: removed, as --keep says")),
                );
                report.set("removed", names);
                report.problems.extend(problems);
            }
            Err(error) => report.problems.push(disk(folder.path(), &error)),
        }
    }
}

fn finish(partial: Partial, manifest: &Manifest) -> Result<PathBuf> {
    let written = folder::write(&partial.path.join(MANIFEST), &status::pretty(manifest)?)?;
    folder::write(&partial.path.join(SUMS), &manifest.sums(&written.sha256))?;
    partial.finish()
}

/// Streams of the backup before that this one does not have.
fn lost(folder: &Folder, backup: &Path, manifest: &Manifest) -> Vec<Problem> {
    let all = folder::backups(folder.path()).unwrap_or_default();
    let before = all.iter().rev().filter(|path| path.as_path() < backup);
    let before = before.filter_map(|path| check::glance(path).ok().map(|found| (path, found)));
    let whole = |found: &Manifest| found.chosen.is_none() && manifest.chosen.is_none();
    let Some((path, before)) = before.into_iter().find(|(_, found)| whole(found)) else {
        return Vec::new();
    };
    let gone = before
        .streams
        .keys()
        .filter(|name| !manifest.streams.contains_key(*name));
    gone.map(|name| {
        Problem::new(
            place(name),
            format!(
                "is in the backup {} and not on the server any more",
                path.display()
            ),
            "if nobody removed it on purpose, restore it from there; this is said once",
        )
        .level(Level::Warning)
    })
    .collect()
}

fn gone(name: &str) -> Problem {
    let what = "was removed from the server while the backup was taken, so it is not in it";
    Problem::new(
        place(name),
        what,
        "if it was not meant to go, restore it from an older backup",
    )
    .level(Level::Warning)
}

/// Nobody answers.
pub fn unreachable(error: &anyhow::Error) -> Problem {
    let help =
        "start the server, or give its address with --server and who we are with --credentials";
    Problem::new("server", format!("{error:#}"), help).level(Level::Unknown)
}

/// What became of a run could not be written down for those who ask; the backups are what they are.
pub fn untold(folder: &Path, error: &anyhow::Error) -> Problem {
    let help = "make room or give the right, and run again: backups are as they were, and one that was just taken is whole; only who asks for the newest, or for the last drill, hears of those before";
    Problem::new(folder.display().to_string(), format!("{error:#}"), help)
}

/// The disk does not take it.
fn disk(folder: &Path, error: &anyhow::Error) -> Problem {
    let help = "make room or give the right; what was written so far is removed by the next run";
    Problem::new(folder.display().to_string(), format!("{error:#}"), help)
}
