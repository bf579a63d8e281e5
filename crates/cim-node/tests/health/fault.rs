//! One thing is made wrong: that check says so in every form, what waits for it says why, nothing else changes, and all is
//! as before once it is mended.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use cim_node::health::check;
use serde_json::Value;

use crate::scene::{Scene, finding};

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

impl Fault<'_> {
    /// Makes it wrong and mends it.
    pub fn seen(
        self,
        scene: &mut Scene,
        wrong: impl FnOnce(&mut Scene) -> Result<()>,
        mend: impl FnOnce(&mut Scene) -> Result<()>,
    ) -> Result<()> {
        let doing = || format!("{self:?}");
        let before = states(&well(scene)?).with_context(doing)?;
        wrong(scene).with_context(doing)?;
        let report = scene
            .until(|report| self.noticed(report))
            .with_context(doing)?;
        self.alone(&before, &report).with_context(doing)?;
        self.in_every_form(scene).with_context(doing)?;
        mend(scene).with_context(doing)?;
        let after = well(scene).with_context(|| format!("mended: {self:?}"))?;
        ensure!(
            states(&after)? == before,
            "{self:?}: not as before: {after:#}"
        );
        Ok(())
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
        for ((name, of), (state, because)) in states(report)? {
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
            // A source waits for the one link that it comes over; a digest that nats-server is asked for, for a
            // certificate that it cannot read; what is asked of a hub, for its own link.
            let by_itself = ["source", "config", "hub-health", "hub-clock", "canary"];
            ensure!(
                waits(&name, self.check) || by_itself.contains(&name.as_str()),
                "{name} does not say that it waits for {}",
                self.check
            );
        }
        Ok(())
    }

    fn in_every_form(self, scene: &Scene) -> Result<()> {
        let metrics = scene.run(&["--openmetrics"])?;
        let sample = format!(
            "cim_health_check_state{{server=\"{}\",check=\"{}\",of=\"{}\",because=\"\"}} {}\n",
            scene.health.server_name,
            self.check,
            self.of,
            self.code()
        );
        ensure!(metrics.out.contains(&sample), "no {sample} in {metrics:?}");
        ensure!(metrics.code == self.code(), "{metrics:?}");
        let nagios = scene.run(&["--nagios"])?;
        let first = nagios.out.lines().next().unwrap_or_default();
        let begins = format!(
            "CIM {}: {} {}: ",
            scene.health.server_name,
            self.state,
            self.name()
        );
        ensure!(first.starts_with(&begins), "{first:?}, not {begins:?}");
        ensure!(nagios.code == self.code(), "{nagios:?}");
        let text = scene.run(&[])?;
        let line = format!("{:<9} {}: ", self.state, self.name());
        ensure!(text.out.contains(&line), "no {line:?} in {}", text.out);
        ensure!(text.code == self.code(), "{text:?}");
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
