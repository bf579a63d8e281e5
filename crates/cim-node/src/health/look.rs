//! One look at the server and the host. What cannot be seen is kept as the reason why.

use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, ensure};
use cim_spec::artefact::{Health, WatchedBackup, WatchedFile, WatchedFileKind};
use time::OffsetDateTime;

use super::accounts::Accounts;
use super::backlog::Backlog;
use super::files::{self, Assets, Disk};
use super::progress::{Progress, Stuck};
use super::standing::{Links, Standing};
use super::wire::{Heard, Logins, Speaks};
use crate::backup::told::Told;
use crate::digest;
use crate::monitor::{Connz, Jsz, Leafz, Monitor, Routez, Steps, TIMEOUT, Varz};

/// Something that was seen, or why it was not.
pub type Seen<T> = Result<T, String>;

/// Keeps the whole chain of reasons.
pub fn seen<T>(result: Result<T>) -> Seen<T> {
    result.map_err(|error| format!("{error:#}"))
}

/// What was seen at one moment.
#[derive(Debug, Clone)]
pub struct Look {
    /// When, by the host's clock.
    pub at: OffsetDateTime,
    /// How far the host's clock was set since the look before, in seconds; 0 at the first.
    pub jump: f64,
    /// The server; another server than this one is not seen.
    pub varz: Seen<Varz>,
    /// Links, where any are expected.
    pub leafz: Seen<Leafz>,
    /// Since when declared links stand that are in it.
    pub standing: Standing,
    /// Routes, where any are expected.
    pub routez: Seen<Routez>,
    /// What was heard over NATS; `None`: nobody asked.
    pub heard: Option<Heard>,
    /// What is looked at more seldom.
    pub slow: Rc<Slow>,
    /// Whether that is from this very look.
    pub is_whole: bool,
    /// Counters of the last minute.
    pub backlog: Backlog,
}

/// What is looked at more seldom.
#[derive(Debug)]
pub struct Slow {
    /// When.
    moment: Instant,
    /// Which start of the server it is of; `None`: it was not there.
    start: Option<String>,
    /// Whether the server did not tell all that it was asked: the next look asks again.
    failed: bool,
    /// What the server says against itself.
    pub healthz: Seen<Option<String>>,
    /// What JetStream holds.
    pub jsz: Seen<Jsz>,
    /// Which copies in it have not come on since the looks before.
    pub stuck: Stuck,
    /// The connection with most subscriptions.
    pub connz: Seen<Connz>,
    /// Accounts that have a limit or a JWT.
    pub accounts: Accounts,
    /// The digest that the config on the host has.
    pub digest: Seen<String>,
    /// What is declared.
    pub assets: Assets,
    /// Watched files, and certificates of listeners, with their expiry.
    pub files: Vec<(WatchedFile, Seen<Option<OffsetDateTime>>)>,
    /// The store's file system.
    pub disk: Seen<Disk>,
    /// What is told of each account's backups; `None`: there was never one.
    pub backups: Vec<(WatchedBackup, Seen<Option<Told>>)>,
}

impl Slow {
    /// Whether the server complained and does no longer. Most complaints are short (streams are made, a replica catches
    /// up), and what waits for them is not to wait for the next of these looks.
    fn is_over(&self, monitor: &Monitor) -> bool {
        matches!(self.healthz, Ok(Some(_))) && !matches!(monitor.complaint(), Ok(Some(_)))
    }
}

/// Looks, again and again.
#[derive(Debug)]
pub struct Looker {
    /// The nats-server that reads the config, for its digest where that covers secrets.
    pub nats_server: PathBuf,
    /// Whether everything is looked at each time.
    whole: bool,
    digest: Option<(Vec<Fingerprint>, Seen<String>)>,
    slow: Option<Rc<Slow>>,
    backlog: Backlog,
    progress: Progress,
    links: Links,
    last: Option<(Instant, OffsetDateTime)>,
    speaks: Speaks,
    steps: Steps,
    credentials: Vec<WatchedFile>,
}

/// A file as it was when it was read: another time or size, and it is read again.
type Fingerprint = Option<(PathBuf, SystemTime, u64)>;

impl Looker {
    /// Looks for the first time.
    pub fn new(nats_server: PathBuf) -> Self {
        Self {
            nats_server,
            whole: false,
            digest: None,
            slow: None,
            backlog: Backlog::default(),
            progress: Progress::default(),
            links: Links::default(),
            last: None,
            speaks: Speaks::default(),
            steps: Steps::default(),
            credentials: Vec::new(),
        }
    }

    /// Looks at everything each time, for whoever waits until it is well.
    pub fn whole(mut self) -> Self {
        self.whole = true;
        self
    }

    /// Looks at these `.creds` files too, which no part of the instance itself logs in with.
    pub fn with_credentials(mut self, files: &[PathBuf]) -> Self {
        let watched = files.iter().map(|file| WatchedFile {
            kind: WatchedFileKind::Credentials,
            file: file.to_string_lossy().into_owned(),
        });
        self.credentials = watched.collect();
        self
    }

    /// Has an instance watch what this looks at beyond it.
    pub fn extend(&self, health: &mut Health) {
        health.watch.files.extend(self.credentials.iter().cloned());
    }

    /// Tells each step of a look, which is one question at most.
    pub fn with_steps(mut self, steps: Steps) -> Self {
        self.steps = steps;
        self
    }

    /// Speaks over NATS too; `waits`: each look waits for what is on its way.
    pub fn with_logins(mut self, logins: Logins, waits: bool) -> Self {
        self.speaks = Speaks::new(logins, waits);
        self
    }

    /// Has a report sent, where we speak.
    pub fn publish(&self, report: String) {
        self.speaks.publish(report);
    }

    /// Looks at the server and its links, and at the rest where it is time for that.
    pub fn look(&mut self, health: &Health) -> Look {
        self.look_at(health, Instant::now(), OffsetDateTime::now_utc())
    }

    /// The same, by two clocks: one that only goes on, and the host's, which may be set.
    pub fn look_at(&mut self, health: &Health, moment: Instant, at: OffsetDateTime) -> Look {
        let monitor = Monitor::new(&health.monitor).with_steps(self.steps.clone());
        let jump = self.last.map_or(0.0, |(before, then)| {
            (at - then).as_seconds_f64() - (moment - before).as_secs_f64()
        });
        self.last = Some((moment, at));
        self.speaks.begin(health);
        let varz = seen(own(&monitor, health));
        let watch = &health.watch;
        let linked = !watch.links.is_empty() || !watch.leaves.is_empty();
        let leafz = match varz.is_ok() && linked {
            true => seen(monitor.leafz()),
            false => Err(not_asked()),
        };
        let standing = match (&varz, &leafz) {
            (Ok(varz), Ok(leafz)) => self.links.add((moment, at), health, varz, leafz),
            _ => Standing::default(),
        };
        let routez = match varz.is_ok() && !watch.peers.is_empty() {
            true => seen(monitor.routez()),
            false => Err(not_asked()),
        };
        if let Ok(varz) = &varz {
            self.backlog.add(moment, varz);
        }
        let start = varz.as_ref().ok().map(|varz| varz.start.clone());
        let every = Duration::from_millis(watch.slow_interval);
        let fresh = self.slow.take().filter(|slow| {
            !self.whole
                && slow.start == start
                && !slow.failed
                && moment.duration_since(slow.moment) < every
                && !slow.is_over(&monitor)
        });
        let is_whole = fresh.is_none();
        let slow = fresh
            .unwrap_or_else(|| Rc::new(self.slow(moment, start, &monitor, health, varz.as_ref())));
        self.slow = Some(Rc::clone(&slow));
        let heard = self.speaks.heard(health, &leafz);
        Look {
            at,
            jump,
            varz,
            leafz,
            standing,
            routez,
            heard,
            slow,
            is_whole,
            backlog: self.backlog.clone(),
        }
    }

    fn slow(
        &mut self,
        moment: Instant,
        start: Option<String>,
        monitor: &Monitor,
        health: &Health,
        varz: Result<&Varz, &String>,
    ) -> Slow {
        let watch = &health.watch;
        let why = || format!("it was not asked: {}", varz.err().map_or("", |why| why));
        let up = varz.is_ok();
        let limited = varz.is_ok_and(|varz| varz.max_subscriptions > 0);
        let holds = up && watch.jetstream.is_some();
        let healthz = match up {
            true => seen(monitor.complaint()),
            false => Err(why()),
        };
        let jsz = match holds {
            true => seen(monitor.jsz()),
            false => Err(why()),
        };
        let stuck = jsz.as_ref().map(|jsz| self.progress.add(moment, jsz));
        let connz = match limited {
            true => seen(monitor.most_subscriptions()),
            false => Err(why()),
        };
        let accounts = Accounts::of(watch, varz, monitor);
        Slow {
            moment,
            start,
            failed: up && (healthz.is_err() || accounts.failed())
                || holds && jsz.is_err()
                || limited && connz.is_err(),
            healthz,
            accounts,
            stuck: stuck.unwrap_or_default(),
            jsz,
            connz,
            digest: self.digest(health),
            assets: match &watch.jetstream {
                Some(jetstream) => files::assets(&jetstream.assets),
                None => Assets::default(),
            },
            files: all_files(health)
                .map(|file| {
                    let expires = seen(files::expires(&file));
                    (file, expires)
                })
                .collect(),
            disk: match &watch.jetstream {
                Some(jetstream) => files::disk(&jetstream.store_dir),
                None => Err("no store".to_owned()),
            },
            backups: watch
                .backups
                .iter()
                .map(|backup| {
                    let told = seen(Told::read(Path::new(&backup.status)));
                    (backup.clone(), told)
                })
                .collect(),
        }
    }

    /// The digest of the config on the host: the build's, or, where the config holds secrets, nats-server's own, which
    /// is asked again when a file is another.
    fn digest(&mut self, health: &Health) -> Seen<String> {
        if let Some(built) = &health.config_digest {
            return Ok(built.clone());
        }
        let secrets = health.secrets.iter().map(|secrets| secrets.path.as_str());
        let files = std::iter::once(health.config.as_str()).chain(secrets);
        let now: Vec<Fingerprint> = files.map(fingerprint).collect();
        match &self.digest {
            Some((then, digest)) if *then == now && digest.is_ok() => digest.clone(),
            _ => {
                self.steps.step();
                // Not its words: they may quote a line of the secrets file.
                let digest = digest::by_server(&self.nats_server, &health.config, TIMEOUT);
                let digest = digest.map_err(|error| {
                    let late = error.downcast_ref::<digest::Late>();
                    let late = late.map_or(String::new(), |late| format!(": {late}"));
                    format!(
                        "`{} -t -c {}` gives no digest{late}",
                        self.nats_server.display(),
                        health.config
                    )
                });
                self.digest = Some((now, digest.clone()));
                digest
            }
        }
    }
}

/// Watched files, and those of listeners.
fn all_files(health: &Health) -> impl Iterator<Item = WatchedFile> {
    let listeners = health
        .certificates
        .iter()
        .map(|certificate| &certificate.file);
    let listeners = listeners.map(|file| WatchedFile {
        kind: WatchedFileKind::Certificate,
        file: file.clone(),
    });
    listeners.chain(health.watch.files.iter().cloned())
}

fn fingerprint(file: &str) -> Fingerprint {
    let path = fs::canonicalize(file).ok()?;
    let about = fs::metadata(&path).ok()?;
    Some((path, about.modified().ok()?, about.len()))
}

/// `/varz` of this very server.
fn own(monitor: &Monitor, health: &Health) -> Result<Varz> {
    let varz = monitor.varz().context("the server does not answer")?;
    ensure!(
        varz.server_name == health.server_name,
        "{} is answered by {:?}, another server than {:?}",
        health.monitor,
        varz.server_name,
        health.server_name
    );
    Ok(varz)
}

fn not_asked() -> String {
    "it was not asked".to_owned()
}
