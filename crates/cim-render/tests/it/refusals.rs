//! `refusals/<case>/`: this mistake earns this message, and the message holds no secret.

use std::path::Path;

use cim_render::input;
use cim_spec::spec::Fleet;
use cim_spec::{Plan, Rule, Spec, fleet};

use crate::change::Case;
use crate::support::{cases, expect, name, text};

#[test]
fn mistakes_earn_their_messages() {
    let mut complaints = Vec::new();
    for case in cases("refusals") {
        let message = message(&case, None);
        if message.is_empty() {
            complaints.push(format!("{}: nothing is refused", name(&case)));
            continue;
        }
        // Where it cannot be read, what the case is about is not even looked at.
        if !name(&case).starts_with("shape-") && message.contains("a bug in cim") {
            complaints.push(format!("{}: {message}", name(&case)));
        }
        complaints.extend(expect(&case.join("message.txt"), &format!("{message}\n")).err());
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n\n"));
}

#[test]
fn messages_hold_no_secret() {
    let mut found = 0;
    for case in cases("refusals") {
        for secret in secrets(&case) {
            assert!(!secret.is_empty(), "{}: an empty secret", name(&case));
            assert!(
                !message(&case, None).contains(&secret),
                "{}: the message shows {secret}",
                name(&case)
            );
            found += 1;
        }
    }
    assert!(found > 0, "no case names a secret");
}

#[test]
fn the_readme_shows_what_is_printed() {
    let readme = include_str!("../../../../README.md");
    let message = message(Path::new("tests/refusals/readme"), None);
    assert!(readme.contains(&message), "the README lacks:\n{message}");
}

#[test]
fn messages_help() {
    for case in cases("refusals") {
        let message = message(&case, None);
        if is_shape(&message) {
            continue;
        }
        let helps = message.matches("\n  help: ").count();
        assert!(helps > 0, "{}: no help:\n{message}", name(&case));
        for line in message.lines() {
            let names_an_option = line.starts_with("services.cim.");
            assert!(
                names_an_option || line.starts_with("  help: "),
                "{}: {line:?} neither names an option nor helps",
                name(&case)
            );
        }
    }
}

/// The text that the operator sees; empty where nothing is refused.
pub fn message(case: &Path, ignored: Option<Rule>) -> String {
    if case.join("spec.json").exists() {
        return instance(&text(case, "spec.json"), ignored);
    }
    let change = Case::read(case);
    match &change.hosts {
        None => instance(&change.apply(), ignored),
        Some(hosts) => whole_fleet(&change, hosts, ignored),
    }
}

fn instance(json: &str, ignored: Option<Rule>) -> String {
    let spec: Spec = match input::parse(json) {
        Ok(spec) => spec,
        Err(error) => return format!("{error:#}"),
    };
    let plan = match ignored {
        None => Plan::from_spec(&spec),
        Some(rule) => Plan::from_spec_ignoring(&spec, rule),
    };
    plan.map_or_else(|problems| problems.to_string(), |_| String::new())
}

/// The same of a whole fleet that is changed so.
pub fn whole_fleet(change: &Case, hosts: &[String], ignored: Option<Rule>) -> String {
    let declared: Fleet = match input::parse(&change.apply()) {
        Ok(fleet) => fleet,
        Err(error) => return format!("{error:#}"),
    };
    let specs: Vec<Spec> = hosts
        .iter()
        .map(|host| input::parse(&change.on(host)).unwrap())
        .collect();
    let plans = match ignored {
        None => fleet::plans(&declared, &specs),
        Some(rule) => fleet::plans_ignoring(&declared, &specs, rule),
    };
    plans.map_or_else(|problems| problems.to_string(), |_| String::new())
}

fn secrets(case: &Path) -> Vec<String> {
    if case.join("spec.json").exists() {
        return Vec::new();
    }
    Case::read(case).secrets
}

fn is_shape(message: &str) -> bool {
    message.starts_with("this is a bug in cim")
}
