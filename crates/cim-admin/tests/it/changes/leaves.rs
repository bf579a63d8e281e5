//! Leaves that come, go, move, and are several nodes.

use cim_creds::{Account, Claims};
use serde_json::json;

use crate::fleet::{Fleet, changed};
use crate::identity::claims;

#[test]
fn a_new_leaf_touches_what_is_its_own_and_its_account() {
    let mut fleet = Fleet::new().unwrap();
    fleet.make(&["--new-keys"]).unwrap();
    let before = fleet.files().unwrap();
    fleet.leaf("plant-c").unwrap();
    let report = fleet.make(&[]).unwrap();
    assert_eq!(
        changed(&before, &fleet.files().unwrap()),
        [
            "identity/accounts/CIM.jwt",
            "identity/certificates/cim-plant-c.pem",
            "identity/keys.json",
            "identity/leaves/plant-c.jwt",
            "secrets/.sops.yaml",
            "secrets/operator.yaml",
            "secrets/plant-c.yaml",
        ]
    );
    let next = report["next"].to_string();
    assert!(next.contains("accounts push (changed: CIM)"), "{next}");
    assert!(next.contains("deploy the hosts plant-c"), "{next}");
}

#[test]
fn a_leaf_that_left_loses_its_role_and_is_listed() {
    let mut fleet = Fleet::new().unwrap();
    fleet.make(&["--new-keys"]).unwrap();
    let before = fleet.files().unwrap();
    for tree in ["/fleet/leaves", "/hosts"] {
        fleet
            .plan
            .pointer_mut(tree)
            .unwrap()
            .as_object_mut()
            .unwrap()
            .remove("plant-a");
    }
    let report = fleet.make(&[]).unwrap();
    assert_eq!(
        changed(&before, &fleet.files().unwrap()),
        ["identity/accounts/CIM.jwt", "identity/keys.json"]
    );
    let account: Claims<Account> = claims(&fleet, "accounts/CIM.jwt");
    let roles: Vec<&str> = account
        .nats
        .signing_keys
        .scopes()
        .map(|scope| scope.role.as_str())
        .collect();
    assert!(!roles.contains(&"leaf/plant-a"), "{roles:?}");
    let left = report["leftOver"].to_string();
    for what in [
        "identity/leaves/plant-a.jwt",
        "cim-admin decommission plant-a",
        "secrets/plant-a.yaml: cim-plant-a.creds",
        "secrets/operator.yaml: account.CIM.leaf.plant-a.nk",
        "identity/certificates/cim-plant-a.pem",
    ] {
        assert!(left.contains(what), "{what}: {left}");
    }
}

#[test]
fn a_leaf_keeps_its_keys_when_it_moves_to_another_host() {
    let mut fleet = Fleet::new().unwrap();
    fleet.make(&["--new-keys"]).unwrap();
    let creds = fleet.entry("plant-a.yaml", "cim-plant-a.creds").unwrap();
    let key = fleet.entry("plant-a.yaml", "cim-plant-a.key").unwrap();
    let secrets = fleet.plan["hosts"]["plant-a"]["secrets"].clone();
    fleet.host("new", secrets).unwrap();
    fleet.plan["hosts"]["plant-a"]["secrets"] = json!({});
    let before = fleet.files().unwrap();
    fleet.make(&[]).unwrap();
    assert_eq!(
        changed(&before, &fleet.files().unwrap()),
        ["secrets/.sops.yaml", "secrets/new.yaml"]
    );
    assert_eq!(fleet.entry("new.yaml", "cim-plant-a.creds").unwrap(), creds);
    assert_eq!(fleet.entry("new.yaml", "cim-plant-a.key").unwrap(), key);
}

#[test]
fn nodes_of_a_leaf_share_its_creds_and_have_certificates_of_their_own() {
    let mut fleet = Fleet::new().unwrap();
    fleet.make(&["--new-keys"]).unwrap();
    let secrets = json!({
        "cim-plant-a.creds": { "kind": "leafCreds", "leaf": "plant-a" },
        "cim-plant-a.key": {
            "kind": "certificateKey", "certificate": "certificates/cim-plant-a.b.pem", "usage": "leaf",
            "commonName": "b", "names": ["b.plant-a.example.com"],
        },
    });
    fleet.host("plant-a-b", secrets).unwrap();
    let before = fleet.files().unwrap();
    fleet.make(&[]).unwrap();
    assert_eq!(
        changed(&before, &fleet.files().unwrap()),
        [
            "identity/certificates/cim-plant-a.b.pem",
            "secrets/.sops.yaml",
            "secrets/plant-a-b.yaml"
        ]
    );
    let entry = |host: &str, name: &str| fleet.entry(&format!("{host}.yaml"), name).unwrap();
    let same = |name| entry("plant-a", name) == entry("plant-a-b", name);
    assert!(same("cim-plant-a.creds") && !same("cim-plant-a.key"));
}
