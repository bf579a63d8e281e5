//! What an account has of other accounts of its server, each held against the export that it names.

use std::collections::BTreeSet;

use super::sharing::{Accounts, Shared, known, one_of, only_on, renamed};
use crate::path::OptionPath;
use crate::problem::{Problems, Rule};
use crate::spec::{self, Exported};
use crate::subject;

/// Subjects of another account.
#[derive(Debug, Clone)]
pub struct Import {
    /// How.
    pub shared: Shared,
    /// Where they come from.
    pub from: Exported,
    /// What stands before the subject here.
    pub prefix: Option<String>,
    /// What the subject is called here.
    pub to: Option<String>,
    /// Whether the answering service learns who asks.
    pub share: Option<bool>,
    /// Whether traces go on in the other account.
    pub allow_trace: Option<bool>,
}

/// The imports of an account, each held against the export that it names.
pub(super) fn imports(
    name: &str,
    account: &spec::Account,
    all: &Accounts,
    at: &OptionPath,
    problems: &mut Problems,
) -> Vec<Import> {
    let imports = account.imports.iter().enumerate();
    let mut services = BTreeSet::new();
    imports
        .filter_map(|(index, import)| {
            let at = at.index(index);
            let import = self::import(name, import, all, &at, problems)?;
            let here = import.to.as_deref().unwrap_or(&import.from.subject);
            if import.shared == Shared::Service && !services.insert(here.to_owned()) {
                problems.add(
                    Rule::Sharing,
                    &at,
                    format!("{here:?} is what another import of a service is called here"),
                    "leave one of them out, or set another `to`",
                );
            }
            Some(import)
        })
        .collect()
}

fn import(
    name: &str,
    import: &spec::Import,
    all: &Accounts,
    at: &OptionPath,
    problems: &mut Problems,
) -> Option<Import> {
    let (shared, from) = one_of(&import.stream, &import.service, at, problems)?;
    let from_at = at.join(shared.name());
    let subject_at = from_at.join("subject");
    problems.parsed(
        Rule::Subject,
        &subject_at,
        &from.subject,
        subject::check(&from.subject),
    )?;
    let streams_only = [
        ("prefix", import.prefix.is_some()),
        ("allowTrace", import.allow_trace.is_some()),
    ];
    only_on(shared, Shared::Stream, &streams_only, at, problems);
    only_on(
        shared,
        Shared::Service,
        &[("share", import.share.is_some())],
        at,
        problems,
    );
    renamed(
        &from.subject,
        import.prefix.as_deref(),
        import.to.as_deref(),
        at,
        problems,
    );
    if known(&from.account, all, &from_at.join("account"), problems) {
        exported(name, shared, from, all, &subject_at, problems);
    }
    Some(Import {
        shared,
        from: from.clone(),
        prefix: import.prefix.clone(),
        to: import.to.clone(),
        share: import.share,
        allow_trace: import.allow_trace,
    })
}

/// Somebody exports what is imported, and to this account.
fn exported(
    name: &str,
    shared: Shared,
    from: &Exported,
    all: &Accounts,
    at: &OptionPath,
    problems: &mut Problems,
) {
    let exports = all
        .get(&from.account)
        .map(|account| account.exports.as_slice());
    let fits = exports.unwrap_or_default().iter().any(|export| {
        let subject = match shared {
            Shared::Stream => &export.stream,
            Shared::Service => &export.service,
        };
        let to_us = export
            .accounts
            .as_ref()
            .is_none_or(|names| names.iter().any(|n| n == name));
        to_us
            && subject
                .as_ref()
                .is_some_and(|subject| subject::covers(subject, &from.subject))
    });
    if !fits {
        problems.add(
            Rule::Exported,
            at,
            format!(
                "{:?} is no {} that account {:?} exports to {name:?}",
                from.subject,
                shared.name(),
                from.account
            ),
            format!(
                "add it to the exports of {}, or import what is there",
                from.account
            ),
        );
    }
}
