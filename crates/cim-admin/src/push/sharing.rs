//! What differs in what accounts share, and in what is neither a limit nor a role.

use std::collections::BTreeSet;

use cim_creds::Account;
use cim_creds::body::share::{Export, ExportType, Import};

use super::difference::{Change, Names};

pub(super) fn exports(from: &[Export], to: &[Export], changes: &mut Vec<Change>) {
    let title = |export: &Export| format!("{} {}", kind(export.kind), export.subject);
    let who = || vec!["accounts that import it".to_owned()];
    for old in from {
        let same = |new: &&Export| new.kind == old.kind && new.subject == old.subject;
        match to.iter().find(same) {
            None => {
                let what = format!("no longer exports the {}", title(old));
                changes.push(Change::cutting(what, who()));
            }
            Some(new) if new != old => {
                let what = format!("exports the {} otherwise", title(old));
                let narrower = (new.token_req && !old.token_req)
                    || new.account_token_position != old.account_token_position
                    || new
                        .revocations
                        .0
                        .keys()
                        .any(|key| !old.revocations.0.contains_key(key));
                changes.push(if narrower {
                    Change::cutting(what, who())
                } else {
                    Change::new(what)
                });
            }
            Some(_) => {}
        }
    }
    for new in to {
        let same = |old: &Export| old.kind == new.kind && old.subject == new.subject;
        if !from.iter().any(same) {
            changes.push(Change::new(format!("exports the {}", title(new))));
        }
    }
}

pub(super) fn imports(
    from: &[Import],
    to: &[Import],
    names: &Names<'_>,
    changes: &mut Vec<Change>,
) {
    let title = |import: &Import| {
        let account = names.of(&import.account);
        let here = if import.local_subject.is_empty() {
            String::new()
        } else {
            format!(" as {}", import.local_subject)
        };
        format!(
            "{} {} of {account}{here}",
            kind(import.kind),
            import.subject
        )
    };
    for old in from {
        let same = |new: &&Import| {
            (new.kind, &new.subject, &new.account) == (old.kind, &old.subject, &old.account)
                && new.local_subject == old.local_subject
        };
        match to.iter().find(same) {
            None => {
                let what = format!("no longer imports the {}", title(old));
                let who = vec!["those in the account who use it".to_owned()];
                changes.push(Change::cutting(what, who));
            }
            Some(new) if new != old => {
                let what = format!("imports the {} otherwise", title(old));
                changes.push(Change::new(what));
            }
            Some(_) => {}
        }
    }
    for new in to {
        let same = |old: &Import| {
            (old.kind, &old.subject, &old.account) == (new.kind, &new.subject, &new.account)
                && old.local_subject == new.local_subject
        };
        if !from.iter().any(same) {
            changes.push(Change::new(format!("imports the {}", title(new))));
        }
    }
}

fn kind(kind: ExportType) -> &'static str {
    match kind {
        ExportType::Stream => "stream",
        ExportType::Service => "service",
    }
}

pub(super) fn rest(from: &Account, to: &Account, changes: &mut Vec<Change>) {
    let subjects: BTreeSet<&String> = from.mappings.keys().chain(to.mappings.keys()).collect();
    for subject in subjects {
        let (old, new) = (from.mappings.get(subject), to.mappings.get(subject));
        if old != new {
            let how = match (old, new) {
                (None, _) => "maps",
                (_, None) => "no longer maps",
                _ => "maps otherwise:",
            };
            changes.push(Change::new(format!("{how} {subject}")));
        }
    }
    if from.authorization != to.authorization {
        let what = "auth callout differs";
        changes.push(if from.authorization.auth_users.is_empty() {
            Change::cutting(
                what,
                vec!["users whom the service does not let in".to_owned()],
            )
        } else {
            Change::new(what)
        });
    }
    let texts = [
        ("trace", from.trace != to.trace),
        (
            "cluster_traffic",
            from.cluster_traffic != to.cluster_traffic,
        ),
        ("description", from.description != to.description),
        ("info_url", from.info_url != to.info_url),
        ("tags", from.tags != to.tags),
    ];
    let other = texts.iter().filter(|(_, differs)| *differs);
    changes.extend(other.map(|(name, _)| Change::new(format!("{name} differs"))));
}
