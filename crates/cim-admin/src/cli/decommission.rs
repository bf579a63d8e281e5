//! `cim-admin decommission LEAF`: refused from the next push on, and a list of what still names it.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::store::Store;
use super::{Desk, Report, consent};
use crate::files;
use crate::identity::retire::{Retired, Retirement, retire};

#[derive(Debug, clap::Args)]
pub struct Decommission {
    /// The leaf
    #[arg(
        value_name = "LEAF",
        required_unless_present = "user",
        conflicts_with = "user"
    )]
    leaf: Option<String>,
    /// A user instead, as ACCOUNT/NAME
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// What the fleet needs, as `lib.identity` evaluates it: to list what of it names the leaf
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// The folder of public files
    #[arg(long, value_name = "DIR", default_value = "identity")]
    identity: PathBuf,
    #[command(flatten)]
    store: Store,
    /// Consents to its end
    #[arg(long)]
    yes: bool,
    /// Says what would be written, and writes nothing
    #[arg(long)]
    dry_run: bool,
}

impl Decommission {
    pub fn run(&self, desk: &Desk) -> Result<Report> {
        let (place, title) = match (&self.leaf, &self.user) {
            (Some(leaf), _) => (format!("leaves/{leaf}.jwt"), format!("leaf {leaf}")),
            (None, user) => {
                let user = user.as_deref().unwrap_or_default();
                let parts = user.split_once('/');
                parts.with_context(|| {
                    format!("{user:?} is no user: write ACCOUNT/NAME, such as CIM/alchemist")
                })?;
                (format!("users/{user}.jwt"), format!("user {user}"))
            }
        };
        let fleet = self.fleet(&title)?;
        if !self.dry_run {
            self.store.must_be_whole(&self.identity, desk)?;
        }
        let keys = self.store.identities(desk)?;
        let retired = retire(
            Retirement {
                place: &place,
                identity: &self.identity,
                secrets: self.store.path(),
                keys: &keys,
                now: desk.now,
            },
            &desk.progress(),
        )?;
        let account = &retired.account;
        if !self.dry_run {
            let loss = format!("{account}: {title} ({}) is refused", retired.key);
            consent::ask(&[loss], self.yes)?;
        }
        self.report(retired, &title, &fleet)
    }

    /// What of the fleet names it.
    fn fleet(&self, title: &str) -> Result<Vec<String>> {
        let Some(file) = &self.plan else {
            return Ok(Vec::new());
        };
        let plan: Value = serde_json::from_slice(&files::read(file)?)
            .with_context(|| format!("reading {}", file.display()))?;
        let name = title.rsplit([' ', '/']).next().unwrap_or_default();
        let mut found = Vec::new();
        mentions(&plan, name, &mut Vec::new(), &mut found);
        found.dedup();
        Ok(found)
    }

    fn report(&self, retired: Retired, title: &str, fleet: &[String]) -> Result<Report> {
        let would = if self.dry_run { "would " } else { "" };
        let written = retired.made.outcome.written.clone();
        if !self.dry_run {
            retired.made.batch.commit()?;
        }
        let account = &retired.account;
        let mut lines = vec![format!(
            "{would}revoke {title} ({}) in account {account}",
            retired.key
        )];
        lines.extend(written.iter().map(|file| format!("{would}write {file}")));
        lines.extend(
            fleet
                .iter()
                .map(|option| format!("still names it: {option}")),
        );
        let named = retired.named.iter();
        lines.extend(named.map(|(what, command)| format!("still there: {what}: {command}")));
        let next = [
            format!("commit {} and {}", self.identity.display(), self.store.path().display()),
            format!("cim-admin accounts push --account {account}: from then on it is refused"),
            "take it out of the fleet, and remove what is still there; or give it a new key with `cim-admin rotate`".to_owned(),
            "deploy the hubs and its host".to_owned(),
        ];
        let numbered = next.iter().enumerate();
        lines.extend(numbered.map(|(at, step)| format!("next {}: {step}", at + 1)));
        let json = json!({
            "account": account, "key": retired.key, "written": written, "dryRun": self.dry_run,
            "fleet": fleet, "next": next,
            "stillThere": retired.named.iter().map(|(what, command)| json!({ "what": what, "command": command })).collect::<Vec<_>>(),
        });
        Ok(Report::new(lines, json))
    }
}

/// Options of the fleet, and secrets of hosts, in which a name stands.
fn mentions(value: &Value, name: &str, path: &mut Vec<String>, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                path.push(key.clone());
                if key == name {
                    found.push(option(path));
                } else {
                    mentions(member, name, path, found);
                }
                path.pop();
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                path.push(at.to_string());
                mentions(item, name, path, found);
                path.pop();
            }
        }
        // In a subject it is a token; in a certificate's name, a word.
        Value::String(text) => {
            let mut words =
                text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_')));
            if words.any(|word| word == name) {
                found.push(option(path));
            }
        }
        _ => {}
    }
}

fn option(path: &[String]) -> String {
    match path {
        [top, rest @ ..] if top == "fleet" => format!("services.cim.fleet.{}", rest.join(".")),
        [top, host] if top == "hosts" => format!("host {host}"),
        [top, host, _, entry, ..] if top == "hosts" => format!("host {host}, secret {entry}"),
        other => other.join("."),
    }
}
