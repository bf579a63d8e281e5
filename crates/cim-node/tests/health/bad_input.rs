//! What is no answer of a nats-server of ours: never OK, never a panic, always the reason.
//!
//! These listeners stand for whatever else may have the port; no nats-server says such things.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use cim_testkit::golden;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::daemon::Daemon;
use crate::scene::{Said, Scene, finding, prepared};

/// Something on a port of its own, until it is dropped.
struct Stranger {
    url: String,
    over: Arc<AtomicBool>,
}

impl Stranger {
    /// Does the same with each connection.
    fn new(with: impl Fn(TcpStream, &str) + Send + 'static) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("http://{}", listener.local_addr()?);
        let over = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&over);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if ends.load(Ordering::Relaxed) {
                    return;
                }
                let mut stream = stream;
                let mut request = [0; 4096];
                let length = stream.read(&mut request).unwrap_or_default();
                let request = String::from_utf8_lossy(&request[..length]).into_owned();
                with(stream, &request);
            }
        });
        Ok(Self { url, over })
    }

    /// Answers every request with this.
    fn saying(status: &str, body: &str) -> Result<Self> {
        let answer = format!(
            "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        Self::new(move |mut stream, _| {
            let _ = stream.write_all(answer.as_bytes());
        })
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.url.trim_start_matches("http://"));
    }
}

fn scene() -> Result<Scene> {
    prepared(&[golden("security-cim-prod-001")?])
}

/// The server is unknown for this reason, and so is the whole.
fn unknown(scene: &Scene, says: &str) -> Result<()> {
    for form in [&["--json"][..], &["--nagios"], &["--openmetrics"], &[]] {
        let said = scene.run(form)?;
        ensure!(said.code == 3, "{said:?}");
        ensure!(said.err.is_empty(), "{said:?}");
    }
    let report = scene.report()?;
    ensure!(report["state"] == "UNKNOWN", "{report:#}");
    let found = finding(&report, "server", "")?;
    let message = found["message"].as_str().unwrap_or_default();
    ensure!(message.contains(says), "no {says:?} in {message:?}");
    let findings = report["checks"].as_array().context("checks")?;
    let asked = ["certificate", "credential", "disk"];
    for finding in findings {
        let own = asked.contains(&finding["check"].as_str().unwrap_or_default());
        let state = &finding["state"];
        ensure!(state == "UNKNOWN" || own, "{finding:#}");
    }
    Ok(())
}

#[test]
fn answers_that_are_none() -> Result<()> {
    let mut scene = scene()?;
    let half = r#"{"server_name": "cim-prod-001", "config_load_ti"#;
    for (status, body, says) in [
        ("200 OK", half, "does not answer as nats-server does"),
        ("200 OK", "", "does not answer as nats-server does"),
        ("200 OK", "{}", "missing field `server_name`"),
        ("200 OK", "[]", "does not answer as nats-server does"),
        ("200 OK", "null", "does not answer as nats-server does"),
        (
            "200 OK",
            "<html>It works!</html>",
            "\"<html>It works!</html>\"",
        ),
        (
            "200 OK",
            r#"{"server_name": 7, "config_load_time": ""}"#,
            "invalid type",
        ),
        (
            "200 OK",
            r#"{"server_name": "x", "config_load_time": "", "connections": -1}"#,
            "invalid value",
        ),
        (
            "404 Not Found",
            "404 page not found",
            "says 404: 404 page not found",
        ),
        ("500 Internal Server Error", "", "says 500"),
        ("302 Found", "", "says 302"),
    ] {
        let stranger = Stranger::saying(status, body)?;
        scene.health.monitor.clone_from(&stranger.url);
        unknown(&scene, says).with_context(|| format!("{status} {body:?}"))?;
    }
    Ok(())
}

#[test]
fn no_http_at_all() -> Result<()> {
    let mut scene = scene()?;
    let speaker = |bytes: Vec<u8>| {
        Stranger::new(move |mut stream, _| {
            let _ = stream.write_all(&bytes);
        })
    };
    for bytes in [
        b"SSH-2.0-OpenSSH_9.6\r\n".to_vec(),
        b"INFO {\"server_id\":\"x\"}\r\n".to_vec(),
        (0..=255).collect(),
        Vec::new(),
    ] {
        let stranger = speaker(bytes)?;
        scene.health.monitor.clone_from(&stranger.url);
        unknown(&scene, "the server does not answer: asking http")?;
    }
    scene.health.monitor = "http://127.0.0.1:1".to_owned();
    unknown(&scene, "refused")?;
    scene.health.monitor = "http://no.such.host.invalid:8222".to_owned();
    unknown(&scene, "asking http://no.such.host.invalid:8222/varz")?;
    scene.health.monitor = "not a url".to_owned();
    unknown(&scene, "not a url/varz")
}

#[test]
fn an_answer_without_end_is_left() -> Result<()> {
    let mut scene = scene()?;
    let taken = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&taken);
    let endless = Stranger::new(move |mut stream, _| {
        let _ = stream.write_all(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"server_name\": \"",
        );
        let chunk = [b'x'; 1 << 16];
        while stream.write_all(&chunk).is_ok() {
            count.fetch_add(chunk.len(), Ordering::Relaxed);
        }
    })?;
    scene.health.monitor.clone_from(&endless.url);
    let report = scene.report()?;
    let found = finding(&report, "server", "")?;
    ensure!(
        report["exit"] == 3 && found["state"] == "UNKNOWN",
        "{found:#}"
    );
    let message = found["message"].as_str().unwrap_or_default();
    ensure!(
        message.contains("/varz: ") && message.len() < 400,
        "{message}"
    );
    // What it reads of a stranger, and what waits between the two.
    let taken = taken.load(Ordering::Relaxed);
    ensure!(taken < 12 << 20, "{taken} bytes");
    Ok(())
}

/// A server's `/varz` with fields of it written over; of other pages the beginning of an object, and its end where it is not
/// `silent`.
fn replay(varz: &Value, with: &[(&str, Value)], silent: bool) -> Result<Stranger> {
    let mut varz = varz.clone();
    for (name, value) in with {
        varz[*name] = value.clone();
    }
    let text = varz.to_string();
    let held = Mutex::new(Vec::new());
    Stranger::new(move |mut stream, request| {
        let is_varz = request.starts_with("GET /varz");
        let body = if is_varz { &text } else { "{}" };
        let said = if silent && !is_varz { "{" } else { body };
        let _ = write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{said}",
            body.len()
        );
        if let Ok(mut held) = held.lock() {
            held.push(stream);
        }
    })
}

/// A server that answers one question and none of the others: the look is long, and the daemon does not hang.
#[test]
fn a_look_at_a_server_that_answers_one_question_is_no_hang() -> Result<()> {
    let mut scene = crate::scene::alone(&golden("security-cim-prod-001")?)?;
    scene.health.watch.links = scene.fleet.health(&scene.name)?.watch.links;
    let varz: Value = scene.fleet.server(&scene.name)?.get("/varz")?;
    let stranger = replay(&varz, &[], true)?;
    scene.health.monitor.clone_from(&stranger.url);
    let watchdog = std::time::Duration::from_secs(5);
    let daemon = Daemon::watched(&scene, Some(watchdog))?;
    let begin = Instant::now();
    loop {
        let since = Instant::now();
        let told = daemon.told()?;
        ensure!(since.elapsed() < watchdog, "{:?}", since.elapsed());
        if told.contains("STATUS=") {
            ensure!(told.contains("READY=1"), "{told}");
            break;
        }
        ensure!(told == "WATCHDOG=1", "{told}");
    }
    ensure!(
        begin.elapsed() > watchdog,
        "the look took {:?}",
        begin.elapsed()
    );
    Ok(())
}

#[test]
fn a_good_page_beside_bad_ones_is_unknown_where_it_matters() -> Result<()> {
    let mut scene = crate::scene::alone(&golden("security-cim-prod-001")?)?;
    scene.health.watch.links = scene.fleet.health(&scene.name)?.watch.links;
    let varz: Value = scene.fleet.server(&scene.name)?.get("/varz")?;
    let now = OffsetDateTime::now_utc().format(&Rfc3339)?;
    let stranger = replay(&varz, &[("now", json!(now))], false)?;
    scene.health.monitor.clone_from(&stranger.url);
    let report = scene.report()?;
    for (check, of) in [("link", "hub"), ("healthz", "")] {
        let found = finding(&report, check, of)?;
        ensure!(
            found["state"] == "UNKNOWN" && found["because"].is_null(),
            "{found:#}"
        );
        let message = found["message"].as_str().unwrap_or_default();
        ensure!(
            message.contains("does not answer as nats-server does"),
            "{message}"
        );
    }
    ensure!(report["exit"] == 3, "{report:#}");
    Ok(())
}

#[test]
fn a_clock_that_is_hours_off_is_critical_and_one_that_is_none_unknown() -> Result<()> {
    let mut scene = crate::scene::alone(&golden("security-cim-prod-001")?)?;
    let varz: Value = scene.fleet.server(&scene.name)?.get("/varz")?;
    let off = (OffsetDateTime::now_utc() - Duration::hours(3)).format(&Rfc3339)?;
    for (now, state, says) in [
        (json!(off), "CRITICAL", "s from the host's"),
        (
            json!("yesterday"),
            "UNKNOWN",
            "the server's clock says \"yesterday\", which is no moment",
        ),
    ] {
        let stranger = replay(&varz, &[("now", now)], false)?;
        scene.health.monitor.clone_from(&stranger.url);
        let report = scene.report()?;
        let found = finding(&report, "clock", "")?;
        ensure!(found["state"] == state, "{found:#}");
        let message = found["message"].as_str().unwrap_or_default();
        ensure!(message.contains(says), "no {says:?} in {message:?}");
    }
    Ok(())
}

#[test]
fn a_health_json_that_is_none() -> Result<()> {
    let scene = scene()?;
    let file = scene.file()?;
    let text = std::fs::read_to_string(&file)?;
    let run = || -> Result<Said> {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_cim-health"));
        Said::of(command.arg("--json").arg(&file).output()?)
    };
    for content in [
        "",
        "{",
        "[]",
        &text[..text.len() / 2],
        &text.replace("\"unit\"", "\"uint\""),
    ] {
        std::fs::write(&file, content)?;
        let report = run()?.report()?;
        ensure!(report["exit"] == 3, "{report:#}");
        let message = finding(&report, "server", "")?["message"].to_string();
        ensure!(message.contains("health.json"), "{message}");
    }
    std::fs::remove_file(&file)?;
    let report = run()?.report()?;
    ensure!(
        report["exit"] == 3
            && report["checks"][0]["message"]
                .to_string()
                .contains("No such file"),
        "{report:#}"
    );
    Ok(())
}

#[test]
fn wrong_words_on_the_command_line_are_unknown() -> Result<()> {
    for words in [
        &["--nonsense"][..],
        &[],
        &["--json", "--nagios", "x"],
        &["explain", "nothing"],
        &["gate"],
    ] {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_cim-health"));
        let said = Said::of(command.args(words).output()?)?;
        ensure!(
            said.code == 3 && !said.err.is_empty(),
            "{words:?}: {said:?}"
        );
    }
    Ok(())
}
