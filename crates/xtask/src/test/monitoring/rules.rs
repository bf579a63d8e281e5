//! The alerts: each has a unit test, says what to do, and together they have one for each state of each check.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use cim_node::health::check;
use serde_json::Value;

use super::{list, promql};
use crate::process;
use crate::tools::Tools;

/// One alert; several of one name differ by severity.
pub struct Alert {
    pub name: String,
    pub severity: String,
    expr: String,
    annotations: BTreeMap<String, String>,
}

/// Reads the rules.
pub fn read(file: &Path) -> Result<Vec<Alert>> {
    let rules = yaml(file)?;
    let text = |value: &Value, what: &str| {
        let found = value[what].as_str().map(str::to_owned);
        found.with_context(|| format!("no {what} in {value}"))
    };
    let mut alerts = Vec::new();
    for group in list(&rules, "/groups")? {
        for rule in list(group, "/rules")? {
            let annotations = rule["annotations"].clone();
            alerts.push(Alert {
                name: text(rule, "alert")?,
                severity: text(&rule["labels"], "severity")?,
                expr: text(rule, "expr")?,
                annotations: serde_json::from_value(annotations).context("annotations")?,
            });
        }
    }
    ensure!(alerts.len() > 10, "only {} alerts", alerts.len());
    Ok(alerts)
}

fn yaml(file: &Path) -> Result<Value> {
    let text = fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    serde_saphyr::from_str(&text).with_context(|| format!("reading {}", file.display()))
}

impl Alert {
    /// The checks that a matcher of its expression names, wanted or not.
    fn checks(&self) -> BTreeSet<&str> {
        let matchers = self.expr.split("check").skip(1);
        let values = matchers.filter_map(|rest| {
            let rest = rest.trim_start_matches(['=', '!', '~']);
            rest.strip_prefix('"')?.split('"').next()
        });
        values.flat_map(|value| value.split('|')).collect()
    }

    /// The series that it asks for, in its expression and in its texts.
    pub fn series(&self) -> Vec<String> {
        let mut series: Vec<_> = promql::names(&self.expr).into_iter().collect();
        for text in self.annotations.values() {
            for rest in text.split("`cim_%s_").skip(1) {
                let end = rest.find('{').unwrap_or_default();
                let figure = &rest[..end];
                let checks = self.checks().into_iter();
                series.extend(checks.map(|check| format!("cim_{check}_{figure}")));
            }
        }
        series
    }
}

/// Who is called at night reads what is so, and how to go on.
pub fn told(alerts: &[Alert]) -> Vec<String> {
    let mut problems = Vec::new();
    for alert in alerts {
        let mut say =
            |what: &str| problems.push(format!("{} {}: {what}", alert.name, alert.severity));
        if !["warning", "critical"].contains(&alert.severity.as_str()) {
            say("its severity is neither warning nor critical");
        }
        if !alert.annotations.contains_key("summary") {
            say("it has no summary");
        }
        let description = alert.annotations.get("description");
        let description = description.map(String::as_str).unwrap_or_default();
        let explained = description.split("cim-health explain ").nth(1);
        let word = explained.unwrap_or_default();
        let word = word.split([' ', '.', ',']).next().unwrap_or_default();
        let by_label = explained.is_some_and(|rest| rest.starts_with("{{ $labels.check }}"));
        if !by_label && !check::all().any(|check| check.name == word) {
            say("its description does not say `cim-health explain` and a check");
        }
    }
    problems
}

/// A name that no check has matches nothing, and nobody notices.
pub fn known(alerts: &[Alert]) -> Vec<String> {
    let is_known = |name: &str| check::all().any(|check| check.name == name);
    let each = alerts.iter().flat_map(|alert| {
        let checks = alert.checks().into_iter();
        checks.map(move |check| (alert, check))
    });
    each.filter(|(_, check)| !is_known(check))
        .map(|(alert, check)| format!("{}: there is no check {check}", alert.name))
        .collect()
}

/// `<alert>-<severity>.yaml` sees it fire and not fire, and no file is left over.
pub fn tested(alerts: &[Alert], folder: &Path) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    let mut files: BTreeSet<String> = BTreeSet::new();
    for entry in fs::read_dir(folder).context("reading the tests of alerts")? {
        let name = entry?.file_name();
        files.insert(name.to_string_lossy().into_owned());
    }
    for alert in alerts {
        let file = format!("{}-{}.yaml", alert.name, alert.severity);
        if !files.remove(&file) {
            problems.push(format!("checks/monitoring/{file}: there is no such test"));
            continue;
        }
        let firing = format!(
            "ALERTS{{alertname=\"{}\",severity=\"{}\",alertstate=\"firing\"}}",
            alert.name, alert.severity
        );
        let (mut fires, mut is_still) = (false, false);
        for test in list(&yaml(&folder.join(&file))?, "/tests")? {
            for expected in list(test, "/promql_expr_test")? {
                ensure!(expected["expr"] == firing, "{file} asks {expected}");
                let samples = list(expected, "/exp_samples")?;
                fires |= !samples.is_empty();
                is_still |= samples.is_empty();
            }
        }
        if !(fires && is_still) {
            problems.push(format!(
                "{file}: sees it fire: {fires}, not fire: {is_still}"
            ));
        }
    }
    problems.extend(
        files
            .iter()
            .map(|file| format!("{file}: no alert of that name")),
    );
    Ok(problems)
}

/// promtool reads the rules, and runs their tests.
pub fn check(tools: &Tools, root: &Path) -> Result<()> {
    let mut promtool = tools.command("promtool")?;
    process::quiet(
        promtool
            .args(["check", "rules", "--lint-fatal", "--lint=all"])
            .arg(root.join(super::RULES)),
    )?;
    let mut promtool = tools.command("promtool")?;
    promtool.args(["test", "rules"]);
    let mut files: Vec<_> = fs::read_dir(root.join("checks/monitoring"))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    files.sort();
    process::quiet(promtool.args(files))
}

/// Each check, in each state but OK, has exactly one alert: those that are new here too. What waits for another has none.
pub fn each_state_has_one(tools: &Tools, rules: &Path) -> Result<()> {
    let names = check::all().map(|check| check.name);
    let names: BTreeSet<_> = names.chain(["of-tomorrow"]).collect();
    let mut series = String::new();
    for name in names {
        for (state, because) in [(0, ""), (1, ""), (2, ""), (3, ""), (3, "server")] {
            // Writing to a String cannot fail.
            let _ = write!(
                series,
                "      - series: 'cim_health_check_state{{check=\"{name}\",server=\"{state}{because}\",because=\"{because}\"}}'\n        values: {state}x120\n"
            );
        }
    }
    let nothing = [
        // An alert that should be there and is not; two for one; one where all is well, or something else is the cause.
        "cim_health_check_state{because=\"\"} > 0 unless on (check, server) ALERTS{alertstate=\"firing\"}",
        "count by (check, server) (ALERTS{alertstate=\"firing\",check!=\"\"}) > 1",
        "ALERTS{alertstate=\"firing\",server=~\"0|3server\"}",
    ];
    let nothing = nothing.map(|expr| {
        format!("      - expr: {expr}\n        eval_time: 1h\n        exp_samples: []\n")
    });
    let text = format!(
        "rule_files: [{}]\nevaluation_interval: 1m\ntests:\n  - interval: 1m\n    input_series:\n{series}    promql_expr_test:\n{}",
        Value::from(rules.to_string_lossy()),
        nothing.concat()
    );
    let folder = tempfile::tempdir().context("creating a folder")?;
    let file = folder.path().join("each-state.yaml");
    fs::write(&file, text)?;
    let mut promtool = tools.command("promtool")?;
    process::quiet(promtool.args(["test", "rules"]).arg(&file))
        .context("each check in each state but OK has one alert that fires within an hour")
}
