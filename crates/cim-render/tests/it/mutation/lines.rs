//! Reads nats.conf line by line, as strictly as the writer writes it, and by no code of the writer's or the reader's.

/// Holds where each line is a key in quotes with a value, a value, or the end of a block.
///
/// # Errors
/// The first line that is something else.
pub fn are_quoted(config: &str) -> Result<(), String> {
    let mut lines = config.split('\n');
    if !lines.next().is_some_and(|first| first.starts_with("# ")) {
        return Err("the first line is no comment".to_owned());
    }
    for line in lines {
        if !is_line(line.trim_start_matches(' ')) {
            return Err(format!("this line is not quoted: {line:?}"));
        }
    }
    Ok(())
}

fn is_line(line: &str) -> bool {
    if let Some(file) = line.strip_prefix("include ") {
        return text(file) == Some("");
    }
    if matches!(line, "" | "]" | "}" | "{" | "[") || is_value(line) {
        return true;
    }
    key(line).is_some_and(|value| matches!(value, "{" | "[") || is_value(value))
}

/// What follows a key and its colon. Quoted keys know no escapes.
fn key(line: &str) -> Option<&str> {
    let quote = line.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (key, rest) = line[1..].split_once(quote)?;
    let is_key = !key.is_empty() && !key.chars().any(char::is_control);
    is_key.then_some(rest)?.strip_prefix(": ")
}

fn is_value(value: &str) -> bool {
    if matches!(value, "true" | "false" | "[]" | "{}") || text(value) == Some("") {
        return true;
    }
    if let Some(name) = value.strip_prefix('$') {
        return !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    }
    let digits = value.strip_prefix('-').unwrap_or(value);
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match digits.split_once('.') {
        Some((whole, fraction)) => is_number(whole) && is_number(fraction),
        None => is_number(digits),
    }
}

/// What follows a text in double quotes.
fn text(line: &str) -> Option<&str> {
    let mut chars = line.strip_prefix('"')?.char_indices();
    while let Some((index, c)) = chars.next() {
        match c {
            '"' => return Some(&line[index + 2..]),
            '\\' => match chars.next()?.1 {
                '"' | '\\' | 'n' | 'r' | 't' => {}
                'x' => {
                    let is_hex = |c: char| c.is_ascii_hexdigit();
                    (is_hex(chars.next()?.1) && is_hex(chars.next()?.1)).then_some(())?;
                }
                _ => return None,
            },
            c if c.is_ascii_control() => return None,
            _ => {}
        }
    }
    None
}

#[test]
fn what_is_not_quoted_is_found() {
    let holds = |line: &str| are_quoted(&format!("# \n{line}\n")).is_ok();
    for good in [
        r#""a": "b""#,
        r#"  "a": {"#,
        r#"'a"': -1"#,
        r#""\x00 \" \\""#,
        "$NAME",
        "1.5",
        r#"include "secrets.conf""#,
    ] {
        assert!(holds(good), "{good}");
    }
    for bad in [
        "a: 1",
        r#""a": b"#,
        r#""a": "b" c"#,
        r#""a": "b"""#,
        r#""a": 1k"#,
        r#""a": $"#,
        "include x",
        "\"a\": \"\u{1}\"",
        r#""a": "\q""#,
    ] {
        assert!(!holds(bad), "{bad}");
    }
}
