//! What is not stored twice, beside `refusals/stored-twice…`: a change of each case that takes its mistake away.

use serde_json::{Value, json};

use crate::change::Case;
use crate::refusals::whole_fleet;
use crate::support::{folder, text};

/// A case whose first leaf's stream, or whose second leaf's flow, is changed so; what is said of it then.
fn said(case: &str, changes: &[(&str, Value)]) -> String {
    let patch = text(&folder("refusals").join(case), "spec.patch.json");
    let mut patch: Value = serde_json::from_str(&patch).unwrap();
    for (path, value) in changes {
        let there = patch.pointer_mut(path).unwrap_or_else(|| panic!("{path}"));
        *there = value.clone();
    }
    let case: Case = serde_json::from_value(patch).unwrap();
    whole_fleet(&case, case.hosts.as_deref().unwrap(), None)
}

/// Writes the same of both ends: into the fleet, the hub's and the leaf's own.
fn imports(value: &Value) -> Vec<(&'static str, Value)> {
    let at = [
        "/set/~1leaves~1cim-prod-001~1imports",
        "/onHosts/assets-hub/~1hub~1fleet~1leaves~1cim-prod-001~1imports",
        "/onHosts/assets-cim-prod-001/~1leaf~1fleet~1leaf~1imports",
    ];
    at.into_iter().map(|at| (at, value.clone())).collect()
}

#[test]
fn what_no_flow_takes_further_is_stored_once() {
    assert_eq!(said("stored-twice-over-a-hub", &imports(&json!([]))), "");
    let others = json!(["domain.workflow.>"]);
    assert_eq!(said("stored-twice-over-a-hub", &imports(&others)), "");
}

#[test]
fn what_the_other_end_calls_otherwise_is_another_message() {
    let flow = |to: &str| json!([{"subject": "plant-7.domain.*.events.>", "prefix": null, "to": to, "canary": null, "durable": null}]);
    let case = "stored-twice-under-its-name-again";
    assert_eq!(said(case, &imports(&flow("domain.plant.events.$1.>"))), "");
    let again = said(case, &imports(&flow("domain.$1.events.>")));
    assert!(
        again.contains("such a message is stored on both ends"),
        "{again}"
    );
}

#[test]
fn leaves_that_never_hear_of_each_other_store_nothing_of_each_other() {
    let apart =
        json!({"plaintext": false, "verify": true, "verifyAndMap": false, "isolateInterest": true});
    let patch = text(
        &folder("refusals").join("stored-twice-over-a-hub"),
        "spec.patch.json",
    );
    let mut patch: Value = serde_json::from_str(&patch).unwrap();
    patch["set"]["/hubs/hub/leafnodes"] = apart;
    let case: Case = serde_json::from_value(patch).unwrap();
    let said = whole_fleet(&case, case.hosts.as_deref().unwrap(), None);
    assert!(!said.contains("stored on both ends"), "{said}");
}
