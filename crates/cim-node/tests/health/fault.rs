//! One thing is made wrong: that check says so in every form, what waits for it says why, nothing else changes, and all is
//! as before once it is mended. What was said is in `faults/`, a file for each fault.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result, ensure};
use cim_node::health::check;
use serde_json::Value;

use crate::figures::moved;
use crate::scene::{Scene, finding};
use crate::transcript::{Told, folder, held, transcript};

/// What a fault must look like.
#[derive(Debug, Clone, Copy)]
pub struct Fault<'a> {
    /// The check that must notice.
    pub check: &'a str,
    /// Its subject.
    pub of: &'a str,
    /// Its state then.
    pub state: &'a str,
    /// What it must say.
    pub says: &'a [&'a str],
}

/// How often all forms are asked before what they say is taken for wrong.
const TRIES: usize = 5;

/// State and reason of every finding.
type States = BTreeMap<(String, String), (String, String)>;

fn states(report: &Value) -> Result<States> {
    let findings = report["checks"].as_array().context("no checks")?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Ok(findings
        .iter()
        .map(|finding| {
            let name = (text(&finding["check"]), text(&finding["of"]));
            (name, (text(&finding["state"]), text(&finding["because"])))
        })
        .collect())
}

/// Waits until all is well.
pub fn well(scene: &Scene) -> Result<Value> {
    scene.until(|report| {
        ensure!(report["state"] == "OK", "not well: {report:#}");
        Ok(())
    })
}

/// Looks in every form until all of them are right; a server that gets no processor for a moment says so to one of them.
fn settled(scene: &Scene, right: impl Fn(&Told) -> Result<()>) -> Result<Told> {
    for _ in 1..TRIES {
        let told = Told::by(scene)?;
        if right(&told).is_ok() {
            return Ok(told);
        }
    }
    let told = Told::by(scene)?;
    right(&told).map(|()| told)
}

impl Fault<'_> {
    /// Makes it wrong and mends it.
    pub fn seen(
        self,
        scene: &mut Scene,
        wrong: impl FnOnce(&mut Scene) -> Result<()>,
        mend: impl FnOnce(&mut Scene) -> Result<()>,
    ) -> Result<()> {
        let doing = || format!("{self:?}");
        well(scene).with_context(doing)?;
        let before = settled(scene, |told| {
            let all = [&told.json, &told.metrics, &told.nagios, &told.text];
            ensure!(all.iter().all(|said| said.code == 0), "{told:?}");
            Ok(())
        })?;
        wrong(scene).with_context(doing)?;
        scene
            .until(|report| self.noticed(report))
            .with_context(doing)?;
        settled(scene, |told| self.told(scene, &before, told)).with_context(doing)?;
        mend(scene).with_context(doing)?;
        well(scene).with_context(|| format!("mended: {self:?}"))?;
        settled(scene, |told| self.mended(&before, told)).map(drop)
    }

    /// Holds what was said, in every form, against what was said before and against the fault's file.
    pub fn told(self, scene: &Scene, before: &Told, told: &Told) -> Result<()> {
        let report = told.report()?;
        self.noticed(&report)?;
        self.alone(&states(&before.report()?)?, &report)?;
        self.in_every_form(scene, told)?;
        self.in_metrics(before, told)?;
        let text = transcript(scene, &before.states()?, told)?;
        let head = format!("check: {}\nsays: {:?}\n\n", self.check, self.says);
        let figures = moved(self.check, self.of, before, told)?;
        held(&self.file(), &format!("{head}{text}{figures}"))
    }

    /// All is as before, for people and for Prometheus.
    pub fn mended(self, before: &Told, after: &Told) -> Result<()> {
        let (then, now) = (states(&before.report()?)?, states(&after.report()?)?);
        ensure!(
            then == now,
            "{self:?}: not as before: {:#}",
            after.report()?
        );
        let (then, now) = (before.states()?, after.states()?);
        ensure!(then == now, "{self:?}: {then:?}, and then {now:?}");
        ensure!(after.text.code == 0, "{:?}", after.text);
        Ok(())
    }

    /// The file of what it says.
    fn file(self) -> String {
        let words = format!("{} {} {}", self.check, self.state, self.says.join(" "));
        let words = words.to_lowercase();
        let words = words.split(|c: char| !c.is_ascii_alphanumeric());
        let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
        words.join("-").chars().take(80).collect()
    }

    fn name(self) -> String {
        [self.check, self.of].join(" ").trim().to_owned()
    }

    fn code(self) -> i32 {
        match self.state {
            "WARNING" => 1,
            "CRITICAL" => 2,
            _ => 3,
        }
    }

    fn noticed(self, report: &Value) -> Result<()> {
        let found = finding(report, self.check, self.of)?;
        ensure!(found["state"] == self.state, "{found:#}");
        let message = found["message"].as_str().unwrap_or_default();
        for part in self.says {
            ensure!(message.contains(part), "no {part:?} in {message:?}");
        }
        let help = found["help"].as_str().unwrap_or_default();
        ensure!(!help.is_empty(), "no help: {found:#}");
        ensure!(found["because"].is_null(), "{found:#}");
        ensure!(report["exit"] == self.code(), "{report:#}");
        // All others have settled.
        for other in report["checks"].as_array().context("no checks")? {
            let because = other["because"].as_str();
            ensure!(
                other["state"] == "OK" || other == found || because == Some(&self.name()),
                "{other:#}"
            );
        }
        Ok(())
    }

    /// Others are as before, or wait for this one, as their check says that it does.
    fn alone(self, before: &States, report: &Value) -> Result<()> {
        let now = states(report)?;
        for name in before.keys().filter(|name| !now.contains_key(*name)) {
            // What it would have been about is known to what failed alone: a dead server's streams, a missing file's drill.
            ensure!(
                waits(&name.0, self.check) || name.0 == self.check || name.0 == "drill",
                "{name:?} is not judged any more"
            );
        }
        for ((name, of), (state, because)) in now {
            if name == self.check && of == self.of {
                continue;
            }
            if because.is_empty() {
                let then = before.get(&(name.clone(), of.clone()));
                ensure!(
                    then.is_none_or(|(then, _)| *then == state),
                    "{name} {of} changed too: {state}"
                );
                continue;
            }
            ensure!(state == "UNKNOWN", "{name} {of} waits and is {state}");
            // These wait for one finding of a check: a source for the link that it comes over, a drill for the backup of its
            // account, a stream for its account's declarations, a digest for a certificate that nats-server must read, what is
            // asked of a hub for its own link.
            let of_one = [
                "source",
                "drill",
                "stream",
                "consumer",
                "config",
                "hub-health",
                "hub-clock",
                "canary",
            ];
            ensure!(
                waits(&name, self.check) || of_one.contains(&name.as_str()),
                "{name} does not say that it waits for {}",
                self.check
            );
        }
        Ok(())
    }

    fn in_every_form(self, scene: &Scene, told: &Told) -> Result<()> {
        for said in [&told.json, &told.metrics, &told.nagios, &told.text] {
            ensure!(said.code == self.code(), "{said:?}");
            ensure!(said.err.is_empty(), "{said:?}");
        }
        let first = told.nagios.out.lines().next().unwrap_or_default();
        let begins = format!(
            "CIM {}: {} {}: ",
            scene.health.server_name,
            self.state,
            self.name()
        );
        ensure!(first.starts_with(&begins), "{first:?}, not {begins:?}");
        let line = format!("{:<9} {}: ", self.state, self.name());
        let text = &told.text.out;
        ensure!(text.contains(&line), "no {line:?} in {text}");
        // All four tell of the same.
        let wrong = text.lines().skip(1).filter(|line| {
            let words = ["WARNING ", "CRITICAL ", "UNKNOWN "];
            words.iter().any(|word| line.starts_with(word))
        });
        let (wrong, states) = (wrong.count(), told.states()?);
        let others = states.values().filter(|(_, state)| state != "0").count();
        ensure!(wrong == others, "{wrong} in the text, {others} samples");
        Ok(())
    }

    /// Its sample goes from 0 to its state; others stay, or say that they wait.
    fn in_metrics(self, before: &Told, told: &Told) -> Result<()> {
        let (then, now) = (before.states()?, told.states()?);
        let own = (self.check.to_owned(), self.of.to_owned());
        for (name, (because, state)) in &now {
            let was = then.get(name);
            ensure!(
                was.is_none_or(|(_, was)| was == "0"),
                "{name:?} was {was:?}"
            );
            let wanted = match (*name == own, because.is_empty()) {
                (true, true) => self.code().to_string(),
                (false, true) => "0".to_owned(),
                (false, false) => "3".to_owned(),
                (true, false) => anyhow::bail!("it waits for {because}"),
            };
            ensure!(*state == wanted, "{name:?} is {state}, not {wanted}");
        }
        ensure!(now.contains_key(&own), "no sample of {own:?}");
        Ok(())
    }
}

/// Whether a check waits for another, at first or second hand.
fn waits(check: &str, other: &str) -> bool {
    let found = check::all().find(|found| found.name == check);
    found.is_some_and(|found| {
        found
            .after
            .iter()
            .any(|after| *after == other || waits(after, other))
    })
}

/// Each check has a fault that was seen, in a file that a test still holds; there are enough of them.
#[test]
fn every_check_has_its_faults() -> Result<()> {
    let sources = fs::read_dir(folder().parent().context("a folder")?)?;
    let sources = sources.map(|entry| Ok(entry?.path()));
    let sources: Vec<_> = sources.collect::<Result<_>>()?;
    let sources = sources
        .iter()
        .filter(|path| path.extension().is_some_and(|is| is == "rs"));
    let sources = sources
        .map(fs::read_to_string)
        .collect::<Result<String, _>>()?;
    let mut faults: BTreeMap<String, usize> = BTreeMap::new();
    for entry in fs::read_dir(folder())? {
        let path = entry?.path();
        let text = fs::read_to_string(&path)?;
        let mut lines = text.lines();
        let mut head = |name| lines.next().and_then(|line: &str| line.strip_prefix(name));
        let check = head("check: ").context("a check")?;
        let says = head("says: ").context("what it says")?;
        let says: Vec<String> = serde_json::from_str(says)?;
        let place = path.display();
        ensure!(!says.is_empty(), "{place} says nothing");
        for part in says {
            ensure!(
                sources.contains(&format!("{part:?}")),
                "{place}: no test asks for {part:?}"
            );
        }
        *faults.entry(check.to_owned()).or_default() += 1;
    }
    let without: Vec<_> = check::all()
        .map(|check| check.name)
        .filter(|name| !faults.contains_key(*name))
        .collect();
    ensure!(without.is_empty(), "no fault of {without:?}");
    let count: usize = faults.values().sum();
    println!("{count} faults of {} checks: {faults:?}", faults.len());
    ensure!(count >= 25, "{count} faults");
    Ok(())
}
