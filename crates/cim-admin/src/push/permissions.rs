//! What a role gains and loses, subject by subject.

use cim_creds::body::permissions::{Permission, Permissions, UserPermissionLimits};
use cim_spec::subject::covers;

use super::words::limit;

/// One difference.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Said {
    /// For people.
    pub what: String,
    /// Whether something is no longer allowed.
    pub narrower: bool,
}

/// Between two templates.
pub(super) fn between(from: &UserPermissionLimits, to: &UserPermissionLimits) -> Vec<Said> {
    let mut said = of_permissions(&from.permissions, &to.permissions);
    let mut say = |what: String, narrower: bool| said.push(Said { what, narrower });
    for (name, old, new) in [
        ("subs", from.subs, to.subs),
        ("payload", from.payload, to.payload),
        ("data", from.data, to.data),
    ] {
        let high = |limit: i64| if limit < 0 { i64::MAX } else { limit };
        if old != new {
            let what = format!("{name} {} → {}", limit(&old.into()), limit(&new.into()));
            say(what, high(new) < high(old));
        }
    }
    for (name, old, new) in [
        (
            "connection types",
            &from.allowed_connection_types,
            &to.allowed_connection_types,
        ),
        ("addresses", &from.src, &to.src),
    ] {
        if old != new {
            let shown = |list: &[String]| match list {
                [] => "any".to_owned(),
                list => list.join(", "),
            };
            let fewer = !new.is_empty() && (old.is_empty() || old.iter().any(|o| !new.contains(o)));
            say(format!("{name} {} → {}", shown(old), shown(new)), fewer);
        }
    }
    if (&from.times, &from.times_location) != (&to.times, &to.times_location) {
        say("times of the day differ".to_owned(), !to.times.is_empty());
    }
    if from.bearer_token != to.bearer_token {
        let what = format!("bearer_token {} → {}", from.bearer_token, to.bearer_token);
        say(what, from.bearer_token);
    }
    if from.proxy_required != to.proxy_required {
        let what = format!(
            "proxy_required {} → {}",
            from.proxy_required, to.proxy_required
        );
        say(what, to.proxy_required);
    }
    said
}

/// Between two sets of permissions.
pub(super) fn of_permissions(from: &Permissions, to: &Permissions) -> Vec<Said> {
    let mut said = Vec::new();
    of_subjects("publish", &from.publish, &to.publish, &mut said);
    of_subjects("subscribe to", &from.subscribe, &to.subscribe, &mut said);
    if from.resp != to.resp {
        said.push(Said {
            what: match (from.resp.is_some(), to.resp.is_some()) {
                (_, false) => "may no longer answer on reply subjects",
                (false, true) => "may answer on reply subjects",
                (true, true) => "answers on reply subjects within other bounds",
            }
            .to_owned(),
            narrower: from.resp.is_some(),
        });
    }
    said
}

fn of_subjects(verb: &str, from: &Permission, to: &Permission, said: &mut Vec<Said>) {
    let before = said.len();
    // A queue stands after a space; what is allowed for it alone is compared as a word.
    let within = |subject: &String, list: &[String]| {
        list.is_empty()
            || list
                .iter()
                .any(|outer| outer == subject || covers(outer, subject))
    };
    let mut say = |what: String, narrower: bool| said.push(Said { what, narrower });
    if from.allow.is_empty() && !to.allow.is_empty() {
        let what = format!(
            "may {verb} only {}, no longer everything",
            to.allow.join(", ")
        );
        say(what, true);
    } else if to.allow.is_empty() && !from.allow.is_empty() {
        say(format!("may {verb} everything"), false);
    } else {
        let lost = from
            .allow
            .iter()
            .filter(|subject| !within(subject, &to.allow));
        lost.for_each(|subject| say(format!("may no longer {verb} {subject}"), true));
        let won = to
            .allow
            .iter()
            .filter(|subject| !within(subject, &from.allow));
        won.for_each(|subject| say(format!("may {verb} {subject}"), false));
    }
    let denied = |subject: &&String, list: &[String]| {
        !list.is_empty()
            && list
                .iter()
                .any(|outer| outer == *subject || covers(outer, subject))
    };
    let new = to
        .deny
        .iter()
        .filter(|subject| !denied(subject, &from.deny));
    new.for_each(|subject| say(format!("may no longer {verb} {subject} (deny)"), true));
    let gone = from
        .deny
        .iter()
        .filter(|subject| !denied(subject, &to.deny));
    gone.for_each(|subject| say(format!("may {verb} {subject} again (deny)"), false));
    let silent = said.len() == before && from != to;
    if silent {
        let what = format!("what it may {verb} is written otherwise and means the same");
        said.push(Said {
            what,
            narrower: false,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allow(subjects: &[&str]) -> UserPermissionLimits {
        let mut template = UserPermissionLimits::default();
        template.permissions.publish.allow = subjects.iter().map(ToString::to_string).collect();
        template
    }

    fn said(from: &[&str], to: &[&str]) -> Vec<(String, bool)> {
        let said = between(&allow(from), &allow(to));
        said.into_iter().map(|s| (s.what, s.narrower)).collect()
    }

    #[test]
    fn what_is_lost_and_won_is_named() {
        let one = |what: &str, narrower| vec![(what.to_owned(), narrower)];
        assert_eq!(
            said(&["a.>", "b"], &["a.>"]),
            one("may no longer publish b", true)
        );
        assert_eq!(said(&["a.x"], &["a.x", "c"]), one("may publish c", false));
        assert_eq!(said(&["a.x"], &["a.>"]), one("may publish a.>", false));
        assert_eq!(
            said(&["a.>"], &["a.x"]),
            one("may no longer publish a.>", true)
        );
        assert_eq!(said(&["a"], &[]), one("may publish everything", false));
        let only = "may publish only a, no longer everything";
        assert_eq!(said(&[], &["a"]), one(only, true));
        let same = "what it may publish is written otherwise and means the same";
        assert_eq!(said(&["a.>", "a.x"], &["a.>"]), one(same, false));
        assert_eq!(said(&["a"], &["a"]), []);
    }
}
