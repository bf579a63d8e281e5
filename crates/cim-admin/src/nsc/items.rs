//! Exports, imports and texts as Nix.

use std::fmt::Write;

use cim_creds::body::share::{Export, ExportType, Import, ResponseType, Sampling};

use super::store::{Account, Store};

/// An export as an item of the option.
pub(super) fn export(store: &Store, account: &Account, export: &Export) -> String {
    let mut line = format!("{{ {} = {};", kind(export.kind), text(&export.subject));
    let mut add = |more: String| {
        let _ = write!(line, " {more}");
    };
    if export.token_req {
        let importers = store.accounts.iter().filter(|other| {
            other.claims.nats.imports.iter().any(|import| {
                import.account == account.claims.data.sub
                    && import.kind == export.kind
                    && cim_spec::subject::covers(&export.subject, &import.subject)
            })
        });
        let names: Vec<String> = importers.map(|other| text(&other.name)).collect();
        add(format!("accounts = [ {} ];", names.join(" ")));
    }
    if export.account_token_position > 0 {
        add(format!(
            "accountTokenPosition = {};",
            export.account_token_position
        ));
    }
    if let Some(kind) = export.response_type {
        let word = match kind {
            ResponseType::Singleton => "single",
            ResponseType::Stream => "stream",
            ResponseType::Chunked => "chunked",
        };
        add(format!("responseType = \"{word}\";"));
    }
    if export.response_threshold > 0 {
        add(format!(
            "threshold = \"{}\";",
            duration(export.response_threshold)
        ));
    }
    if let Some(latency) = &export.service_latency {
        let sampling = match latency.sampling {
            Sampling::Headers => "headers".to_owned(),
            Sampling::Percent(percent) => format!("{percent}%"),
        };
        let subject = text(&latency.results);
        add(format!(
            "latency = {{ sampling = \"{sampling}\"; subject = {subject}; }};"
        ));
    }
    if export.allow_trace {
        add("allowTrace = true;".to_owned());
    }
    line + " }"
}

/// The name of the account that exports it.
pub(super) fn exporter<'a>(store: &'a Store, import: &Import) -> Option<&'a str> {
    let mut accounts = store.accounts.iter();
    let exporter = accounts.find(|other| other.claims.data.sub == import.account)?;
    Some(&exporter.name)
}

/// An import as an item of the option.
pub(super) fn imported(import: &Import, exporter: &str) -> String {
    let (account, subject) = (text(exporter), text(&import.subject));
    let mut line = format!(
        "{{ {} = {{ account = {account}; subject = {subject}; }};",
        kind(import.kind)
    );
    let (prefix, to) = match import.kind {
        // The old way to rename: a prefix for streams, a subject for services.
        ExportType::Stream => (import.to.as_str(), import.local_subject.as_str()),
        ExportType::Service if import.local_subject.is_empty() => ("", import.to.as_str()),
        ExportType::Service => ("", import.local_subject.as_str()),
    };
    for (option, value) in [("prefix", prefix), ("to", to)] {
        if !value.is_empty() {
            let _ = write!(line, " {option} = {};", text(value));
        }
    }
    for (option, set) in [("share", import.share), ("allowTrace", import.allow_trace)] {
        if set {
            let _ = write!(line, " {option} = true;");
        }
    }
    line + " }"
}

fn kind(kind: ExportType) -> &'static str {
    match kind {
        ExportType::Stream => "stream",
        ExportType::Service => "service",
    }
}

/// Nanoseconds as people write them.
pub(super) fn duration(nanoseconds: i64) -> String {
    match nanoseconds {
        whole if whole % 1_000_000_000 == 0 => format!("{}s", whole / 1_000_000_000),
        other => format!("{}ms", (other / 1_000_000).max(1)),
    }
}

/// A list of Nix strings.
pub(super) fn list(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|item| text(item)).collect();
    format!("[ {} ]", texts.join(" "))
}

/// A Nix string.
pub(super) fn text(plain: &str) -> String {
    let escaped = plain
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace("${", "\\${");
    format!("\"{}\"", escaped.replace('\n', "\\n"))
}
