//! Destinations of mappings: a subject in which functions stand for tokens of the source.
//! <https://docs.nats.io/nats-concepts/subject_mapping>.

use crate::problem::Refused;
use crate::subject;

/// Checks what messages of a subject may be called instead.
///
/// # Errors
/// What nats-server refuses: `*`, a `>` that only one of both has, functions it does not know or of wildcards that are
/// not there.
pub fn check_destination(source: &str, destination: &str) -> Result<(), Refused> {
    let refuse = |why: String| {
        Err(Refused::new(
            format!("is no destination of {source:?}: {why}"),
            "write `{{wildcard(1)}}` where its first `*` goes, and `>` last where it ends so: \"new.{{wildcard(1)}}\" for \"old.*\"",
        ))
    };
    let stars = source.split('.').filter(|token| *token == "*").count();
    // What is left when functions are plain words must be a subject.
    let mut plain = Vec::new();
    for token in destination.split('.') {
        match call(token) {
            Some((name, arguments)) => {
                if let Err(why) = fits(&name, &arguments, stars) {
                    return refuse(format!("{token:?} {why}"));
                }
                plain.push("x");
            }
            None if token.contains("{{") || token.contains("}}") => {
                return refuse(format!("{token:?} is no function"));
            }
            None if token == "*" => return refuse("`*` says not which".to_owned()),
            None => plain.push(token),
        }
    }
    subject::check(&plain.join("."))?;
    if source.ends_with('>') != destination.ends_with('>') {
        return refuse("one ends in `>`, the other does not".to_owned());
    }
    Ok(())
}

/// The function that a token calls, in lower case, with its arguments. `$1` is `wildcard(1)`.
fn call(token: &str) -> Option<(String, Vec<&str>)> {
    if let Some(number) = token.strip_prefix('$') {
        let is_number = number.parse::<i64>().is_ok();
        return is_number.then(|| ("wildcard".to_owned(), vec![number]));
    }
    let inside = token.strip_prefix("{{")?.strip_suffix("}}")?.trim();
    let (name, arguments) = inside.strip_suffix(')')?.split_once('(')?;
    let arguments = arguments.split(',').map(str::trim).collect();
    Some((name.trim().to_ascii_lowercase(), arguments))
}

fn fits(name: &str, arguments: &[&str], stars: usize) -> Result<(), String> {
    let wildcard = |text: &&str| text.parse().is_ok_and(|n: usize| (1..=stars).contains(&n));
    let number = |text: &str| text.parse().is_ok_and(|n: i32| n > 0);
    let good = match (name, arguments) {
        ("wildcard", [index]) => wildcard(index),
        ("partition", [count, indexes @ ..]) => number(count) && indexes.iter().all(wildcard),
        ("random", [count]) => number(count),
        (
            "splitfromleft" | "splitfromright" | "slicefromleft" | "slicefromright" | "left"
            | "right",
            [index, length],
        ) => wildcard(index) && number(length),
        ("split", [index, delimiter]) => {
            wildcard(index) && !delimiter.is_empty() && !delimiter.contains(char::is_whitespace)
        }
        _ => return Err("is no function that nats-server knows".to_owned()),
    };
    if good {
        Ok(())
    } else {
        Err(format!("does not fit its {stars} `*`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations_use_the_wildcards_that_are_there() {
        for (source, destination) in [
            ("a", "b"),
            ("a.*", "b.{{wildcard(1)}}"),
            ("a.*", "b"),
            ("a.*", "b.$1"),
            ("a.*.>", "b.{{ Wildcard( 1 ) }}.>"),
            ("a.*.*", "b.{{partition(3,1,2)}}"),
            ("a", "b.{{random(3)}}"),
            ("a.*", "{{split(1,-)}}"),
        ] {
            assert_eq!(
                check_destination(source, destination),
                Ok(()),
                "{source} {destination}"
            );
        }
        for (source, destination) in [
            ("a", "b.{{wildcard(1)}}"),
            ("a.*", "b.*"),
            ("a.*", "b.$2"),
            ("a.>", "b"),
            ("a", "b.>"),
            ("a.*", "b.{{wildcard(0)}}"),
            ("a.*", "b.{{nothing(1)}}"),
            ("a.*", "b.{{wildcard(1)"),
            ("a.*", "b..c"),
            ("a.*", "b c"),
        ] {
            assert!(
                check_destination(source, destination).is_err(),
                "{source} {destination}"
            );
        }
    }
}
