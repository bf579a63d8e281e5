//! All checks on one look.

use cim_spec::artefact::Health;
use time::format_description::well_known::Rfc3339;

use super::check::{self, Check, Context, Subjects};
use super::finding::{Finding, State, Verdict};
use super::look::Look;

/// What came of one look.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The server's name.
    pub server: String,
    /// When it was looked, RFC 3339.
    pub at: String,
    /// What was found, in the order of checks.
    pub findings: Vec<Finding>,
    /// Checks that could not be judged this time, and why.
    pub later: Vec<(&'static str, &'static str)>,
}

impl Report {
    /// The worst state; a report without findings says nothing.
    pub fn state(&self) -> State {
        let states = self.findings.iter().map(|finding| finding.verdict.state);
        states.max().unwrap_or(State::Unknown)
    }

    /// How many findings have a state.
    pub fn count(&self, state: State) -> usize {
        let of_state = |finding: &&Finding| finding.verdict.state == state;
        self.findings.iter().filter(of_state).count()
    }

    /// `1 critical, 2 unknown, 14 ok`.
    pub fn counts(&self) -> String {
        let mut states = State::ALL.to_vec();
        states.sort_by(|a, b| b.cmp(a));
        let counts = states.into_iter().map(|state| (state, self.count(state)));
        let words = counts
            .filter(|(_, count)| *count > 0)
            .map(|(state, count)| format!("{count} {}", state.word().to_lowercase()));
        words.collect::<Vec<_>>().join(", ")
    }

    /// Findings that are not OK, the worst first; those that wait for another come last.
    pub fn problems(&self) -> Vec<&Finding> {
        let mut problems: Vec<_> = self
            .findings
            .iter()
            .filter(|finding| finding.verdict.state != State::Ok)
            .collect();
        problems.sort_by_key(|finding| {
            (
                finding.verdict.because.is_some(),
                std::cmp::Reverse(finding.verdict.state),
            )
        });
        problems
    }

    /// Whether it found these too, in the same states.
    fn agrees_with(&self, findings: &[Finding]) -> bool {
        let same = |(a, b): (&Finding, &Finding)| {
            a.check == b.check && a.of == b.of && a.verdict.state == b.verdict.state
        };
        self.findings.len() >= findings.len() && findings.iter().zip(&self.findings).all(same)
    }

    /// A report of one thing that kept everything else from being looked at.
    pub fn nothing_seen(server: &str, message: String, help: &str) -> Self {
        Self {
            server: server.to_owned(),
            at: written(time::OffsetDateTime::now_utc()),
            findings: vec![Finding {
                check: "server",
                of: String::new(),
                verdict: Verdict::unknown(message, help),
                since: None,
            }],
            later: Vec::new(),
        }
    }
}

/// Judges a look; `before` is the report of the one before, if there was one.
pub fn judge(health: &Health, look: &Look, before: Option<&Report>) -> Report {
    let mut report = Report {
        server: health.server_name.clone(),
        at: written(look.at),
        findings: Vec::new(),
        later: Vec::new(),
    };
    for check in check::all() {
        let context = Context {
            health,
            look,
            found: &report.findings,
        };
        let held = before.filter(|before| {
            check.is_slow && !look.is_whole && before.agrees_with(&report.findings)
        });
        if let Some(before) = held {
            let of_check = |finding: &&Finding| finding.check == check.name;
            let findings = before.findings.iter().filter(of_check).cloned();
            report.findings.extend(findings.collect::<Vec<_>>());
            continue;
        }
        match found(check, &context) {
            Ok(findings) => report.findings.extend(findings),
            Err(why) => report.later.push((check.name, why)),
        }
    }
    report
}

/// What one check finds; or why it cannot be judged.
fn found(check: &Check, context: &Context) -> Result<Vec<Finding>, &'static str> {
    let subjects = match (check.subjects)(context) {
        Subjects::These(subjects) => subjects,
        Subjects::Nothing => return Ok(Vec::new()),
        Subjects::Later(why) => return Err(why),
    };
    let blocking = check
        .after
        .iter()
        .find_map(|after| context.blocked_by(after));
    let verdicts = match blocking {
        Some(blocking) => {
            // Whatever that one waits for itself is the reason of both.
            let because = blocking.verdict.because.clone();
            let verdict = Verdict::because(&because.unwrap_or_else(|| blocking.name()));
            let each = |of| (of, verdict.clone());
            subjects.into_iter().map(each).collect()
        }
        None => (check.judge)(context),
    };
    let findings = verdicts.into_iter().map(|(of, verdict)| Finding {
        check: check.name,
        of,
        verdict,
        since: None,
    });
    Ok(findings.collect())
}

/// A moment as RFC 3339 has it, in whole seconds.
pub fn written(moment: time::OffsetDateTime) -> String {
    let whole = moment.replace_nanosecond(0).unwrap_or(moment);
    whole.format(&Rfc3339).unwrap_or_default()
}
