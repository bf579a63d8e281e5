//! The whole fleet with every instance that hosts declare: all plans, or all problems.

use std::collections::BTreeSet;

use crate::path::OptionPath;
use crate::plan::Plan;
use crate::problem::{Problems, Rule};
use crate::spec::{Fleet, Spec};

/// Plans every instance of a fleet, and checks what must fit between them.
///
/// # Errors
/// All problems of the fleet, of every instance, and between hosts.
pub fn plans(fleet: &Fleet, specs: &[Spec]) -> Result<Vec<Plan>, Problems> {
    all(fleet, specs, Problems::new(), Plan::from_spec)
}

/// As [`plans`], without one rule: for the test that each rule bites.
///
/// # Errors
/// All problems that were found.
pub fn plans_ignoring(fleet: &Fleet, specs: &[Spec], rule: Rule) -> Result<Vec<Plan>, Problems> {
    all(fleet, specs, Problems::ignoring(rule), |spec| {
        Plan::from_spec_ignoring(spec, rule)
    })
}

fn all(
    fleet: &Fleet,
    specs: &[Spec],
    mut problems: Problems,
    plan: impl Fn(&Spec) -> Result<Plan, Problems>,
) -> Result<Vec<Plan>, Problems> {
    super::check(fleet, &mut problems);
    check_hosts(specs, &mut problems);
    let mut plans = Vec::new();
    for spec in specs {
        match plan(spec) {
            Ok(plan) => plans.push(plan),
            Err(found) => problems.extend(found),
        }
    }
    super::versions::check(&plans, &mut problems);
    super::copied::check(fleet, &plans, &mut problems);
    super::stored::check(fleet, &plans, &mut problems);
    if problems.is_empty() && plans.len() == specs.len() {
        return Ok(plans);
    }
    Err(problems)
}

/// Checks that no member of the fleet is declared by two hosts.
pub fn check_hosts<'a>(specs: impl IntoIterator<Item = &'a Spec>, problems: &mut Problems) {
    let mut seen = BTreeSet::new();
    for spec in specs {
        if !seen.insert(spec.server_name()) {
            let at = match spec {
                Spec::Hub(_) => OptionPath::new("services.cim.hub.node"),
                Spec::Leaf(leaf) => OptionPath::new("services.cim.leaves").join(&leaf.name),
            };
            problems.add(
                Rule::OneHost,
                &at,
                format!("{:?} is declared on two hosts", spec.server_name()),
                "declare it on one, or give the other a name of its own in the fleet",
            );
        }
    }
}
