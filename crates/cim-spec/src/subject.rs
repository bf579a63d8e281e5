//! NATS subjects: <https://docs.nats.io/nats-concepts/subjects>.

mod crowd;
mod named;

pub use crowd::Crowd;
pub use named::Named;

use crate::problem::Refused;

/// Checks the grammar of a subject that may hold wildcards.
///
/// # Errors
/// Empty tokens, white space, control characters, and wildcards inside a token or a `>` that
/// is not last.
pub fn check(subject: &str) -> Result<(), Refused> {
    let refuse = |why: &str| {
        Err(Refused::new(
            format!("is not a subject: {why}"),
            "write tokens joined by dots, `*` for one token and `>` for all that follow, for example \"metrics.*.cpu\" or \"domain.>\"",
        ))
    };
    if subject.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return refuse("it has white space");
    }
    let tokens: Vec<&str> = subject.split('.').collect();
    for (index, token) in tokens.iter().enumerate() {
        match *token {
            "" => return refuse("a token is empty"),
            "*" => {}
            ">" if index + 1 == tokens.len() => {}
            ">" => return refuse("`>` is not last"),
            token if token.contains(['*', '>']) => {
                return refuse("a wildcard is a token of its own");
            }
            _ => {}
        }
    }
    Ok(())
}

/// Checks what stands before a subject, and a dot, elsewhere.
///
/// # Errors
/// Wildcards, and what is no subject.
pub fn check_prefix(prefix: &str) -> Result<(), Refused> {
    check(prefix)?;
    if prefix.split('.').any(|token| matches!(token, "*" | ">")) {
        return Err(Refused::new(
            "is not a prefix: it has wildcards",
            "write plain tokens joined by dots, for example \"leaf.cim-001\"",
        ));
    }
    Ok(())
}

/// Checks what a subject is called elsewhere: each `*` once, by its number, and `>` last where the subject has it.
///
/// # Errors
/// Wildcards that are lost, repeated or made up.
pub fn check_target(subject: &str, to: &str) -> Result<(), Refused> {
    let refuse = |why: String| {
        Err(Refused::new(
            format!("cannot be what {subject:?} is called: {why}"),
            "write `$1` where its first `*` goes, `$2` for the second, and `>` last where it ends so: \"plant.$1.>\" for \"*.>\"",
        ))
    };
    check(to)?;
    let (source, target): (Vec<&str>, Vec<&str>) =
        (subject.split('.').collect(), to.split('.').collect());
    if (source.last() == Some(&">")) != (target.last() == Some(&">")) {
        return refuse("one ends in `>`, the other does not".to_owned());
    }
    if target.contains(&"*") {
        return refuse("`*` says not which".to_owned());
    }
    let stars = source.iter().filter(|token| **token == "*").count();
    for number in 1..=stars {
        let name = format!("${number}");
        let found = target.iter().filter(|token| **token == name).count();
        if found != 1 {
            return refuse(format!("it has {name} {found} times"));
        }
    }
    let named = target.iter().filter(|token| token.starts_with('$')).count();
    if named > stars {
        return refuse(format!("it has {named} numbers for {stars} `*`"));
    }
    Ok(())
}

/// Whether every subject that `inner` stands for is one that `outer` stands for.
pub fn covers(outer: &str, inner: &str) -> bool {
    let (mut outer, mut inner) = (outer.split('.'), inner.split('.'));
    loop {
        match (outer.next(), inner.next()) {
            (Some(">"), Some(_)) | (None, None) => return true,
            (Some("*"), Some(">")) | (None, _) | (_, None) => return false,
            (Some("*"), Some(_)) => {}
            (Some(one), Some(other)) if one == other => {}
            _ => return false,
        }
    }
}

/// Whether it stands for more than itself.
pub fn has_wildcard(subject: &str) -> bool {
    subject.split('.').any(|token| matches!(token, "*" | ">"))
}

/// Whether some subject is one that both stand for.
pub fn overlap(one: &str, other: &str) -> bool {
    let (mut one, mut other) = (one.split('.'), other.split('.'));
    loop {
        match (one.next(), other.next()) {
            (Some(">"), Some(_)) | (Some(_), Some(">")) | (None, None) => return true,
            (None, _) | (_, None) => return false,
            (Some("*"), Some(_)) | (Some(_), Some("*")) => {}
            (Some(one), Some(other)) if one == other => {}
            _ => return false,
        }
    }
}

/// Whether a subject is or covers one of NATS's own (`$SYS`, `$JS`, `$KV`, …).
pub fn covers_system(subject: &str) -> bool {
    subject.starts_with(['$', '*', '>'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_covers_what() {
        for (outer, inner, expected) in [
            ("a.>", "a.b", true),
            ("a.>", "a.*.>", true),
            ("a.>", "a", false),
            ("a.*", "a.b", true),
            ("a.*", "a.>", false),
            ("a.*", "a.*", true),
            ("a.b", "a.*", false),
            (">", "a", true),
        ] {
            assert_eq!(covers(outer, inner), expected, "{outer} {inner}");
            assert!(!expected || overlap(outer, inner), "{outer} {inner}");
        }
    }

    #[test]
    fn wildcards_keep_their_places() {
        for (subject, to) in [
            ("a.*", "x.$1"),
            ("a.*.*", "$2.$1"),
            ("a.>", "x.>"),
            ("a", "b.c"),
        ] {
            assert_eq!(check_target(subject, to), Ok(()), "{subject} {to}");
        }
        for (subject, to) in [
            ("a.*", "x"),
            ("a.*", "x.*"),
            ("a.*", "$1.$2"),
            ("a.*.*", "$1.$1"),
            ("a.>", "x"),
            ("a", "x.>"),
        ] {
            assert!(check_target(subject, to).is_err(), "{subject} {to}");
        }
    }

    #[test]
    fn wildcards_are_whole_tokens() {
        for good in ["a", "a.*.b", ">", "a.>", "$JS.API.>", "CPU_1.é"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in [
            "", "a.", ".a", "a..b", "a.>.b", "a.b*", "a b", "a.\tb", ">a",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
