//! The drill: restores the newest backup into a throwaway server and compares all of it.
//!
//! One stream at a time: none can then copy from another, and the disk needs room for the largest only. What came back is
//! read by a snapshot of it, so messages are compared with what the manifest says of the first one, body by body.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::account::{Account, place};
use super::contents::{Contents, Format};
use super::folder::{self, Folder};
use super::manifest::Manifest;
use super::packed::{Packed, packed};
use super::problem::{Level, Problem};
use super::progress::Progress;
use super::report::{Report, bytes};

use super::status::{self, Drill as Outcome};
use super::throwaway::Throwaway;
use super::{archive, check, create, repack, snapshot, upload};

/// How long the throwaway server is asked again.
const PATIENCE: Duration = Duration::from_secs(20);

/// A stream that stays: with the last one nats-server removes the account's folder, and the next restore may come just before
/// that (2.15.1).
const KEPT: &str = "cim_drill_keeps_the_folder";

/// What a run needs.
#[derive(Debug, Clone)]
pub struct Drill {
    /// The folder of backups.
    pub folder: PathBuf,
    /// The server's binary.
    pub nats_server: PathBuf,
    /// Where its folder is made.
    pub temp: PathBuf,
    /// Where everybody may read how it went; `None`: nowhere.
    pub status: Option<PathBuf>,
}

impl Drill {
    /// Drills; the result is in the report, in the backup's `drill.json` and in `last.json`.
    ///
    /// # Errors
    /// A folder that is not ours to write.
    pub async fn run(&self, tell: &dyn Fn(&str)) -> Result<Report> {
        let folder = Folder::hold(&self.folder)?;
        let begin = Instant::now();
        let Some(newest) = folder::backups(folder.path())?.pop() else {
            let help = "run `cim-backup create` first";
            let place = folder.path().display().to_string();
            return Ok(Report::of(vec![Problem::new(
                place,
                "holds no backup",
                help,
            )]));
        };
        let mut report = Report::default();
        let (mut problems, mut server) = (Vec::new(), None);
        match check::read(&newest) {
            Err(found) => problems = found,
            Ok(manifest) => match self.drilled(&newest, &manifest, &mut problems, tell).await {
                Ok(version) => {
                    server = Some(version);
                    report.done.push(format!(
                        "{}: {} of {} streams came back whole, {} messages, {}, in {:.1} s",
                        newest.display(),
                        manifest.streams.len().saturating_sub(problems.len()),
                        manifest.streams.len(),
                        manifest.messages(),
                        bytes(manifest.bytes()),
                        begin.elapsed().as_secs_f64()
                    ));
                }
                Err(found) => problems = found,
            },
        }
        let outcome = Outcome {
            backup: status::name(&newest),
            at: status::rfc3339(OffsetDateTime::now_utc()),
            ok: problems
                .iter()
                .all(|problem| problem.level == Level::Warning),
            problems: problems.clone(),
            server,
            seconds: begin.elapsed().as_secs_f64(),
        };
        report.set("drill", json!(outcome));
        report.problems = problems;
        let written = status::drilled(&newest, &outcome).and_then(|()| {
            let copy = self.status.as_deref();
            status::change(folder.path(), copy, |last| last.drill = Some(outcome))
        });
        if let Err(error) = written {
            report.problems.push(create::untold(folder.path(), &error));
        }
        Ok(report)
    }

    /// Restores each stream and compares; gives the server's version.
    async fn drilled(
        &self,
        backup: &Path,
        manifest: &Manifest,
        problems: &mut Vec<Problem>,
        tell: &dyn Fn(&str),
    ) -> Result<String, Vec<Problem>> {
        let streams = packed(backup, manifest, &|_| true)?;
        let unstarted = |error: anyhow::Error| {
            let help = "name a nats-server of the hosts' version with --nats-server, and a folder with room with --temp";
            vec![
                Problem::new("the throwaway server", format!("{error:#}"), help)
                    .level(Level::Unknown),
            ]
        };
        let server = Throwaway::start(&self.nats_server, &self.temp).map_err(unstarted)?;
        let account = Account::connect(server.login(), None, PATIENCE)
            .await
            .map_err(unstarted)?;
        let kept = account
            .api
            .ask(&format!("STREAM.CREATE.{KEPT}"), &kept())
            .await;
        kept.map_err(|failure| unstarted(anyhow!("{failure}")))?;
        let mut progress = Progress::new(streams.len(), tell);
        for one in &streams {
            let found = came_back(&account, one, server.folder(), &mut progress).await;
            let why = match found {
                Err(why) => vec![why],
                Ok(found) => one.stream.contents.differences(&found),
            };
            if !why.is_empty() {
                problems.push(Problem::new(
                    place(one.name),
                    format!("did not come back as it was: {}", why.join("; ")),
                    "keep older backups, take another one and drill that; if it fails too, the server's log says more",
                ));
            }
            progress.next();
        }
        Ok(account.server().version)
    }
}

/// Restores a stream, reads what came back, and removes it.
async fn came_back(
    account: &Account,
    one: &Packed<'_>,
    folder: &Path,
    progress: &mut Progress<'_>,
) -> Result<Contents, String> {
    one.understood(&account.server().version)?;
    let body = upload::body(&alone(&one.config), &one.state);
    let [fitted, back] = ["fitted", "back"].map(|name| folder.join(name));
    let fits = repack::fit(&one.data, &fitted, 1).map_err(|error| format!("{error:#}"))?;
    let data = if fits { &fitted } else { &one.data };
    let mut more = |count| progress.more(one.name, count);
    upload::give(account, one.name, &body, data, &mut more).await?;
    let told = account
        .told(one.name)
        .await
        .map_err(|problem| problem.what)?;
    let taken = snapshot::take(account, one.name, &back, &mut |_| {}).await;
    taken.map_err(|fault| format!("reading what came back: {fault:?}"))?;
    let read = archive::read(&back).map_err(|error| format!("{error:#}"))?;
    let gone = account
        .api
        .ask(&format!("STREAM.DELETE.{}", one.name), &Value::Null)
        .await;
    gone.map_err(|failure| failure.to_string())?;
    Ok(match read {
        // The archive's word on messages, the server's on consumers: that is where its clients would go on.
        Some(read) if one.stream.contents.format == Format::Archive => Contents {
            consumers: told.consumers,
            ..read
        },
        _ => told,
    })
}

/// It has no subject, which could be a restored stream's too: it is a mirror of nothing.
fn kept() -> Value {
    json!({ "name": KEPT, "mirror": { "name": "nothing" }, "storage": "file" })
}

/// The configuration for one server that has seen nothing else, and in which nothing moves by itself.
fn alone(config: &Value) -> Value {
    let mut config = config.clone();
    if let Some(fields) = config.as_object_mut() {
        for name in ["placement", "republish", "allow_msg_schedules", "sealed"] {
            fields.remove(name);
        }
        fields.insert("num_replicas".to_owned(), json!(1));
        fields.insert("max_age".to_owned(), json!(0));
    }
    config
}
