//! NATS subjects: <https://docs.nats.io/nats-concepts/subjects>.

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

/// Whether a subject is or covers one of NATS's own (`$SYS`, `$JS`, `$KV`, …).
pub fn covers_system(subject: &str) -> bool {
    subject.starts_with(['$', '*', '>'])
}

#[cfg(test)]
mod tests {
    use super::*;

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
