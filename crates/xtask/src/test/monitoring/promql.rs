//! Which series a PromQL expression asks for.

use std::collections::BTreeSet;

/// Words before a list of labels in brackets.
const GROUPING: [&str; 6] = [
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
];

/// Words that stand between expressions.
const BETWEEN: [&str; 8] = [
    "and", "or", "unless", "bool", "offset", "atan2", "inf", "nan",
];

/// The names of an expression's selectors.
pub fn names(expr: &str) -> BTreeSet<String> {
    let name = |selector: String| selector.split('{').next().map(str::to_owned);
    selectors(expr).into_iter().filter_map(name).collect()
}

/// An expression's selectors, each with its matchers. What stands before a bracket is a function; labels stand in braces, or
/// in brackets after a grouping word. A selector without a name (`{__name__=~"…"}`) is none: nobody writes one here.
pub fn selectors(expr: &str) -> BTreeSet<String> {
    let mut selectors = BTreeSet::new();
    let mut rest = expr;
    while let Some(first) = rest.chars().next() {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
        rest = match first {
            '"' | '\'' | '`' => after(rest, first),
            '{' => after_braces(rest),
            '[' => after(rest, ']'),
            c if is_part(c) => {
                let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
                let (word, after_word) = rest.split_at(end);
                let next = after_word.trim_start();
                if GROUPING.contains(&word) && next.starts_with('(') {
                    after(next, ')')
                } else {
                    // `sum by (x) (…)`: what stands before these two is a function, too.
                    let is_called = next.starts_with('(')
                        || next.starts_with("by ")
                        || next.starts_with("without ");
                    let is_name = !c.is_ascii_digit()
                        && !is_called
                        && !GROUPING.contains(&word)
                        && !BETWEEN.contains(&word);
                    let after_matchers = match after_word.starts_with('{') {
                        true => after_braces(after_word),
                        false => after_word,
                    };
                    let matchers = &after_word[..after_word.len() - after_matchers.len()];
                    if is_name {
                        selectors.insert(format!("{word}{matchers}"));
                    }
                    after_matchers
                }
            }
            c => &rest[c.len_utf8()..],
        };
    }
    selectors
}

/// What follows the next `end` after the first character.
fn after(text: &str, end: char) -> &str {
    let body = &text[1..];
    body.find(end).map_or("", |at| &body[at + end.len_utf8()..])
}

/// What follows a block in braces, in whose texts braces count for nothing.
fn after_braces(text: &str) -> &str {
    let mut rest = &text[1..];
    while let Some(first) = rest.chars().next() {
        rest = match first {
            '"' | '\'' | '`' => after(rest, first),
            '}' => return &rest[1..],
            c => &rest[c.len_utf8()..],
        };
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(expr: &str) -> Vec<String> {
        names(expr).into_iter().collect()
    }

    #[test]
    fn selectors_and_nothing_else() {
        assert_eq!(found(r#"a{x="b{c}",y=~"d|e"} == 2"#), ["a"]);
        assert_eq!(
            found("sum by (server, of) (rate(a_total[5m])) / on (x) group_left (y) b:c > bool 1e3"),
            ["a_total", "b:c"]
        );
        assert_eq!(
            found(r#"a unless on (instance) up{job="x"} and on () count(c)"#),
            ["a", "c", "up"]
        );
        assert_eq!(found("topk(15, a offset 5m) or vector(1)"), ["a"]);
        assert_eq!(found("max(a) without (b)"), ["a"]);
        assert!(found("vector(1)").is_empty());
    }

    #[test]
    fn each_part_of_an_or_is_asked_for_with_its_matchers() {
        let expr = r#"min by (x) (a{x="1}"} or rate(b_total{x=~"2"}[5m]) or c) or vector(0)"#;
        let found: Vec<_> = selectors(expr).into_iter().collect();
        assert_eq!(found, [r#"a{x="1}"}"#, r#"b_total{x=~"2"}"#, "c"]);
    }
}
