//! Which subjects match which.

/// Whether every subject that `narrow` matches is one that `wide` matches.
pub fn covers(wide: &str, narrow: &str) -> bool {
    let mut narrow = narrow.split('.');
    for token in wide.split('.') {
        match (token, narrow.next()) {
            (">", Some(_)) => return true,
            ("*", Some(theirs)) if theirs != ">" => {}
            (token, Some(theirs)) if token == theirs => {}
            _ => return false,
        }
    }
    narrow.next().is_none()
}

/// Whether some subject is one that both match.
pub fn collide(a: &str, b: &str) -> bool {
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        match (a.next(), b.next()) {
            (None, None) => return true,
            (Some(">"), Some(_)) | (Some(_), Some(">")) => return true,
            (Some(x), Some(y)) if x == y || x == "*" || y == "*" => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_cover_what_they_match() {
        for (wide, narrow) in [
            (">", "a"),
            ("a.>", "a.b.c"),
            ("a.*", "a.b"),
            ("a.*", "a.*"),
            ("a.>", "a.>"),
            ("a.>", "a.*"),
        ] {
            assert!(covers(wide, narrow), "{wide} {narrow}");
            assert!(collide(narrow, wide), "{wide} {narrow}");
        }
        for (wide, narrow) in [
            ("a.*", "a.>"),
            ("a.b", "a.*"),
            ("a.>", "a"),
            ("a", "a.b"),
            ("a.*", "a"),
        ] {
            assert!(!covers(wide, narrow), "{wide} {narrow}");
        }
    }

    #[test]
    fn subjects_collide_where_one_may_be_both() {
        assert!(collide("a.*.c", "*.b.c"));
        assert!(collide("a.*", "a.>"));
        for (a, b) in [("a", "b"), ("a.b", "a"), ("a.>", "a"), ("*.x", "a.y")] {
            assert!(!collide(a, b), "{a} {b}");
        }
    }
}
