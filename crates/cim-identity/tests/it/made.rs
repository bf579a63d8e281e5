//! What is made of a fleet: it holds, it says what the options say, and a change of them changes nothing else.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use cim_creds::{Account, decode};
use cim_identity::{Committed, check, check_hub};
use cim_spec::Problems;
use cim_testkit::Identity;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::fleet::{ISSUED, fleet, set, tree};

fn problems(declared: &Value, files: &BTreeMap<String, String>) -> String {
    let mut problems = Problems::new();
    check(
        &fleet(declared),
        &[],
        &Committed::of(files.clone()).unwrap(),
        &mut problems,
    );
    problems.to_string()
}

#[test]
fn what_is_made_holds() {
    let mut declared = tree();
    let identity = Identity::of(&fleet(&declared), ISSUED).unwrap();
    assert_eq!(problems(&declared, identity.files()), "");
    identity.put_into(&mut declared).unwrap();
    assert_eq!(problems(&declared, identity.files()), "");
    let mut of_a_hub = Problems::new();
    check_hub(&fleet(&declared), 1 << 20, &mut of_a_hub);
    assert_eq!(of_a_hub.to_string(), "");
}

#[test]
fn a_hub_that_sees_some_leaves_takes_the_accounts_of_all() {
    let mut declared = tree();
    let identity = Identity::of(&fleet(&declared), ISSUED).unwrap();
    identity.put_into(&mut declared).unwrap();
    let leaves = declared["leaves"].as_object_mut().unwrap();
    assert!(leaves.remove("cim-prod-001").is_some());
    let mut found = Problems::new();
    check_hub(&fleet(&declared), 1 << 20, &mut found);
    assert_eq!(found.to_string(), "");
    assert!(problems(&declared, identity.files()).contains("leaf/cim-prod-001"));
}

#[test]
fn a_hub_takes_a_leaf_that_comes_to_another_hub_over_websocket() {
    let mut declared = tree();
    let mut edge = declared["hubs"]["hub"].clone();
    let node = edge["nodes"]["hub-1"].clone();
    edge["nodes"] = json!({ "edge-1": node });
    edge["nodes"]["edge-1"]["address"] = json!("edge-1.example.com");
    edge["nodes"]["edge-1"]["websocketPort"] = json!(443);
    edge["domain"] = json!("edge");
    declared["hubs"]["edge"] = edge;
    declared["leaves"]["cim-prod-001"]["remotes"]["edge"] =
        json!({ "hub": "edge", "websocket": true });
    let identity = Identity::of(&fleet(&declared), ISSUED).unwrap();
    assert_eq!(problems(&declared, identity.files()), "");
    identity.put_into(&mut declared).unwrap();
    // What the first hub sees of it.
    let hubs = declared["hubs"].as_object_mut().unwrap();
    hubs.remove("edge");
    let remotes = &mut declared["leaves"]["cim-prod-001"]["remotes"];
    remotes.as_object_mut().unwrap().remove("edge");
    let mut found = Problems::new();
    check_hub(&fleet(&declared), 1 << 20, &mut found);
    assert_eq!(found.to_string(), "");
}

/// Everything that a JWT says, but for keys and digests.
#[test]
fn accounts_say_what_the_options_say() {
    let identity = Identity::of(&fleet(&tree()), ISSUED).unwrap();
    for account in ["CIM", "SHOP", "SYS"] {
        let text = &identity.files()[&format!("accounts/{account}.jwt")];
        let mut body = decode::<Account>(text).unwrap().claims.nats;
        for import in &mut body.imports {
            if !import.token.is_empty() {
                import.token = "an activation".to_owned();
            }
        }
        let mut found = serde_json::to_string_pretty(&body).unwrap();
        found.push('\n');
        let file =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/accounts/{account}.json"));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&file, &found).unwrap();
        }
        assert_eq!(
            fs::read_to_string(&file).unwrap_or_default(),
            found,
            "{account}"
        );
    }
}

#[test]
fn a_changed_flow_changes_its_account_alone() {
    let mut declared = tree();
    let mut identity = Identity::of(&fleet(&declared), ISSUED).unwrap();
    let before = identity.files().clone();
    declared["leaves"]["cim-prod-001"]["exports"][0] = json!("domain.other.>");
    identity.make(&fleet(&declared), ISSUED + 60).unwrap();
    let changed: Vec<&String> = before
        .iter()
        .filter(|(place, text)| identity.files()[*place] != **text)
        .map(|(place, _)| place)
        .collect();
    assert_eq!(changed, ["accounts/CIM.jwt"]);
    assert_eq!(identity.files().len(), before.len());
    assert_eq!(problems(&declared, identity.files()), "");
}

#[test]
fn revocations_are_carried_over() {
    let declared = fleet(&tree());
    let mut problems = Problems::new();
    let wanted = cim_identity::Wanted::of(&declared, &mut problems).unwrap();
    let identity = Identity::of(&declared, ISSUED).unwrap();
    let account = wanted.account("CIM").unwrap();
    let mut before = account.body(identity.keys(), None).unwrap();
    before.revocations.revoke("*", ISSUED);
    before.exports[0].revocations.revoke("*", ISSUED);
    let after = account.body(identity.keys(), Some(&before)).unwrap();
    assert_eq!(after, before);
}

/// Changes of the fleet that are right, each of which changes some account's JWT.
fn changes() -> Vec<(&'static str, Value)> {
    vec![
        ("/leaves/cim-prod-001/exports", json!(["a.>"])),
        ("/leaves/cim-prod-002/imports", json!([])),
        ("/leaves/cim-dev-001/remotes/hub/websocket", json!(true)),
        ("/accounts/CIM/fields/limits.maxLeafnodes", json!(3)),
        ("/accounts/CIM/fields/msgTrace.dest", json!("trace.cim")),
        ("/accounts/CIM/jetstream/maxFile", json!("1GiB")),
        ("/accounts/CIM/jetstream/maxMemory", json!("1MiB")),
        ("/accounts/CIM/defaultPermissions", Value::Null),
        (
            "/accounts/CIM/users/press/permissions/allowResponses",
            Value::Null,
        ),
        ("/accounts/CIM/users/press/fields", json!({})),
        ("/accounts/CIM/mappings", json!({})),
        ("/accounts/CIM/exports/1/threshold", json!("6s")),
        ("/accounts/SHOP/imports/0/prefix", Value::Null),
        ("/accounts/SHOP/imports/1/to", json!("shop.other")),
        ("/accounts/SHOP/imports/0/allowTrace", json!(true)),
        ("/accounts/SHOP/fields", json!({})),
        ("/accounts/SHOP/jetstream/enable", json!(true)),
        ("/accounts/SYS/fields/limits.maxConnections", json!(5)),
    ]
}

#[test]
fn each_change_is_told_and_then_made() {
    for (path, value) in changes() {
        let mut declared = tree();
        let mut identity = Identity::of(&fleet(&declared), ISSUED).unwrap();
        if path.ends_with("websocket") {
            let nodes = declared["hubs"]["hub"]["nodes"].as_object_mut().unwrap();
            nodes
                .values_mut()
                .for_each(|node| node["websocketPort"] = json!(443));
        }
        set(&mut declared, path, value);
        let told = problems(&declared, identity.files());
        assert!(
            told.contains("services.cim.fleet."),
            "{path}: nothing is told"
        );
        assert!(told.contains("cim-admin identity make"), "{path}: {told}");
        identity.make(&fleet(&declared), ISSUED).unwrap();
        assert_eq!(problems(&declared, identity.files()), "", "{path}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever was declared before: what is made of the options holds, and making it again changes nothing.
    #[test]
    fn what_is_made_anew_holds(
        before in proptest::sample::subsequence(changes(), 0..6),
        after in proptest::sample::subsequence(changes(), 0..6),
    ) {
        let declare = |changes: Vec<(&str, Value)>| {
            let mut declared = tree();
            let nodes = declared["hubs"]["hub"]["nodes"].as_object_mut().unwrap();
            nodes.values_mut().for_each(|node| node["websocketPort"] = json!(443));
            for (path, value) in changes {
                set(&mut declared, path, value);
            }
            declared
        };
        let declared = declare(after);
        let mut identity = Identity::of(&fleet(&declare(before)), ISSUED).unwrap();
        identity.make(&fleet(&declared), ISSUED + 1).unwrap();
        prop_assert_eq!(problems(&declared, identity.files()), "");
        let once = identity.files().clone();
        identity.make(&fleet(&declared), ISSUED + 2).unwrap();
        prop_assert_eq!(identity.files(), &once);
    }
}
