//! Text between dashed lines, as in `.creds` files: found exactly where nats-server finds it.
//!
//! Upstream: nats-server 2.15, `leafnode.go` (`credsRe`); nats-io/jwt v2.8.2, `creds_utils.go`.

/// What stands between dashed lines, block by block: nats-server's
/// `\s*(?:(?:[-]{3,}.*[-]{3,}\r?\n)([\w\-.=]+)(?:\r?\n[-]{3,}.*[-]{3,}(\r?\n|\z)))`.
pub(crate) struct Blocks<'a>(pub &'a [u8]);

impl<'a> Iterator for Blocks<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        loop {
            let (begin, rest) = line(self.0)?;
            let (body, after) = line(rest)?;
            let text = std::str::from_utf8(body).ok();
            let text = text.filter(|text| !text.is_empty() && text.bytes().all(is_body));
            let end = line(after).filter(|(end, _)| is_end(end));
            match (text, end) {
                (Some(text), Some((_, next))) if is_begin(begin) => {
                    self.0 = next;
                    return Some(text);
                }
                _ => self.0 = rest,
            }
        }
    }
}

/// The first line without its ending, and what follows; `None` when nothing is left.
fn line(text: &[u8]) -> Option<(&[u8], &[u8])> {
    if text.is_empty() {
        return None;
    }
    let Some(at) = text.iter().position(|byte| *byte == b'\n') else {
        return Some((text, &[]));
    };
    let whole = &text[..at];
    Some((whole.strip_suffix(b"\r").unwrap_or(whole), &text[at + 1..]))
}

/// Whether a byte may stand in a token or seed.
pub(crate) fn is_body(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'=')
}

/// `---…---` at the end of a line; anything may stand before it.
fn is_begin(line: &[u8]) -> bool {
    line.ends_with(b"---") && line[..line.len() - 3].windows(3).any(|part| part == b"---")
}

/// `---…---` as the whole line.
fn is_end(line: &[u8]) -> bool {
    line.len() >= 6 && line.starts_with(b"---") && line.ends_with(b"---")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::bytes::Regex;

    use super::*;

    /// What nats-server's expression finds.
    fn expected(text: &[u8]) -> Vec<String> {
        let server =
            r"\s*(?:(?:[-]{3,}.*[-]{3,}\r?\n)([\w\-.=]+)(?:\r?\n[-]{3,}.*[-]{3,}(\r?\n|\z)))";
        let found = Regex::new(&format!("(?-u){server}")).unwrap();
        found
            .captures_iter(text)
            .map(|found| String::from_utf8(found[1].to_vec()).unwrap())
            .collect()
    }

    proptest! {
        #[test]
        fn blocks_are_those_that_nats_server_finds(
            parts in proptest::collection::vec(
                prop_oneof!["-{0,7}", "[ -~]{0,3}", "\r{0,2}\n", Just("\n".to_owned()),
                    "---[A-Z ]{0,3}---\r?\n", "[a-zA-Z0-9_.=-]{1,5}\r?\n", Just("\u{e9}".to_owned())],
                0..24,
            )
        ) {
            let text = parts.concat().into_bytes();
            let found: Vec<_> = Blocks(&text).map(str::to_owned).collect();
            prop_assert_eq!(found, expected(&text));
        }
    }
}
