//! bcrypt hashes, the only form in which a password may stand in an option.

/// Whether the text is a bcrypt hash (`$2a$`, `$2b$` or `$2y$`, cost, 53 characters).
pub fn is_bcrypt(text: &str) -> bool {
    let Some(rest) = ["$2a$", "$2b$", "$2y$"]
        .iter()
        .find_map(|prefix| text.strip_prefix(prefix))
    else {
        return false;
    };
    let Some((cost, digest)) = rest.split_once('$') else {
        return false;
    };
    cost.len() == 2
        && cost.chars().all(|c| c.is_ascii_digit())
        && digest.len() == 53
        && digest
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_not_hashes() {
        assert!(is_bcrypt(
            "$2a$11$PWIFAL8RsWyGI3jVZtO9Nu8.6jOxzxfZo7c/W0eLk017hjgUKWrhy"
        ));
        for bad in ["$2a$11$...", "secret", "", "$2a$11$", "$1$abc$def"] {
            assert!(!is_bcrypt(bad), "{bad}");
        }
    }
}
