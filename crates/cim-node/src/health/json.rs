//! The report for programs.

use serde_json::{Value, json};

use super::finding::{Figure, Finding};
use super::judge::Report;

/// One object.
pub fn json(report: &Report) -> Value {
    json!({
        "server": report.server,
        "state": report.state().word(),
        "exit": report.state().code(),
        "at": report.at,
        "checks": report.findings.iter().map(finding).collect::<Vec<_>>(),
        "later": report.later.iter().map(|(check, why)| json!({"check": check, "why": why})).collect::<Vec<_>>(),
    })
}

fn finding(finding: &Finding) -> Value {
    let verdict = &finding.verdict;
    json!({
        "check": finding.check,
        "of": finding.of,
        "state": verdict.state.word(),
        "message": verdict.message,
        "help": verdict.help,
        "because": verdict.because,
        "since": finding.since,
        "figures": verdict.figures.iter().map(figure).collect::<Vec<_>>(),
    })
}

fn figure(figure: &Figure) -> Value {
    let (warning, critical) = figure.levels.unwrap_or((None, None));
    json!({
        "name": figure.name,
        "value": figure.value,
        "warning": warning,
        "critical": critical,
    })
}
