//! What must never be shown or stand in an option: told by what it looks like.

/// Whether a text holds an nkey seed, a private key, or a URL with a password or token.
pub fn is_in(text: &str) -> bool {
    holds_seed(text) || text.contains("PRIVATE KEY-----") || has_userinfo(text)
}

/// An nkey seed, or most of one, anywhere in the text: `S` and base32 after it.
fn holds_seed(text: &str) -> bool {
    text.split(|c: char| !(c.is_ascii_uppercase() || ('2'..='7').contains(&c)))
        .any(|run| run.len() > 40 && run.starts_with('S'))
}

/// `scheme://user:password@host`, or `scheme://token@host`, in any of several URLs.
fn has_userinfo(text: &str) -> bool {
    text.split("://").skip(1).any(|rest| {
        let url = rest.split([' ', ',', '"']).next().unwrap_or(rest);
        let authority = url.split(['/', '?', '#']).next().unwrap_or(url);
        // A password with a slash in it ends what looks like the authority.
        let no_port = authority
            .rsplit_once(':')
            .is_some_and(|(_, port)| !port.ends_with(']') && port.parse::<u16>().is_err());
        authority.contains('@') || (no_port && url.contains('@'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: &str = "SUTHISISNOREALSEEDBUTITLOOKSLIKEONETOANYBODYWHOREADSITFAST";

    #[test]
    fn secrets_are_found_inside_other_text() {
        assert!(is_in(SEED));
        assert!(is_in(&format!(" {}\n", &SEED[..57])));
        assert!(is_in("-----BEGIN EC PRIVATE KEY-----"));
        for url in [
            "nats://admin:hunter2@h:4222",
            "nats://t0ken@h",
            "nats://a:4222,nats://b:pa/ss@h",
            "URL(https://x:y@h/)",
        ] {
            assert!(is_in(url), "{url}");
        }
    }

    #[test]
    fn what_is_public_is_not_taken_for_a_secret() {
        for text in [
            "UC5T5MYGTYVHZ7FUTZMEBVTN4KO64HBAHIVOSAUICW6FLUQNRKW6JQ3W",
            "nats://h:4222/a@b",
            "https://[2001:db8::1]:443/a@b",
            "a@b.example",
            "/run/secrets/leaf.nk",
        ] {
            assert!(!is_in(text), "{text}");
        }
    }
}
