//! A Prometheus that reads the scene, and what it answers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use cim_testkit::Held;
use serde_json::{Value, json};

use super::list;
use super::scene::{Scene, listener};
use crate::tools::Tools;

/// How long a series may take to be there: a rate needs two scrapes, and a rule is evaluated after them.
const PATIENCE: Duration = Duration::from_secs(60);

/// Asks until it is so.
fn until<T>(mut ask: impl FnMut() -> Result<T>) -> Result<T> {
    let until = Instant::now() + PATIENCE;
    loop {
        let asked = ask();
        if asked.is_ok() || Instant::now() >= until {
            return asked;
        }
        std::thread::park_timeout(Duration::from_millis(100));
    }
}

/// It is killed when this is dropped.
pub struct Prometheus {
    child: Child,
    url: String,
    log: PathBuf,
    _port: Held,
    _folder: tempfile::TempDir,
}

impl Prometheus {
    /// Starts it with the rules; beside the scene's servers the fleet has one that nobody hears of.
    pub fn start(tools: &Tools, rules: &Path, scene: &Scene) -> Result<Self> {
        let folder = tempfile::tempdir().context("creating a folder")?;
        let targets = scene.targets();
        let mut declared: Vec<_> = targets
            .iter()
            .map(|target| target["labels"].clone())
            .collect();
        declared
            .push(json!({"instance": "unheard", "role": "leaf", "hub": "hub", "region": "here"}));
        let record = |labels: &Value| json!({"record": "cim_fleet_server", "expr": "vector(1)", "labels": labels});
        let records: Vec<_> = declared.iter().map(record).collect();
        let fleet = folder.path().join("fleet.json");
        fs::write(
            &fleet,
            json!({"groups": [{"name": "cim-fleet", "rules": records}]}).to_string(),
        )?;
        let config = json!({
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "500ms"},
            "rule_files": [rules, fleet],
            "scrape_configs": [{"job_name": "cim-health", "static_configs": targets}],
        });
        let file = folder.path().join("prometheus.json");
        fs::write(&file, config.to_string())?;
        let (address, port) = listener()?;
        let log = folder.path().join("log");
        let mut command = tools.command("prometheus")?;
        command
            .arg(format!("--config.file={}", file.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.path().join("data").display()
            ))
            .arg(format!("--web.listen-address={address}"))
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log)?);
        Ok(Self {
            child: command.spawn().context("starting prometheus")?,
            url: format!("http://{address}/api/v1"),
            log,
            _port: port,
            _folder: folder,
        })
    }

    /// Asks until there is an answer.
    pub fn until_some(&self, query: &str) -> Result<()> {
        until(|| {
            let answer = self.ask("query", query)?;
            ensure!(!list(&answer, "/data/result")?.is_empty(), "no series");
            Ok(())
        })
    }

    /// Waits until rules were evaluated without an error, and the texts of those that found something hold none; how many did.
    pub fn alerts_are_well(&self) -> Result<usize> {
        until(|| self.alerts())
    }

    fn alerts(&self) -> Result<usize> {
        let rules = self.ask("rules", "")?;
        for group in list(&rules, "/data/groups")? {
            for rule in list(group, "/rules")? {
                ensure!(rule["health"] == "ok", "{rule:#}");
            }
        }
        let alerts = self.ask("alerts", "")?;
        let alerts = list(&alerts, "/data/alerts")?;
        for alert in alerts {
            for text in alert["annotations"].as_object().into_iter().flatten() {
                let text = text.1.as_str().unwrap_or_default();
                let is_whole = !text.contains("<error") && !text.contains("<no value>");
                ensure!(is_whole, "{alert:#}");
            }
        }
        ensure!(
            !alerts.is_empty(),
            "throwaway certificates end soon, and no alert says so"
        );
        Ok(alerts.len())
    }

    fn ask(&self, what: &str, query: &str) -> Result<Value> {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(5)))
            .http_status_as_error(false)
            .build();
        let request = ureq::Agent::from(config).get(format!("{}/{what}", self.url));
        let request = match query {
            "" => request,
            query => request.query("query", query),
        };
        let text = request
            .call()
            .and_then(|mut response| response.body_mut().read_to_string());
        let text = text.with_context(|| {
            let log = fs::read_to_string(&self.log).unwrap_or_default();
            let last: Vec<_> = log.lines().rev().take(5).collect();
            format!("asking Prometheus for {what}; its log ends: {last:#?}")
        })?;
        let answer: Value =
            serde_json::from_str(&text).with_context(|| format!("it answers {text:?}"))?;
        ensure!(answer["status"] == "success", "{}", answer["error"]);
        Ok(answer)
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // It may have ended by itself; then it did not answer.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
