//! The units of every host: as systemd reads them, as they must be, and as they were.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::Value;

use super::eval::Eval;
use super::unit_text::{self, Instance};
use super::{Session, golden};
use crate::process;
use crate::tools::Tools;

/// The most that `systemd-analyze security` may find of exposure, times ten.
const EXPOSURE: &str = "12";

/// Where the golden files are.
const GOLDEN: &str = "checks/units";

/// What Nix says of one host's units.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Units {
    units: BTreeMap<String, String>,
    instances: BTreeMap<String, Instance>,
}

/// One host of hosts/: its units, and what else our modules install there.
#[derive(Debug, Deserialize)]
pub struct Host {
    #[serde(flatten)]
    units: Units,
    summary: Value,
}

impl Host {
    /// A part of the summary.
    pub fn summary(&self, part: &str) -> &Value {
        &self.summary[part]
    }
}

/// The step.
pub fn run(session: &mut Session) -> Result<()> {
    let tools = session.tools()?;
    let flake = session.flake()?;
    let eval = Eval::new(&tools, flake.source(), flake.standins());
    let hosts = hosts(&eval)?;
    golden::update_folder(&session.workspace.root.join(GOLDEN), &texts(&hosts)?)?;
    golden::folder(&session.workspace.root.join(GOLDEN), &texts(&hosts)?)?;
    // Built, so that the programs that units name are there.
    let built = eval.build("toplevels")?;
    let mut problems = text_problems(hosts.iter().map(|(name, host)| (name, &host.units)))?;
    let mut exposures = Vec::new();
    for (host, described) in &hosts {
        for unit in described.units.units.keys() {
            let file = built.join(host).join("units").join(unit);
            problems.extend(verify(&tools, &file)?);
            // Timers and targets run nothing themselves.
            if !unit.ends_with(".service") {
                continue;
            }
            match exposure(&tools, &file) {
                Ok(found) => exposures.push(format!("{unit} {found}")),
                Err(problem) => problems.push(format!("{problem:#}")),
            }
        }
    }
    session
        .progress
        .note(&format!("exposure: {}", exposures.join(", ")));
    none(problems)
}

/// Every host of hosts/, evaluated.
pub fn hosts(eval: &Eval) -> Result<BTreeMap<String, Host>> {
    let hosts: BTreeMap<_, Host> = eval.json("hosts")?;
    let without = hosts.iter().find(|(_, host)| host.units.units.is_empty());
    if let Some((host, _)) = without {
        bail!("{host} has no unit of ours");
    }
    Ok(hosts)
}

/// Holds hosts against the golden files of the copy that was evaluated.
pub fn as_committed(eval: &Eval, hosts: &BTreeMap<String, Host>) -> Result<()> {
    golden::folder(&eval.file(GOLDEN), &texts(hosts)?)
}

/// What is wrong with the text of units, given the options: one text for each.
pub fn text_problems<'a>(
    hosts: impl IntoIterator<Item = (&'a String, &'a Units)>,
) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for (name, described) in hosts {
        for instance in described.instances.values() {
            let file = format!("{}.service", instance.unit);
            let text = described
                .units
                .get(&file)
                .with_context(|| format!("{name} has no {file}"))?;
            let found = unit_text::problems(text, instance)?;
            problems.extend(found.iter().map(|problem| format!("{name}: {problem}")));
        }
    }
    Ok(problems)
}

/// An error with all problems, if there are any.
pub fn none(problems: Vec<String>) -> Result<()> {
    if !problems.is_empty() {
        bail!("{}", problems.join("\n"));
    }
    Ok(())
}

/// Anything that `systemd-analyze verify` says: it ends well for most mistakes.
pub fn verify(tools: &Tools, file: &Path) -> Result<Option<String>> {
    let mut analyze = tools.command("systemd-analyze")?;
    analyze.args(["verify", "--man=no"]).arg(file);
    let (status, said) = process::heard(&mut analyze)?;
    let fine = status.success() && said.trim().is_empty();
    Ok((!fine).then(|| {
        format!(
            "systemd-analyze verify {}: {status}\n{}",
            file.display(),
            said.trim_end()
        )
    }))
}

/// The exposure that `systemd-analyze security` finds; an error where it is too much.
fn exposure(tools: &Tools, file: &Path) -> Result<String> {
    let mut analyze = tools.command("systemd-analyze")?;
    analyze.args(["security", "--offline=true", "--no-pager"]);
    let said = process::output(analyze.arg(format!("--threshold={EXPOSURE}")).arg(file))?;
    let words = said
        .rsplit_once("Overall exposure level")
        .map(|(_, end)| end);
    let number = words.and_then(|words| words.split_whitespace().find(|word| is_number(word)));
    let number = number.with_context(|| {
        format!(
            "looking for the exposure in what it says of {}",
            file.display()
        )
    })?;
    Ok(number.to_owned())
}

fn is_number(word: &str) -> bool {
    word.parse::<f64>().is_ok()
}

/// By file name: the units of all hosts and a summary of each. A unit that several hosts have is of one host each.
fn texts(hosts: &BTreeMap<String, Host>) -> Result<BTreeMap<String, String>> {
    let mut texts = BTreeMap::new();
    let with = |unit: &String| {
        let have = |host: &&Host| host.units.units.contains_key(unit);
        hosts.values().filter(have).count()
    };
    for (name, host) in hosts {
        for (unit, text) in &host.units.units {
            let file = match with(unit) {
                1 => unit.clone(),
                _ => format!("{name}.{unit}"),
            };
            texts.insert(file, without_hashes(text));
        }
        let summary = golden::pretty(&host.summary)?;
        texts.insert(format!("{name}.json"), without_hashes(&summary));
    }
    Ok(texts)
}

/// The text with `<hash>` and `<version>` in store paths: they change with every program, not with our modules.
fn without_hashes(text: &str) -> String {
    const STORE: &str = "/nix/store/";
    let mut parts = text.split(STORE);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(STORE);
        match part.split_once('-') {
            Some((hash, rest)) if hash.len() == 32 => {
                let in_name = |c: char| c.is_ascii_alphanumeric() || "+-._?=".contains(c);
                let end = rest.find(|c| !in_name(c)).unwrap_or(rest.len());
                let (name, rest) = rest.split_at(end);
                out.push_str("<hash>-");
                out.push_str(&without_version(name));
                out.push_str(rest);
            }
            _ => out.push_str(part),
        }
    }
    out
}

/// The name of a store path with `<version>` for what looks like one: hosts end in numbers, too, but not in dots.
fn without_version(name: &str) -> Cow<'_, str> {
    let is_version =
        |word: &str| word.contains('.') && word.starts_with(|c: char| c.is_ascii_digit());
    match name.rsplit_once('-') {
        Some((package, version)) if is_version(version) => format!("{package}-<version>").into(),
        _ => name.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn store_paths_keep_their_names_only() {
        let hash = "0123456789abcdfghijklmnpqrsvwxyz";
        let text = format!(
            "a /nix/store/{hash}-b-1.2/bin:/nix/store/{hash}-cim-001\n/nix/store/x-y \"/nix/store/{hash}-d-1.2\""
        );
        assert_eq!(
            without_hashes(&text),
            "a /nix/store/<hash>-b-<version>/bin:/nix/store/<hash>-cim-001\n/nix/store/x-y \"/nix/store/<hash>-d-<version>\""
        );
        assert_eq!(without_hashes("no path"), "no path");
    }
}
