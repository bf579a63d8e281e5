//! What an operator is told of a fault, in every form: `faults/`, one file each. `UPDATE_GOLDEN=1` writes them anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use anyhow::{Context, Result, ensure};
use cim_testkit::nats_server;
use regex::{Captures, Regex};
use serde_json::Value;

use crate::scene::{Said, Scene};

/// The forms that a report is told in; each is a run of its own.
pub const FORMS: [&str; 4] = ["--json", "--openmetrics", "--nagios", "--text"];

/// Every form of what was seen, and how each run ended.
#[derive(Debug)]
pub struct Told {
    pub json: Said,
    pub metrics: Said,
    pub nagios: Said,
    pub text: Said,
}

/// `cim_health_check_state` of each check and subject: why, and the state.
pub type States = BTreeMap<(String, String), (String, String)>;

impl Told {
    /// From one run for each of [`FORMS`].
    pub fn of(runs: impl IntoIterator<Item = Result<Said>>) -> Result<Self> {
        let mut runs = runs.into_iter();
        let mut next = || runs.next().context("a form is missing")?;
        Ok(Self {
            json: next()?,
            metrics: next()?,
            nagios: next()?,
            text: next()?,
        })
    }

    /// Looks once for each form.
    pub fn by(scene: &Scene) -> Result<Self> {
        Self::of(FORMS.map(|form| scene.run(words(form))))
    }

    pub fn report(&self) -> Result<Value> {
        self.json.report()
    }

    /// What Prometheus reads.
    pub fn states(&self) -> Result<States> {
        static SAMPLE: LazyLock<Option<Regex>> = LazyLock::new(|| {
            let label = |name: &str| format!("{name}=\"((?:[^\"\\\\]|\\\\.)*)\"");
            let labels = ["check", "of", "because"].map(label).join(",");
            let line = format!("^cim_health_check_state\\{{server=\"[^\"]*\",{labels}\\}} (\\d)$");
            Regex::new(&line).ok()
        });
        let sample = SAMPLE.as_ref().context("the expression")?;
        let lines = self.metrics.out.lines();
        let states = lines.filter_map(|line| sample.captures(line)).map(|found| {
            let [check, of, because, state] = found.extract().1.map(str::to_owned);
            ((check, of), (because, state))
        });
        let states: States = states.collect();
        let all = self
            .metrics
            .out
            .matches("\ncim_health_check_state{")
            .count();
        ensure!(states.len() == all, "{} of {all} samples", states.len());
        Ok(states)
    }
}

/// The words of the command line for a form.
pub fn words(form: &'static str) -> &'static [&'static str] {
    match form {
        "--openmetrics" => &["--openmetrics"],
        "--nagios" => &["--nagios"],
        "--json" => &["--json"],
        _ => &[],
    }
}

/// What changed, as people and programs are told; what differs from run to run is masked.
pub fn transcript(scene: &Scene, before: &States, told: &Told) -> Result<String> {
    let mut lines = vec![format!("exit {}", told.text.code)];
    let text = told.text.out.lines().skip(1);
    let wrong = text.filter(|line| !line.starts_with("OK ") && !line.starts_with("- "));
    lines.extend(wrong.map(str::to_owned));
    let nagios = told.nagios.out.lines().next().unwrap_or_default();
    let nagios = nagios.split(" | ").next().unwrap_or_default();
    lines.push(format!("nagios: {nagios}"));
    let now = told.states()?;
    let text = |state: Option<&(String, String)>| match state {
        Some((because, state)) if because.is_empty() => state.clone(),
        Some((because, state)) => format!("{state} because {because}"),
        None => "none".to_owned(),
    };
    for name in before
        .keys()
        .chain(now.keys().filter(|name| !before.contains_key(*name)))
    {
        let (then, now) = (text(before.get(name)), text(now.get(name)));
        if then != now {
            let (check, of) = name;
            lines.push(format!("metric {check} {of:?}: {then} -> {now}"));
        }
    }
    let (last, metrics): (Vec<_>, Vec<_>) = lines
        .into_iter()
        .partition(|line| !line.starts_with("metric "));
    // States are numbers that are not masked.
    let masked = last.iter().map(|line| mask(scene, line));
    let metrics = metrics.iter().map(|line| places(scene, line));
    let all: Result<Vec<_>> = masked.chain(metrics).collect();
    let text = all?.join("\n") + "\n";
    Ok(text.replacen("exit #", &format!("exit {}", told.text.code), 1))
}

/// Folders of this run by names of their own.
fn places(scene: &Scene, line: &str) -> Result<String> {
    let server = nats_server()?;
    let line = line.replace(&*scene.dir.path().to_string_lossy(), "$DIR");
    Ok(line.replace(&*server.to_string_lossy(), "$NATS_SERVER"))
}

/// Moments, digests and numbers as `#`; not those that are part of a name.
fn mask(scene: &Scene, line: &str) -> Result<String> {
    static CHANGING: LazyLock<[Result<Regex, regex::Error>; 2]> = LazyLock::new(|| {
        [
            r"(\d{4}-\d\d-\d\dT[0-9:.]+Z|sha256:[0-9a-f]+|\d{8}T\d{6}\.\d+Z)",
            r"(?:^|(?<before>[^-\w$]))[+]?\d[\d.]*(?: [KMGTPE]?i?B\b)?",
        ]
        .map(Regex::new)
    });
    let mut line = places(scene, line)?;
    for changing in CHANGING.iter() {
        let changing = changing.as_ref().map_err(Clone::clone)?;
        let masked = changing.replace_all(&line, |found: &Captures| {
            let before = found.name("before").map_or("", |before| before.as_str());
            format!("{before}#")
        });
        line = masked.into_owned();
    }
    Ok(line)
}

/// The folder of goldens.
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/health/faults")
}

/// Holds a fault's words against its golden file.
pub fn held(name: &str, text: &str) -> Result<()> {
    let path = folder().join(format!("{name}.txt"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(folder())?;
        return Ok(fs::write(&path, text)?);
    }
    let golden = fs::read_to_string(&path).with_context(|| {
        let place = path.display();
        format!("{place} is missing; run with UPDATE_GOLDEN=1 and read what it writes:\n{text}")
    })?;
    ensure!(
        golden == text,
        "{} says\n{golden}\nand now it is\n{text}",
        path.display()
    );
    Ok(())
}
