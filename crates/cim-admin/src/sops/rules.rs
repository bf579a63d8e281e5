//! Which values of a file are sealed: what its own metadata say, by sops' rules.

use anyhow::{Context, Result, bail};
use regex::Regex;

use super::tree::Tree;

/// What sops assumes where a file says nothing.
pub const DEFAULT_SUFFIX: &str = "_unencrypted";

/// Metadata by which sops leaves values readable.
pub const PARTIAL: [&str; 6] = [
    "unencrypted_suffix",
    "encrypted_suffix",
    "unencrypted_regex",
    "encrypted_regex",
    "unencrypted_comment_regex",
    "encrypted_comment_regex",
];

/// The rule of one file.
#[derive(Debug)]
pub enum Rule {
    /// Sealed, unless a name on the way ends so.
    UnlessSuffix(String),
    /// Sealed if a name on the way ends so.
    IfSuffix(String),
    /// Sealed, unless a name on the way matches.
    UnlessMatch(Regex),
    /// Sealed if a name on the way matches.
    IfMatch(Regex),
}

impl Rule {
    /// Reads the rule in a file's metadata.
    ///
    /// # Errors
    /// Two rules, rules by comments, and an expression that cannot be read.
    pub fn read(metadata: &Tree) -> Result<Self> {
        let given = |name: &&str| metadata.get(name).is_some_and(|value| !is_nothing(value));
        let mut given = PARTIAL.iter().copied().filter(given);
        let Some(name) = given.next() else {
            return Ok(Rule::UnlessSuffix(DEFAULT_SUFFIX.to_owned()));
        };
        if let Some(other) = given.next() {
            bail!("its metadata have both {name} and {other}: sops takes one");
        }
        let text = metadata.get(name).and_then(Tree::as_text);
        let text = text.with_context(|| format!("its metadata's {name} is no text"))?;
        let regex = || Regex::new(text).with_context(|| format!("its metadata's {name}"));
        Ok(match name {
            "unencrypted_suffix" => Rule::UnlessSuffix(text.to_owned()),
            "encrypted_suffix" => Rule::IfSuffix(text.to_owned()),
            "unencrypted_regex" => Rule::UnlessMatch(regex()?),
            "encrypted_regex" => Rule::IfMatch(regex()?),
            _ => bail!("its metadata have {name}, and cim-admin reads no comments"),
        })
    }

    /// Whether the value at `path` is sealed.
    pub fn seals(&self, path: &[String]) -> bool {
        let ends = |suffix: &String| path.iter().any(|name| name.ends_with(suffix));
        let matches = |regex: &Regex| path.iter().any(|name| regex.is_match(name));
        match self {
            Rule::UnlessSuffix(suffix) => !ends(suffix),
            Rule::IfSuffix(suffix) => ends(suffix),
            Rule::UnlessMatch(regex) => !matches(regex),
            Rule::IfMatch(regex) => matches(regex),
        }
    }
}

fn is_nothing(value: &Tree) -> bool {
    value.is_empty() || value.as_text() == Some("")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seals(name: &str, value: &str, path: &[&str]) -> bool {
        let metadata = Tree::Map(vec![(name.to_owned(), Tree::text(value))]);
        let path: Vec<String> = path.iter().map(|&name| name.to_owned()).collect();
        Rule::read(&metadata).unwrap().seals(&path)
    }

    #[test]
    fn rules_hold_for_all_below_a_name() {
        assert!(seals("version", "3", &["a"]));
        assert!(!seals("version", "3", &["a_unencrypted", "b"]));
        assert!(!seals("unencrypted_suffix", "_x", &["a_x"]));
        assert!(seals("unencrypted_suffix", "_x", &["a_unencrypted"]));
        assert!(seals("encrypted_suffix", "_x", &["a_x", "b"]));
        assert!(!seals("encrypted_suffix", "_x", &["a"]));
        assert!(seals(
            "encrypted_regex",
            "^(seed|pass.*)$",
            &["a", "password"]
        ));
        assert!(!seals("encrypted_regex", "^seed$", &["seeds"]));
        assert!(!seals("unencrypted_regex", "^url$", &["url"]));
        assert!(seals("unencrypted_regex", "^url$", &["urls"]));
    }

    #[test]
    fn two_rules_and_rules_by_comment_are_refused() {
        let metadata = |names: &[&str]| {
            Tree::Map(
                names
                    .iter()
                    .map(|&n| (n.to_owned(), Tree::text("x")))
                    .collect(),
            )
        };
        for names in [
            &["encrypted_regex", "unencrypted_suffix"][..],
            &["encrypted_comment_regex"],
        ] {
            assert!(Rule::read(&metadata(names)).is_err(), "{names:?}");
        }
    }
}
