//! `cim-health daemon`: looks again and again, tells systemd in one line, and answers on loopback.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Arc, PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::finding::State;
use super::fleet::Fleet;
use super::judge::{Report, judge};
use super::look::Looker;
use super::notify::Notify;
use super::summary::Summary;
use super::wire::Logins;
use super::{fleet, openmetrics, text};
use crate::monitor::Steps;

/// How long a reader of the pages may take to ask.
const PATIENCE: Duration = Duration::from_secs(2);

/// How often systemd hears that a look goes on: one that is quick says nothing before its end.
const STEP: Duration = Duration::from_secs(1);

/// The longest request that is read.
const LONGEST: usize = 8 * 1024;

/// What it needs.
pub struct Daemon {
    /// The instance's health.json; read again at each look.
    pub health: PathBuf,
    /// The server's nats-server.
    pub nats_server: PathBuf,
    /// Where the pages are; `None`: nowhere.
    pub listen: Option<SocketAddr>,
    /// How it logs in to its server; none: it asks and answers nothing.
    pub logins: Logins,
    /// `.creds` files that other programs beside the server log in with.
    pub credentials: Vec<PathBuf>,
}

impl Daemon {
    /// Runs until it is stopped.
    ///
    /// # Errors
    /// A port that cannot be had, or a systemd that cannot be told.
    pub fn run(&self) -> Result<()> {
        let notify = Notify::from_env()?.map(Rc::new);
        let latest = Arc::new(RwLock::new(Latest::default()));
        if let Some(address) = self.listen {
            ensure!(
                address.ip().is_loopback(),
                "{address} is not on loopback: what is told there is for this host"
            );
            let listener =
                TcpListener::bind(address).with_context(|| format!("listening on {address}"))?;
            let latest = Arc::clone(&latest);
            thread::spawn(move || serve(&listener, &latest));
        }
        let mut looker = Looker::new(self.nats_server.clone())
            .with_logins(self.logins.clone(), false)
            .with_credentials(&self.credentials)
            .with_steps(steps(notify.clone()));
        let mut told = Told::default();
        let mut since = Since::default();
        let mut said = String::new();
        loop {
            let moment = Instant::now();
            let Looked {
                mut report,
                pause,
                summary,
                fleet,
            } = {
                let latest = latest.read().unwrap_or_else(PoisonError::into_inner);
                looked(&mut looker, &self.health, latest.report.as_ref())
            };
            since.mark(&mut report);
            if let Some(summary) = summary.filter(|summary| told.is_news(summary, moment)) {
                looker.publish(serde_json::to_string(&summary).context("writing the report")?);
            }
            let line = text::line(&report);
            // Before systemd hears of it: whoever waits for that may ask at once.
            *latest.write().unwrap_or_else(PoisonError::into_inner) = Latest {
                report: Some(report),
                fleet,
            };
            if let Some(notify) = &notify {
                // READY again does no harm; the watchdog wants to hear at every look.
                notify.say(&format!("READY=1\nWATCHDOG=1\nSTATUS={line}"))?;
            }
            if line_kind(&line) != line_kind(&said) {
                eprintln!("{line}");
            }
            said = line;
            rest(notify.as_deref(), pause.saturating_sub(moment.elapsed()))?;
        }
    }
}

/// What a look tells systemd meanwhile: a server that answers nothing makes it long, not hung.
fn steps(notify: Option<Rc<Notify>>) -> Steps {
    let Some(notify) = notify.filter(|notify| notify.watchdog().is_some()) else {
        return Steps::default();
    };
    let told = Cell::new(Instant::now());
    Steps::telling(move || {
        if told.get().elapsed() >= STEP {
            told.set(Instant::now());
            // Where nobody is there the end of the look says so.
            let _ = notify.say("WATCHDOG=1");
        }
    })
}

/// Waits for the next look. It may be longer off than systemd waits for a sign of life.
fn rest(notify: Option<&Notify>, pause: Duration) -> Result<()> {
    let until = Instant::now() + pause;
    let watched = notify.and_then(|notify| Some((notify, notify.watchdog()? / 2)));
    while let Some((notify, often)) = watched {
        let left = until.saturating_duration_since(Instant::now());
        if left <= often {
            break;
        }
        thread::sleep(often);
        notify.say("WATCHDOG=1")?;
    }
    thread::sleep(until.saturating_duration_since(Instant::now()));
    Ok(())
}

/// One look. A health.json that cannot be read is a report of its own.
pub fn look(looker: &mut Looker, file: &Path, before: Option<&Report>) -> Report {
    looked(looker, file, before).report
}

/// What the pages tell.
#[derive(Default)]
struct Latest {
    report: Option<Report>,
    fleet: Option<Fleet>,
}

/// What came of a look.
struct Looked {
    report: Report,
    /// How long the next may wait.
    pause: Duration,
    /// What the hub is told of it.
    summary: Option<Summary>,
    /// What a hub knows of others.
    fleet: Option<Fleet>,
}

fn looked(looker: &mut Looker, file: &Path, before: Option<&Report>) -> Looked {
    match crate::read_health(file) {
        Ok(mut health) => {
            looker.extend(&mut health);
            let look = looker.look(&health);
            let report = judge(&health, &look, before);
            let summary = Summary::of(&health, &look, &report);
            let is_hub = health.watch.links.is_empty() && look.heard.is_some();
            Looked {
                report,
                pause: Duration::from_millis(health.watch.interval),
                fleet: is_hub.then(|| Fleet::of(&health, &look, &summary)),
                summary: Some(summary),
            }
        }
        Err(error) => {
            let help =
                "deploy the host again; the file is the instance's health.json, in /etc/cim/<name>";
            let report = Report::nothing_seen("", format!("{error:#}"), help);
            Looked {
                report,
                pause: Duration::from_secs(1),
                summary: None,
                fleet: None,
            }
        }
    }
}

/// What the hub was told last, and when.
#[derive(Default)]
struct Told(Option<(News, Instant)>);

/// What is told at once: the state, and, of a hub's node, who is linked to it.
type News = (String, Option<BTreeSet<String>>);

impl Told {
    /// Whether it is worth telling: it is news, or long ago.
    fn is_news(&mut self, summary: &Summary, now: Instant) -> bool {
        let is_old = |then: Instant| now.duration_since(then).as_secs() >= summary.every;
        let news = (summary.state.clone(), summary.leaves.clone());
        let is_news = match &self.0 {
            Some((told, then)) => *told != news || is_old(*then),
            None => true,
        };
        if is_news {
            self.0 = Some((news, now));
        }
        is_news
    }
}

/// What of a line is worth a line in the journal: not each number in it.
fn line_kind(line: &str) -> &str {
    line.split_once(':').map_or(line, |(kind, _)| kind)
}

/// Since when each finding has its state.
#[derive(Default)]
struct Since(BTreeMap<String, (State, String)>);

impl Since {
    fn mark(&mut self, report: &mut Report) {
        let mut now = BTreeMap::new();
        for finding in &mut report.findings {
            let state = finding.verdict.state;
            let before = self.0.remove(&finding.name());
            let since = match before {
                Some((then, since)) if then == state => since,
                _ => report.at.clone(),
            };
            finding.since = Some(since.clone());
            now.insert(finding.name(), (state, since));
        }
        self.0 = now;
    }
}

/// Answers one request after the other: each is short, and a slow reader is cut off.
fn serve(listener: &TcpListener, latest: &RwLock<Latest>) {
    for stream in listener.incoming() {
        // A reader that went away is no failure of ours.
        let _ = stream.and_then(|stream| answer(stream, latest));
    }
}

fn answer(mut stream: TcpStream, latest: &RwLock<Latest>) -> std::io::Result<()> {
    stream.set_write_timeout(Some(PATIENCE))?;
    let request = request(&mut stream)?;
    let latest = latest.read().unwrap_or_else(PoisonError::into_inner);
    let (status, kind, body) = page(&request, &latest);
    drop(latest);
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// A request up to its empty line, as far as it comes in time.
fn request(stream: &mut TcpStream) -> std::io::Result<String> {
    let until = Instant::now() + PATIENCE;
    let mut request = Vec::new();
    let mut part = [0; 1024];
    while request.len() < LONGEST && !request.ends_with(b"\r\n\r\n") {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut part)? {
            0 => break,
            length => request.extend_from_slice(part.get(..length).unwrap_or_default()),
        }
    }
    Ok(String::from_utf8_lossy(&request).into_owned())
}

/// Status, content type and body of the answer to a request.
fn page(request: &str, latest: &Latest) -> (&'static str, &'static str, String) {
    const TEXT: &str = "text/plain; charset=utf-8";
    let mut words = request
        .lines()
        .next()
        .unwrap_or_default()
        .split_whitespace();
    let (method, target) = (words.next(), words.next().unwrap_or_default());
    let path = target.split('?').next().unwrap_or_default();
    match (method, path, &latest.report) {
        (Some("GET"), "/healthz" | "/metrics", None) => (
            "503 Service Unavailable",
            TEXT,
            "UNKNOWN: not looked yet\n".to_owned(),
        ),
        (Some("GET"), "/healthz", Some(report)) => {
            // A warning still works.
            let status = match report.state() {
                State::Ok | State::Warning => "200 OK",
                State::Critical | State::Unknown => "503 Service Unavailable",
            };
            (status, TEXT, text::text(report))
        }
        (Some("GET"), "/metrics", Some(report)) => (
            "200 OK",
            openmetrics::CONTENT_TYPE,
            openmetrics::openmetrics(report),
        ),
        (Some("GET"), "/fleet" | "/fleet.json", _) => match (&latest.fleet, path) {
            (None, _) => (
                "404 Not Found",
                TEXT,
                "only a hub that logs in, and has looked, knows its fleet\n".to_owned(),
            ),
            (Some(fleet), "/fleet") => ("200 OK", TEXT, fleet::text(fleet)),
            (Some(fleet), _) => (
                "200 OK",
                "application/json",
                serde_json::json!(fleet).to_string(),
            ),
        },
        (Some("GET"), ..) => (
            "404 Not Found",
            TEXT,
            "/healthz, /metrics, /fleet or /fleet.json\n".to_owned(),
        ),
        _ => ("405 Method Not Allowed", TEXT, "GET\n".to_owned()),
    }
}
