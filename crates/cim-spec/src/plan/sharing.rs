//! What accounts of one server let each other have, and the rules it keeps.

use std::collections::{BTreeMap, BTreeSet};

use super::server::duration;
use crate::duration::Duration;
use crate::path::OptionPath;
use crate::problem::{Problems, Rule};
use crate::spec::{self, Destination, Latency};
use crate::{mapping, subject};

/// Which way of sharing a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shared {
    /// Messages flow to who imports.
    Stream,
    /// Requests flow from who imports, answers back.
    Service,
}

/// Subjects that other accounts may import.
#[derive(Debug, Clone)]
pub struct Export {
    /// How.
    pub shared: Shared,
    /// The subject.
    pub subject: String,
    /// Who may import it; `None`: everybody.
    pub accounts: Option<Vec<String>>,
    /// Which token is the importing account's name, counted from 1.
    pub account_token_position: Option<u64>,
    /// `single`, `stream` or `chunked`.
    pub response_type: Option<String>,
    /// How long the answers of a stream may pause.
    pub threshold: Option<Duration>,
    /// Measuring of answers.
    pub latency: Option<Latency>,
    /// Whether traces go into this account.
    pub allow_trace: Option<bool>,
}

/// How a service answers.
const RESPONSES: [&str; 3] = ["single", "stream", "chunked"];

pub(super) type Accounts = BTreeMap<String, spec::Account>;

/// The exports of an account.
pub(super) fn exports(
    account: &spec::Account,
    all: &Accounts,
    at: &OptionPath,
    problems: &mut Problems,
) -> Vec<Export> {
    let exports = account.exports.iter().enumerate();
    exports
        .filter_map(|(index, export)| self::export(export, all, &at.index(index), problems))
        .collect()
}

fn export(
    export: &spec::Export,
    all: &Accounts,
    at: &OptionPath,
    problems: &mut Problems,
) -> Option<Export> {
    let (shared, subject) = one_of(&export.stream, &export.service, at, problems)?;
    let subject_at = at.join(shared.name());
    problems.parsed(Rule::Subject, &subject_at, subject, subject::check(subject));
    for (index, name) in export.accounts.iter().flatten().enumerate() {
        known(name, all, &at.join("accounts").index(index), problems);
    }
    let services_only = [
        ("responseType", export.response_type.is_some()),
        ("threshold", export.threshold.is_some()),
        ("latency", export.latency.is_some()),
        ("allowTrace", export.allow_trace.is_some()),
    ];
    only_on(shared, Shared::Service, &services_only, at, problems);
    let answers = export.response_type.as_deref();
    if let Some(kind) = answers.filter(|kind| !RESPONSES.contains(kind)) {
        problems.add(
            Rule::Sharing,
            &at.join("responseType"),
            format!("{kind:?} is no way to answer"),
            format!("write one of {}", RESPONSES.join(", ")),
        );
    }
    if let Some(position) = export.account_token_position {
        let token = subject.split('.').nth(position.wrapping_sub(1));
        if token != Some("*") {
            problems.add(
                Rule::Sharing,
                &at.join("accountTokenPosition"),
                format!("{position} is no `*` of {subject:?}"),
                "write which token it is, counted from 1: 2 for \"events.*.>\"",
            );
        }
    }
    let threshold = export.threshold.as_ref();
    let threshold = threshold.map(|text| duration(text, &at.join("threshold"), problems));
    if let Some(latency) = &export.latency {
        self::latency(latency, answers, &at.join("latency"), problems);
    }
    Some(Export {
        shared,
        subject: subject.to_owned(),
        accounts: export.accounts.clone(),
        account_token_position: export
            .account_token_position
            .map(|position| position as u64),
        response_type: export.response_type.clone(),
        threshold: match threshold {
            Some(threshold) => Some(threshold?),
            None => None,
        },
        latency: export.latency.clone(),
        allow_trace: export.allow_trace,
    })
}

/// How long a service takes to answer; `answers`: its responseType.
fn latency(latency: &Latency, answers: Option<&str>, at: &OptionPath, problems: &mut Problems) {
    let percent = latency.sampling.strip_suffix('%').unwrap_or_default();
    let good = latency.sampling == "headers"
        || percent
            .parse::<u8>()
            .is_ok_and(|percent| (1..=100).contains(&percent));
    if !good {
        problems.add(
            Rule::Sharing,
            &at.join("sampling"),
            format!("{:?} is no share of requests", latency.sampling),
            "write a percentage from \"1%\" to \"100%\", or \"headers\" for those that ask for it",
        );
    }
    let subject_at = at.join("subject");
    let read = subject::check(&latency.subject);
    let read = problems.parsed(Rule::Subject, &subject_at, &latency.subject, read);
    if read.is_some() && subject::has_wildcard(&latency.subject) {
        problems.add(
            Rule::Sharing,
            &subject_at,
            format!(
                "{:?} has a wildcard, and nothing can be published to it",
                latency.subject
            ),
            "write the one subject on which the figures come, for example \"latency.orders\"",
        );
    }
    if let Some(kind) = answers.filter(|kind| *kind != "single") {
        problems.add(
            Rule::Sharing,
            at,
            format!("is set, but nats-server measures single answers only, not {kind:?}"),
            "leave it out, or write responseType = \"single\"",
        );
    }
}

/// What a subject may be called somewhere else.
pub(crate) fn renamed(
    subject: &str,
    prefix: Option<&str>,
    to: Option<&str>,
    at: &OptionPath,
    problems: &mut Problems,
) {
    if let (Some(_), Some(to)) = (prefix, to) {
        problems.add(
            Rule::Renaming,
            &at.join("to"),
            format!("{to:?} is set, and prefix too"),
            "set the one that says what the subject is called",
        );
    }
    if let Some(prefix) = prefix {
        problems.parsed(
            Rule::Renaming,
            &at.join("prefix"),
            prefix,
            subject::check_prefix(prefix),
        );
    }
    if let Some(to) = to {
        problems.parsed(
            Rule::Renaming,
            &at.join("to"),
            to,
            subject::check_target(subject, to),
        );
    }
}

/// The mappings of an account.
pub(super) fn mappings(mappings: &spec::Mappings, at: &OptionPath, problems: &mut Problems) {
    for (subject, destinations) in mappings {
        let at = at.join(subject);
        problems.parsed(Rule::Subject, &at, subject, subject::check(subject));
        let mut weights: BTreeMap<Option<&str>, u32> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for (index, destination) in destinations.iter().enumerate() {
            let Destination {
                destination,
                weight,
                cluster,
            } = destination;
            let at = at.index(index).join("destination");
            let read = mapping::check_destination(subject, destination);
            problems.parsed(Rule::Subject, &at, destination, read);
            if !seen.insert(destination) {
                problems.add(
                    Rule::Weights,
                    &at,
                    format!("{destination:?} stands there twice"),
                    "write it once, with the weight of both",
                );
            }
            *weights.entry(cluster.as_deref()).or_default() += u32::from(*weight);
        }
        if let Some(sum) = weights.into_values().find(|sum| *sum > 100) {
            problems.add(
                Rule::Weights,
                &at,
                format!("its weights are {sum} of a hundred messages"),
                "write weights of 100 or less together; what is missing keeps the subject",
            );
        }
    }
}

impl Shared {
    /// The option and field of that name.
    pub fn name(self) -> &'static str {
        match self {
            Shared::Stream => "stream",
            Shared::Service => "service",
        }
    }
}

pub(super) fn one_of<'a, T>(
    stream: &'a Option<T>,
    service: &'a Option<T>,
    at: &OptionPath,
    problems: &mut Problems,
) -> Option<(Shared, &'a T)> {
    let what = match (stream, service) {
        (Some(value), None) => return Some((Shared::Stream, value)),
        (None, Some(value)) => return Some((Shared::Service, value)),
        (None, None) => "has neither stream nor service",
        (Some(_), Some(_)) => "has both stream and service",
    };
    problems.add(
        Rule::Sharing,
        at,
        what,
        "set stream for messages that flow to whoever imports, service for requests that are answered",
    );
    None
}

pub(super) fn only_on(
    shared: Shared,
    wanted: Shared,
    set: &[(&str, bool)],
    at: &OptionPath,
    problems: &mut Problems,
) {
    for (name, _) in set.iter().filter(|(_, is_set)| *is_set && shared != wanted) {
        problems.add(
            Rule::Sharing,
            &at.join(name),
            format!("is set on a {}, which has no such field", shared.name()),
            format!("leave it out: it belongs to a {}", wanted.name()),
        );
    }
}

pub(super) fn known(name: &str, all: &Accounts, at: &OptionPath, problems: &mut Problems) -> bool {
    let known = all.contains_key(name);
    if !known {
        let names: Vec<&str> = all.keys().map(String::as_str).collect();
        problems.add(
            Rule::KnownAccount,
            at,
            format!("{name:?} is not an account of this server"),
            format!("name one of {}", names.join(", ")),
        );
    }
    known
}
