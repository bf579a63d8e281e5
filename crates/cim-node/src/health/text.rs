//! The report for people: what is wrong first, with what to do.

use super::finding::State;
use super::judge::Report;

/// Some lines.
pub fn text(report: &Report) -> String {
    let mut lines = vec![format!(
        "{}: {} ({})",
        report.server,
        report.state().word(),
        report.counts()
    )];
    for finding in report.problems() {
        let verdict = &finding.verdict;
        let since = finding.since.as_deref();
        let since = since.map_or(String::new(), |since| format!(" (since {since})"));
        lines.push(format!(
            "{:<9} {}: {}{since}",
            verdict.state.word(),
            finding.name(),
            verdict.message
        ));
        if let Some(help) = &verdict.help {
            lines.push(format!("          help: {help}"));
        }
    }
    let good = report.findings.iter();
    for finding in good.filter(|finding| finding.verdict.state == State::Ok) {
        lines.push(format!(
            "OK        {}: {}",
            finding.name(),
            finding.verdict.message
        ));
    }
    for (check, why) in &report.later {
        lines.push(format!("-         {check}: {why}"));
    }
    lines.join("\n") + "\n"
}

/// One line: the worst, and how many more.
pub fn line(report: &Report) -> String {
    let problems = report.problems();
    let Some(worst) = problems.first() else {
        return format!("OK: {} checks", report.findings.len());
    };
    let more = match problems.len() - 1 {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    let message = format!(
        "{} {}: {}{more}",
        worst.verdict.state.word(),
        worst.name(),
        worst.verdict.message
    );
    message.replace(|c: char| c.is_control(), " ")
}
