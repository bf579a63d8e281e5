//! `lints/<case>/`: this configuration works, and earns these warnings; each can be acknowledged.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use cim_render::{Report, input};
use cim_spec::lint::{ADVISORIES, IDS, id};
use cim_spec::spec::Fleet;
use cim_spec::{Lint, Plan, Spec, fleet, lint};
use serde_json::{Value, json};

use crate::change::{Case, golden, set};
use crate::support::{cases, expect, name, plan};

/// The golden specs that `hosts/` gives.
const HOSTS: &[&str] = &[
    "hub-1",
    "hub-2",
    "hub-3",
    "cim-prod-001",
    "cim-prod-002",
    "cim-dev-001",
];

#[test]
fn what_should_not_stay_earns_a_warning() {
    let mut complaints = Vec::new();
    for case in cases("lints") {
        let report = match &Case::read(&case) {
            case if case.hosts.is_some() => whole_fleet(case),
            case => Report::of_instance(&planned(&spec(case))),
        };
        if report.open() == 0 {
            complaints.push(format!("{}: nothing is warned of", name(&case)));
            continue;
        }
        complaints.extend(expect(&case.join("warnings.txt"), &report.to_string()).err());
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n\n"));
}

#[test]
fn every_lint_has_a_case() {
    let mut idle: BTreeSet<&str> = IDS.iter().copied().collect();
    idle.extend(ADVISORIES.iter().map(|advisory| advisory.id));
    let mut unknown = Vec::new();
    for lint in cases("lints")
        .iter()
        .flat_map(|case| found(&Case::read(case)))
    {
        let known = IDS.contains(&lint.id) || ADVISORIES.iter().any(|one| one.id == lint.id);
        if !known {
            unknown.push(lint.id);
        }
        idle.remove(lint.id);
    }
    assert!(unknown.is_empty(), "ids that no list has: {unknown:?}");
    assert!(idle.is_empty(), "no case in tests/lints/ earns: {idle:?}");
}

#[test]
fn each_warning_can_be_acknowledged_and_no_other_goes_with_it() {
    for case in cases("lints") {
        let case = Case::read(&case);
        if case.hosts.is_some() {
            continue;
        }
        let spec = spec(&case);
        let before = planned(&spec).lints;
        for lint in before.iter().filter(|lint| is_open(lint)) {
            let after = planned(&acknowledging(&spec, &[lint])).lints;
            let kept: Vec<&Lint> = after.iter().filter(|one| !is_open(one)).collect();
            let new: Vec<_> = kept.iter().filter(|one| one.key() == lint.key()).collect();
            assert_eq!(new.len(), 1, "{} is not acknowledged", lint.key());
            assert_eq!(after.len(), before.len(), "{}", lint.key());
        }
        let open: Vec<&Lint> = before.iter().filter(|lint| is_open(lint)).collect();
        let report = Report::of_instance(&planned(&acknowledging(&spec, &open)));
        let stale = before.iter().filter(|lint| lint.id == id::STALE).count();
        assert_eq!(report.open(), stale, "{report}");
        let json = report.json().unwrap();
        assert_eq!(json.matches("because the test says so").count(), open.len());
    }
}

#[test]
fn an_acknowledgement_in_vain_is_a_warning() {
    let mut spec = golden("hub-1");
    set(
        &mut spec,
        "/hub/hub/server/acknowledged/sync-interval nowhere",
        json!("gone"),
    );
    let lints = planned(&spec).lints;
    assert_eq!(lints.len(), 1);
    assert_eq!(lints[0].id, id::STALE);
    // A hub sees what the fleet acknowledges of other hubs' leaves.
    let mut spec = golden("hub-1");
    set(&mut spec, "/hub/fleet/acknowledged/x y", json!("gone"));
    assert_eq!(planned(&spec).lints, []);
    let seen = spec.pointer("/hub/fleet").unwrap().to_string();
    let seen: Fleet = input::parse(&seen).unwrap();
    assert_eq!(lint::of_fleet(&seen).len(), 1);
}

#[test]
fn our_own_hosts_earn_no_warning() {
    for host in HOSTS {
        assert_eq!(planned(&golden(host)).lints, [], "{host}");
    }
}

#[test]
fn our_own_examples_give_a_reason_for_every_warning() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../hosts/examples");
    let examples = folder
        .read_dir()
        .unwrap()
        .map(|file| name(&file.unwrap().path()));
    let examples: Vec<String> = examples.collect();
    let of_example = |case: &String| {
        let mut starts = examples.iter().filter_map(|file| file.strip_suffix(".nix"));
        starts.any(|example| case.starts_with(&format!("{example}-")))
    };
    let cases = cases("golden").into_iter().map(|case| name(&case));
    let cases: Vec<String> = cases.filter(of_example).collect();
    assert!(!cases.is_empty(), "no golden case is an example's");
    for case in cases {
        let report = Report::of_instance(&planned(&golden(&case)));
        assert_eq!(report.open(), 0, "{case}: {report}");
    }
}

fn spec(case: &Case) -> Value {
    serde_json::from_str(&case.apply()).unwrap()
}

fn planned(spec: &Value) -> Plan {
    plan(&input::parse::<Spec>(&spec.to_string()).unwrap())
}

fn is_open(lint: &Lint) -> bool {
    lint.acknowledged.is_none() && lint.id != id::STALE
}

/// The spec with these lints acknowledged where each belongs.
fn acknowledging(spec: &Value, lints: &[&Lint]) -> Value {
    let mut spec = spec.clone();
    let role = if spec.get("hub").is_some() {
        "hub"
    } else {
        "leaf"
    };
    for lint in lints {
        let of_fleet = lint
            .to_string()
            .contains("to keep it: services.cim.fleet.acknowledged.");
        let list = match of_fleet {
            true => format!("/{role}/fleet/acknowledged"),
            false => format!("/{role}/{role}/server/acknowledged"),
        };
        spec.pointer_mut(&list)
            .unwrap()
            .as_object_mut()
            .unwrap()
            .insert(lint.key(), json!("because the test says so"));
    }
    spec
}

fn whole_fleet(case: &Case) -> Report {
    let (declared, plans) = fleet_of(case);
    Report::of_fleet(&declared, &plans)
}

fn fleet_of(case: &Case) -> (Fleet, Vec<Plan>) {
    let declared: Fleet = input::parse(&case.apply()).unwrap();
    let hosts = case.hosts.iter().flatten();
    let specs: Vec<Spec> = hosts
        .map(|host| input::parse(&case.on(host)).unwrap())
        .collect();
    let plans = fleet::plans(&declared, &specs).unwrap_or_else(|problems| panic!("{problems}"));
    (declared, plans)
}

fn found(case: &Case) -> Vec<Lint> {
    if case.hosts.is_some() {
        let (declared, plans) = fleet_of(case);
        let own = plans.into_iter().flat_map(|plan| plan.lints);
        return lint::of_fleet(&declared).into_iter().chain(own).collect();
    }
    planned(&spec(case)).lints
}

#[test]
fn a_build_says_every_warning_and_keeps_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let mut warned = golden("hub-1");
    set(&mut warned, "/hub/hub/server/logging/trace", json!(true));
    std::fs::write(path("spec.json"), warned.to_string()).unwrap();
    let run = |out: &str, more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cim-render"));
        command.arg("instance").arg(path("spec.json"));
        command.arg("--out").arg(path(out)).args(more);
        command.output().unwrap()
    };

    let told = run("told", &[]);
    let text = String::from_utf8(told.stderr).unwrap();
    assert!(
        told.status.success() && text.contains("logging.trace: true"),
        "{text}"
    );
    let kept = std::fs::read_to_string(path("told").join("warnings.json")).unwrap();
    assert!(kept.contains(r#""id": "trace""#), "{kept}");

    let json = run("json", &["--json"]);
    assert_eq!(String::from_utf8(json.stdout).unwrap(), kept);
    assert!(json.stderr.is_empty());

    let denied = run("denied", &["--deny-warnings"]);
    let text = String::from_utf8(denied.stderr).unwrap();
    assert!(
        !denied.status.success() && text.contains("to keep it: "),
        "{text}"
    );
    assert!(
        !path("denied").exists(),
        "a build that failed left its output"
    );
}
