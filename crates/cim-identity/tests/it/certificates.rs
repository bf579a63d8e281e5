//! Hosts' certificates in `identity/certificates/`.

use cim_check::Identities;
use cim_identity::{Committed, check, expiring};
use cim_spec::Problems;
use cim_testkit::Identity;
use serde_json::{Value, json};

use crate::cases::Change;
use crate::fleet::{ISSUED, fleet, tree};

/// A throwaway certificate holds for localhost and 127.0.0.1, and ends tomorrow.
fn committed(unit: &str) -> Committed {
    let mut files = Identity::of(&fleet(&tree()), ISSUED)
        .unwrap()
        .files()
        .clone();
    let authority = Identities::new().unwrap();
    let (certificate, _) = authority.certificate("hub-1").unwrap();
    files.insert(format!("certificates/{unit}.pem"), certificate);
    files.insert("ca.pem".to_owned(), authority.ca().to_owned());
    Committed::of(files).unwrap()
}

fn at(address: &str) -> Value {
    let mut declared = tree();
    declared["hubs"]["hub"]["nodes"]["hub-1"]["address"] = json!(address);
    declared
}

fn problems(declared: &Value, committed: &Committed) -> String {
    let mut problems = Problems::new();
    check(&fleet(declared), &[], committed, &mut problems);
    problems.to_string()
}

#[test]
fn a_certificate_holds_where_its_node_is_dialled() {
    let committed = committed("cim-hub-1");
    for right in ["localhost", "LOCALHOST", "127.0.0.1"] {
        assert_eq!(problems(&at(right), &committed), "", "{right}");
    }
    let said = "services.cim.fleet.hubs.hub.nodes.hub-1.address: is \"hub-1.example.com\", for which \
                certificates/cim-hub-1.pem does not hold: it names 127.0.0.1, localhost\n";
    let found = problems(&at("hub-1.example.com"), &committed);
    assert!(found.starts_with(said), "{found}");
}

#[test]
fn a_certificate_is_somebodys() {
    let found = problems(&tree(), &committed("cim-nobody"));
    assert!(
        found.contains("certificates/cim-nobody.pem belongs to nothing"),
        "{found}"
    );
    assert_eq!(problems(&tree(), &committed("cim-prod-001")), "");
}

#[test]
fn nodes_of_a_leaf_have_one_each() {
    let mut declared = tree();
    declared["leaves"]["cim-prod-001"]["nodes"] = json!({
        "edge-1": { "address": "localhost", "clusterPort": 6222 },
        "edge-2": { "address": "edge-2", "clusterPort": 6222 },
        "edge-3": { "address": "edge-3", "clusterPort": 6222 },
    });
    assert_eq!(problems(&declared, &committed("cim-prod-001.edge-1")), "");
    let found = problems(&declared, &committed("cim-prod-001.edge-2"));
    let option = "services.cim.fleet.leaves.cim-prod-001.nodes.edge-2.address: is \"edge-2\"";
    assert!(found.starts_with(option), "{found}");
    let committed = committed("cim-prod-001.edge-1");
    let all = expiring(&fleet(&declared), &[], &committed, ISSUED * 2, 0).unwrap();
    let own = all.iter().find(|one| one.file.ends_with("edge-1.pem"));
    assert_eq!(own.unwrap().host.as_deref(), Some("edge-1"));
}

#[test]
fn certificates_end_too() {
    let committed = committed("cim-hub-1");
    let all = expiring(&fleet(&tree()), &[], &committed, ISSUED * 2, 0).unwrap();
    let find = |file: &str| all.iter().find(|one| one.file == file).unwrap();
    let own = find("certificates/cim-hub-1.pem");
    assert_eq!(own.what, "the certificate CN=hub-1");
    assert_eq!(own.host.as_deref(), Some("hub-1"));
    assert_eq!(find("ca.pem").what, "the certificate CN=cim throwaway CA");
    let before = expiring(&fleet(&tree()), &[], &committed, own.ends - 10, 10).unwrap();
    assert!(
        !before.iter().any(|one| one.file == own.file),
        "the edge is outside"
    );
}

#[test]
fn what_the_hosts_need_is_taken() {
    let change: Change = serde_json::from_value(json!({
        "hosts": {
            "hub-1": { "hostKey": null, "secrets": { "cim-hub-1.key": need(
                "cim-hub-1", "server", "hub-1", &["hub-1.cim.example.com", "hub-1", "localhost", "127.0.0.1"]
            ) } },
            "plant": { "hostKey": null, "secrets": { "cim-prod-001.key": need("cim-prod-001", "leaf", "cim-prod-001", &[]) } },
        },
        "certificates": {
            "cim-hub-1": {
                "name": "hub-1",
                "names": ["hub-1.cim.example.com", "hub-1", "localhost", "127.0.0.1"],
                "uses": ["server", "client"],
            },
            "cim-prod-001": { "name": "cim-prod-001", "uses": ["client"] },
            // Of a host that is not NixOS, or that names its own files.
            "cim-hub-2": { "name": "nats", "names": ["*.cim.example.com"], "uses": ["server", "client"] },
            "cim-prod-002": { "name": "whoever", "uses": ["client"] },
        },
    }))
    .unwrap();
    let (declared, committed) = change.apply();
    let mut problems = Problems::new();
    let wishes = change.wishes(&declared);
    check(
        &fleet(&declared),
        &wishes,
        &committed.unwrap(),
        &mut problems,
    );
    assert_eq!(problems.to_string(), "");
}

/// What a plan says of a certificate's key.
fn need(unit: &str, usage: &str, name: &str, names: &[&str]) -> Value {
    json!({
        "kind": "certificateKey",
        "certificate": format!("certificates/{unit}.pem"),
        "usage": usage,
        "commonName": name,
        "names": names,
    })
}
