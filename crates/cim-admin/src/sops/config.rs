//! `secrets/.sops.yaml`: whom a file is sealed for, by the first rule that matches its name.

use anyhow::{Context, Result, bail, ensure};
use regex::Regex;

use super::keys::Recipient;
use super::rules::PARTIAL;
use super::text::from_settings;
use super::tree::Tree;

/// Keys that only sops can use, in a rule.
const FOREIGN: [&str; 12] = [
    "kms",
    "aws_profile",
    "gcp_kms",
    "azure_keyvault",
    "hc_vault_transit_uri",
    "hc_vault_uris",
    "hckms",
    "pgp",
    "shamir_threshold",
    "merge",
    "unencrypted_comment_regex",
    "encrypted_comment_regex",
];

/// The creation rules.
#[derive(Debug)]
pub struct Config {
    rules: Vec<Creation>,
}

#[derive(Debug)]
struct Creation {
    path: Option<Regex>,
    recipients: Vec<Recipient>,
}

impl Config {
    /// Reads the rules.
    ///
    /// # Errors
    /// What cannot be read; rules with keys other than age's, or that leave values readable.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let tree = from_settings(bytes)?;
        let rules = match tree.get("creation_rules") {
            Some(Tree::List(rules)) => rules.as_slice(),
            _ => bail!(
                "it has no creation_rules: write for each file `- path_regex: ^hub-1\\.yaml$` and below it `age: age1…,age1…`"
            ),
        };
        let rules = rules.iter().enumerate().map(|(index, rule)| {
            creation(rule).with_context(|| format!("creation_rules[{index}]"))
        });
        Ok(Self {
            rules: rules.collect::<Result<_>>()?,
        })
    }

    /// The rules in their order: the expression for names, where there is one, and whom for.
    pub fn rules(&self) -> impl Iterator<Item = (Option<&str>, &[Recipient])> {
        self.rules.iter().map(|rule| {
            let path = rule.path.as_ref().map(Regex::as_str);
            (path, rule.recipients.as_slice())
        })
    }

    /// Whom a file is sealed for; `file` is its path below the folder of `.sops.yaml`.
    ///
    /// # Errors
    /// No rule for it.
    pub fn recipients(&self, file: &str) -> Result<&[Recipient]> {
        let matches = |rule: &&Creation| rule.path.as_ref().is_none_or(|path| path.is_match(file));
        let rule = self.rules.iter().find(matches).with_context(|| {
            format!("no rule matches {file}: add a creation rule whose path_regex does")
        })?;
        Ok(&rule.recipients)
    }
}

fn creation(rule: &Tree) -> Result<Creation> {
    ensure!(
        matches!(rule, Tree::Map(_)),
        "it is no rule: write `path_regex` and `age`"
    );
    for name in PARTIAL {
        ensure!(
            rule.get(name).is_none_or(Tree::is_empty),
            "it has {name}, which leaves values readable: cim-admin seals every value; remove it"
        );
    }
    if let Some(name) = FOREIGN
        .iter()
        .find(|name| rule.get(name).is_some_and(|v| !v.is_empty()))
    {
        bail!("it has {name}: cim-admin seals for age recipients only; remove it");
    }
    let path = rule.get("path_regex").map(|path| {
        let text = path.as_text().context("path_regex is no text")?;
        Regex::new(text).with_context(|| format!("path_regex {text:?}"))
    });
    let mut recipients: Vec<Recipient> = Vec::new();
    for text in recipients_of(rule)? {
        let recipient: Recipient = text.parse()?;
        if !recipients.contains(&recipient) {
            recipients.push(recipient);
        }
    }
    ensure!(
        !recipients.is_empty(),
        "it names no age recipient: write `age: age1…`"
    );
    Ok(Creation {
        path: path.transpose()?,
        recipients,
    })
}

/// The recipients of a rule: under `age`, or in one key group.
fn recipients_of(rule: &Tree) -> Result<Vec<&str>> {
    let mut found = Vec::new();
    age(rule, &mut found)?;
    match rule.get("key_groups") {
        None => {}
        Some(Tree::List(groups)) if groups.len() == 1 => {
            for (name, keys) in groups[0].entries() {
                ensure!(
                    name == "age" || keys.is_empty(),
                    "its key group has {name}: cim-admin seals for age recipients only; remove it"
                );
            }
            age(&groups[0], &mut found)?;
        }
        Some(_) => bail!("it has several key_groups: cim-admin seals for one; join them"),
    }
    Ok(found)
}

fn age<'a>(tree: &'a Tree, found: &mut Vec<&'a str>) -> Result<()> {
    match tree.get("age") {
        None | Some(Tree::Other(_)) => {}
        Some(Tree::Text(text)) => {
            found.extend(
                text.split(',')
                    .map(str::trim)
                    .filter(|part| !part.is_empty()),
            );
        }
        Some(Tree::List(list)) => {
            for item in list {
                found.push(item.as_text().context("an entry of age is no text")?);
            }
        }
        Some(_) => bail!("age is no recipient: write `age: age1…,age1…`, or a list"),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sops::Identities;

    fn key() -> String {
        Identities::generate().recipients()[0].to_string()
    }

    #[test]
    fn the_first_rule_that_matches_counts() {
        let (desk, hub, leaf) = (key(), key(), key());
        let text = format!(
            "keys:\n  - &desk {desk}\n  - &hub {hub}\ncreation_rules:\n\
             - path_regex: ^hub-1\\.yaml$\n  key_groups:\n  - age: [*desk, *hub]\n\
             - path_regex: ^leaf/\n  age: >-\n    {leaf},\n    {leaf}\n\
             - age: [*desk]\n"
        );
        let config = Config::read(text.as_bytes()).unwrap();
        let found = |file: &str| -> Vec<String> {
            config
                .recipients(file)
                .unwrap()
                .iter()
                .map(ToString::to_string)
                .collect()
        };
        assert_eq!(found("hub-1.yaml"), [desk.clone(), hub]);
        assert_eq!(found("leaf/a.key"), [leaf]);
        assert_eq!(found("hub-2.yaml"), [desk]);
    }

    #[test]
    fn rules_that_seal_less_or_otherwise_are_refused() {
        let key = key();
        for (rule, part) in [
            ("age: ''".to_owned(), "names no age recipient"),
            ("{}".to_owned(), "names no age recipient"),
            (format!("{{age: {key}, pgp: FBC7}}"), "it has pgp"),
            (
                format!("{{age: {key}, encrypted_regex: ^a$}}"),
                "leaves values readable",
            ),
            (
                format!("{{key_groups: [{{age: [{key}]}}, {{age: [{key}]}}]}}"),
                "several key_groups",
            ),
            (
                format!("{{key_groups: [{{age: [{key}], pgp: [A]}}]}}"),
                "key group has pgp",
            ),
            (format!("{{age: {}}}", &key[..50]), "is no age recipient"),
            ("age: ssh-ed25519 AAAA".to_owned(), "an ssh key stands"),
            (format!("{{age: {key}, path_regex: '('}}"), "path_regex"),
        ] {
            let text = format!("creation_rules:\n- {rule}\n");
            let error = format!("{:#}", Config::read(text.as_bytes()).unwrap_err());
            assert!(
                error.contains(part) && error.starts_with("creation_rules[0]"),
                "{error}"
            );
        }
        let none = Config::read(b"creation_rules: []").unwrap();
        assert!(
            none.recipients("a.yaml")
                .unwrap_err()
                .to_string()
                .contains("no rule matches")
        );
    }
}
