//! The report as OpenMetrics text, which Prometheus reads.
//!
//! <https://prometheus.io/docs/specs/om/open_metrics_spec/>

use std::collections::BTreeMap;
use std::fmt::Write;

use super::finding::{Finding, Unit};
use super::judge::Report;

/// The content type of it.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Samples of one family.
struct Family {
    is_counter: bool,
    unit: &'static str,
    samples: Vec<String>,
}

/// `cim_health_state` for the whole, `cim_health_check_state` for each check, and `cim_<check>_<figure>`.
pub fn openmetrics(report: &Report) -> String {
    let server = label("server", &report.server);
    let mut page = String::new();
    let mut say = |text: String| {
        // Writing to a String cannot fail.
        let _ = writeln!(page, "{text}");
    };
    say("# TYPE cim_health_state gauge".to_owned());
    say("# HELP cim_health_state 0 ok, 1 warning, 2 critical, 3 unknown.".to_owned());
    say(format!(
        "cim_health_state{{{server}}} {}",
        report.state().code()
    ));
    say("# TYPE cim_health_check_state gauge".to_owned());
    say("# HELP cim_health_check_state 0 ok, 1 warning, 2 critical, 3 unknown.".to_owned());
    for finding in &report.findings {
        let labels = labels(&server, finding);
        let because = finding.verdict.because.as_deref();
        let because = label("because", because.unwrap_or_default());
        let state = finding.verdict.state.code();
        say(format!(
            "cim_health_check_state{{{labels},{because}}} {state}"
        ));
    }
    for (name, family) in families(report, &server) {
        let kind = if family.is_counter {
            "counter"
        } else {
            "gauge"
        };
        say(format!("# TYPE {name} {kind}"));
        if !family.unit.is_empty() {
            say(format!("# UNIT {name} {}", family.unit));
        }
        for sample in family.samples {
            say(sample);
        }
    }
    say("# EOF".to_owned());
    page
}

fn families(report: &Report, server: &str) -> BTreeMap<String, Family> {
    let mut families = BTreeMap::new();
    for finding in &report.findings {
        for figure in &finding.verdict.figures {
            let name = format!("cim_{}_{}", finding.check.replace('-', "_"), figure.name);
            let is_counter = figure.unit == Unit::Total;
            let family = families.entry(name.clone()).or_insert_with(|| Family {
                is_counter,
                unit: match figure.unit {
                    Unit::Seconds => "seconds",
                    Unit::Bytes => "bytes",
                    _ => "",
                },
                samples: Vec::new(),
            });
            let total = if is_counter { "_total" } else { "" };
            let labels = labels(server, finding);
            family
                .samples
                .push(format!("{name}{total}{{{labels}}} {}", figure.value));
        }
    }
    families
}

fn labels(server: &str, finding: &Finding) -> String {
    let check = label("check", finding.check);
    let of = label("of", &finding.of);
    format!("{server},{check},{of}")
}

fn label(name: &str, value: &str) -> String {
    let mut quoted = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '\\' => quoted.push_str("\\\\"),
            '"' => quoted.push_str("\\\""),
            '\n' => quoted.push_str("\\n"),
            c => quoted.push(c),
        }
    }
    format!("{name}=\"{quoted}\"")
}
