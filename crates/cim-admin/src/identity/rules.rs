//! `secrets/.sops.yaml`: made from the plan's hosts, and kept in step with them unless people keep it by hand.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use super::plan::Plan;
use super::vault::OPERATOR;
use crate::files;
use crate::sops::{Config, Folder, Recipient, SETTINGS};

/// How a file begins that cim-admin keeps.
const MARK: &str = "# Kept by `cim-admin identity make`";

pub(crate) const HEAD: &str = "# Kept by `cim-admin identity make`: hosts are those of the plan, sealed for their ssh host keys.
# Operators are those of operator.yaml: add a colleague's age recipient there and run it again.
# Without the first line it is yours alone, and only read.
creation_rules:
";

/// What people and leaves elsewhere get, for operators alone.
pub(crate) const PEOPLE: &str = "^(users|leaves|services)/";

/// The rules as they shall be.
pub struct Rules {
    /// The folder by them.
    pub folder: Folder,
    /// The file's new text; `None`: it stays as it is.
    pub text: Option<String>,
}

/// Reads the rules, or makes them; `own`: the operator's own recipients, for a folder without rules.
///
/// # Errors
/// Rules that cannot be read, that people keep and that leave a host out, and hosts that nobody knows a key of.
pub fn settle(path: &Path, plan: &Plan, own: &[Recipient]) -> Result<Rules> {
    let settings = path.join(SETTINGS);
    let (text, config) = if files::exists(&settings)? {
        let bytes = files::read(&settings)?;
        let reading = || format!("reading {}", settings.display());
        let config = Config::read(&bytes).with_context(reading)?;
        (String::from_utf8_lossy(&bytes).into_owned(), Some(config))
    } else {
        (String::new(), None)
    };
    let wanted =
        wanted(plan, config.as_ref(), own).with_context(|| settings.display().to_string())?;
    let differing: Vec<String> = match &config {
        Some(config) => differing(&wanted, config, !text.starts_with(MARK)),
        None => vec![String::new()],
    };
    match config {
        Some(config) if differing.is_empty() => Ok(Rules {
            folder: Folder::with(path, config),
            text: None,
        }),
        Some(_) if !text.starts_with(MARK) => bail!(
            "{} is kept by hand, and does not say what the plan needs:\n{}",
            settings.display(),
            differing.join("\n")
        ),
        config => {
            let text = written(&wanted, config.as_ref(), path)?;
            let config = Config::read(text.as_bytes()).context("reading the new rules")?;
            Ok(Rules {
                folder: Folder::with(path, config),
                text: Some(text),
            })
        }
    }
}

/// A rule: a file that it is for, the expression for its name, and whom for.
struct Wanted {
    example: String,
    path: String,
    recipients: Vec<Recipient>,
}

/// What the rules say otherwise than the plan needs, by hand or not, a sentence each.
///
/// # Errors
/// Rules that cannot be read.
pub fn check(path: &Path, plan: &Plan) -> Result<Vec<String>> {
    let settings = path.join(SETTINGS);
    let doing = || settings.display().to_string();
    let config = Config::read(&files::read(&settings)?).with_context(doing)?;
    let own = config.recipients(OPERATOR).with_context(doing)?.to_vec();
    let wanted = wanted(plan, Some(&config), &own).with_context(doing)?;
    let said = differing(&wanted, &config, false).into_iter();
    Ok(said.map(|said| format!("{}: {said}", doing())).collect())
}

fn wanted(plan: &Plan, config: Option<&Config>, own: &[Recipient]) -> Result<Vec<Wanted>> {
    let operators = match config {
        Some(config) => config.recipients(OPERATOR)?.to_vec(),
        None => own.to_vec(),
    };
    ensure!(
        operators.iter().any(|operator| own.contains(operator)),
        "your key is not among the operators', those of the rule for {OPERATOR}: ask one of them to add it, or give another with --keys"
    );
    let exactly = |name: &str| format!("^{}$", regex::escape(name).replace("\\-", "-"));
    let mut wanted = vec![Wanted {
        example: OPERATOR.to_owned(),
        path: exactly(OPERATOR),
        recipients: operators.clone(),
    }];
    let mut unknown = Vec::new();
    for host in plan.hosts.keys() {
        let file = Plan::file_of(host);
        let mut recipients = operators.clone();
        let others = match plan.recipient(host)? {
            Some(recipient) => vec![recipient],
            None => {
                let known = config.and_then(|config| config.recipients(&file).ok());
                known.unwrap_or_default().to_vec()
            }
        };
        recipients.extend(
            others
                .into_iter()
                .filter(|other| !operators.contains(other)),
        );
        if recipients.len() == operators.len() {
            unknown.push(format!(
                "nobody knows {host}'s key, so it could not open {file}: set its services.cim.sops.hostKey to its /etc/ssh/ssh_host_ed25519_key.pub, or write a rule for {file} with its age recipient"
            ));
        }
        wanted.push(Wanted {
            path: exactly(&file),
            example: file,
            recipients,
        });
    }
    ensure!(unknown.is_empty(), "{}", unknown.join("\n"));
    wanted.push(Wanted {
        example: "users/ACCOUNT/user.creds".to_owned(),
        path: PEOPLE.to_owned(),
        recipients: operators,
    });
    Ok(wanted)
}

/// What the rules say otherwise than is wanted; of rules that people keep, only who is missing.
fn differing(wanted: &[Wanted], config: &Config, by_hand: bool) -> Vec<String> {
    let texts = |recipients: &[Recipient]| -> BTreeSet<String> {
        recipients.iter().map(ToString::to_string).collect()
    };
    let mut said = Vec::new();
    for rule in wanted {
        let file = &rule.example;
        let wanted = texts(&rule.recipients);
        let Ok(found) = config.recipients(file) else {
            said.push(format!(
                "no rule matches {file}: add one for {}",
                list(&wanted)
            ));
            continue;
        };
        let found = texts(found);
        let missing: BTreeSet<String> = wanted.difference(&found).cloned().collect();
        if !missing.is_empty() {
            said.push(format!(
                "the rule for {file} lacks {}: add it",
                list(&missing)
            ));
        } else if !by_hand && found != wanted {
            said.push(format!("the rule for {file} names others"));
        }
    }
    said
}

fn list(texts: &BTreeSet<String>) -> String {
    texts
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}

fn written(wanted: &[Wanted], config: Option<&Config>, path: &Path) -> Result<String> {
    let mut text = HEAD.to_owned();
    let mut rule = |path: Option<&str>, recipients: &[Recipient]| {
        let recipients: Vec<String> = recipients.iter().map(ToString::to_string).collect();
        let recipients = recipients.join(",");
        // Writing into a text never fails.
        let _ = match path {
            Some(path) => {
                let path = path.replace('\'', "''");
                writeln!(text, "  - path_regex: '{path}'\n    age: {recipients}")
            }
            None => writeln!(text, "  - age: {recipients}"),
        };
    };
    for wanted in wanted {
        rule(Some(&wanted.path), &wanted.recipients);
    }
    // What people added stays, and rules of hosts that left as long as their file is there.
    for (known, recipients) in config.into_iter().flat_map(Config::rules) {
        let ours = known.is_some_and(|known| wanted.iter().any(|rule| rule.path == known));
        let name = known.and_then(|known| known.strip_prefix('^')?.strip_suffix("\\.yaml$"));
        let gone = match name {
            Some(name) => !files::exists(&path.join(format!("{}.yaml", name.replace('\\', ""))))?,
            None => false,
        };
        if !ours && !gone {
            rule(known, recipients);
        }
    }
    Ok(text)
}
