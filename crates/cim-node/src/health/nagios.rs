//! The report as monitoring plugins give it: one line, with performance data after `|`.
//!
//! <https://www.monitoring-plugins.org/doc/guidelines.html>

use super::finding::{Figure, Finding, Unit};
use super::judge::Report;
use super::text;

/// One line, with further problems below it.
pub fn nagios(report: &Report) -> String {
    let figures = report.findings.iter().flat_map(|finding| {
        let figures = finding.verdict.figures.iter();
        figures.map(move |figure| perfdata(finding, figure))
    });
    let figures = figures.collect::<Vec<_>>().join(" ");
    let first = plain(&format!("CIM {}: {}", report.server, text::line(report)));
    let mut lines = vec![format!("{first} | {figures}")];
    let more = report.problems().into_iter().skip(1);
    lines.extend(more.map(|finding| {
        let verdict = &finding.verdict;
        plain(&format!(
            "{} {}: {}",
            verdict.state.word(),
            finding.name(),
            verdict.message
        ))
    }));
    lines.join("\n") + "\n"
}

/// `|` would begin performance data.
fn plain(text: &str) -> String {
    text.replace('|', "/").replace(['\n', '\r'], " ")
}

/// `'link hub rtt_seconds'=0.0003s;1;5`.
fn perfdata(finding: &Finding, figure: &Figure) -> String {
    let unit = match figure.unit {
        Unit::Count => "",
        Unit::Total => "c",
        Unit::Percent => "%",
        Unit::Seconds => "s",
        Unit::Bytes => "B",
    };
    let label = format!("{} {}", finding.name(), figure.name);
    let label = plain(&label).replace(['\'', '='], "_");
    let levels = match figure.levels {
        // What is left: less is worse, which ranges write as `14:`.
        Some((warning, critical)) if figure.name.starts_with("left_") => {
            format!(";{};{}", bound(warning, ":"), bound(critical, ":"))
        }
        Some((warning, critical)) => format!(";{};{}", bound(warning, ""), bound(critical, "")),
        None => String::new(),
    };
    format!("'{label}'={}{unit}{levels}", figure.value)
}

fn bound(value: Option<f64>, after: &str) -> String {
    value.map_or(String::new(), |value| format!("{value}{after}"))
}
