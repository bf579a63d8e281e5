//! Subjects in claims, judged as nats-io/jwt judges them: an account JWT with one that it refuses
//! is not loaded at all, nor a user let in.
//!
//! Upstream: nats-io/jwt v2.8.2, `types.go`.

use crate::encode::EncodeError;

/// A subject, wildcards included.
pub(crate) fn check(field: &str, subject: &str) -> Result<(), EncodeError> {
    let wrong =
        subject.is_empty() || subject.contains(' ') || subject.split('.').any(str::is_empty);
    if wrong {
        return Err(EncodeError::field(
            field,
            format!("has {subject:?}, which is no subject"),
            "write tokens with dots between, none of them empty and no spaces",
        ));
    }
    Ok(())
}

/// A subject without wildcards.
pub(crate) fn check_literal(field: &str, subject: &str) -> Result<(), EncodeError> {
    check(field, subject)?;
    if has_wildcards(subject) {
        return Err(EncodeError::field(
            field,
            format!("has {subject:?}, which has wildcards"),
            "write one subject to publish to",
        ));
    }
    Ok(())
}

/// A subject of a permission; where a queue may follow after a space, that too.
pub(crate) fn check_permission(field: &str, subject: &str, queue: bool) -> Result<(), EncodeError> {
    match subject.split_once(' ') {
        Some((subject, name)) if queue => {
            check(field, subject)?;
            check(field, name)
        }
        _ => check(field, subject),
    }
}

/// A local subject for an imported one: as many wildcards or references (`$1`) to them.
pub(crate) fn check_renaming(field: &str, local: &str, from: &str) -> Result<(), EncodeError> {
    check(field, local)?;
    let stars = from.split('.').filter(|token| *token == "*").count();
    let rest = |subject: &str| subject == ">" || subject.ends_with(".>");
    let mut used = 0;
    let mut beyond = false;
    for token in local.split('.') {
        match token.strip_prefix('$').map(str::parse::<usize>) {
            Some(Ok(number)) => {
                used += 1;
                beyond |= number > stars;
            }
            _ => used += usize::from(token == "*"),
        }
    }
    if beyond || used != stars || rest(local) != rest(from) {
        return Err(EncodeError::field(
            field,
            format!("{local:?} does not fit the imported {from:?}"),
            "use each of its * once, as * or as $1, $2, …, and end in > where it does",
        ));
    }
    Ok(())
}

/// The subject with references (`$1`) as wildcards.
pub(crate) fn with_stars(local: &str) -> String {
    let star = |token| match str::strip_prefix(token, '$').map(str::parse::<usize>) {
        Some(Ok(_)) => "*",
        _ => token,
    };
    local.split('.').map(star).collect::<Vec<_>>().join(".")
}

pub(crate) fn has_wildcards(subject: &str) -> bool {
    subject.split('.').any(|token| token == "*") || subject == ">" || subject.ends_with(".>")
}

/// Whether all that matches `inner` matches `outer`, as the reference sees it: to it `>` lies
/// within `*`.
pub(crate) fn is_within(inner: &str, outer: &str) -> bool {
    let mut inner = inner.split('.');
    let mut outer = outer.split('.').peekable();
    while let Some(token) = outer.next() {
        let Some(other) = inner.next() else {
            return false;
        };
        if token == ">" && outer.peek().is_none() {
            return true;
        }
        if token != other && token != "*" {
            return false;
        }
    }
    inner.next().is_none()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn subjects_have_tokens() {
        for right in ["a", "a.b", "*", ">", "a.*.>", "$SYS.x", "leaf.{{name()}}.>"] {
            assert!(check("f", right).is_ok(), "{right}");
        }
        for wrong in ["", ".", "a.", ".a", "a..b", "a b"] {
            assert!(check("f", wrong).is_err(), "{wrong}");
        }
        assert!(check_permission("f", "a q", true).is_ok());
        assert!(check_permission("f", "a q r", true).is_err());
        assert!(check_permission("f", "a q", false).is_err());
        assert!(check_literal("f", "a.*").is_err());
        assert!(check_literal("f", "a.b*").is_ok());
    }

    #[test]
    fn a_local_subject_uses_each_wildcard_once() {
        for (local, from) in [
            ("x.$1", "a.*"),
            ("$2.$1.>", "*.*.>"),
            ("*.y", "*"),
            ("b", "a"),
        ] {
            assert!(check_renaming("f", local, from).is_ok(), "{local}");
        }
        for (local, from) in [("x", "a.*"), ("x.$2", "a.*"), ("x.>", "a"), ("x", "a.>")] {
            assert!(check_renaming("f", local, from).is_err(), "{local}");
        }
        assert_eq!(with_stars("a.$1.$x"), "a.*.$x");
    }

    #[test]
    fn one_subject_lies_within_another() {
        for (inner, outer) in [("a.b", "a.*"), ("a.*", "a.>"), ("a", "a"), ("a.b.c", ">")] {
            assert!(is_within(inner, outer), "{inner} {outer}");
        }
        for (inner, outer) in [("a", "a.>"), ("a.b.c", "a.*"), ("a.*", "a.b")] {
            assert!(!is_within(inner, outer), "{inner} {outer}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(a in "[a*>$.1 ]{0,9}", b in "\\PC{0,9}") {
            let _ = (check_renaming("f", &a, &b), check_renaming("f", &b, &a));
            let _ = (is_within(&a, &b), is_within(&b, &a), with_stars(&b));
            prop_assert!(is_within(&a, &a));
        }
    }
}
