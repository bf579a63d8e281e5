//! What is sealed: for whom, and what others put into the same file.

use std::fs;

use cim_admin::sops::{Folder, Plain, Tree};
use cim_creds::{Claims, User};
use serde_json::json;

use crate::fleet::{Fleet, changed};
use crate::identity::claims;
use crate::server::now;

#[test]
fn another_host_key_seals_only_its_file_again() {
    let mut fleet = Fleet::new().unwrap();
    fleet.make(&["--new-keys"]).unwrap();
    let before = fleet.files().unwrap();
    fleet.plan["hosts"]["plant-a"]["hostKey"] = fleet.host_key("plant-a").unwrap().into();
    fleet.make(&[]).unwrap();
    assert_eq!(
        changed(&before, &fleet.files().unwrap()),
        ["secrets/.sops.yaml", "secrets/plant-a.yaml"]
    );
    fleet.opened_by("plant-a", "plant-a.yaml").unwrap();
    // A colleague becomes an operator: every sealed file, nothing public.
    let colleague = cim_admin::sops::Identities::generate();
    let rules = fleet.read("secrets/.sops.yaml").unwrap();
    let (head, rest) = rules.split_once("age: ").unwrap();
    let rules = format!("{head}age: {},{rest}", colleague.recipients()[0]);
    fs::write(fleet.path("secrets/.sops.yaml"), rules).unwrap();
    let before = fleet.files().unwrap();
    fleet.make(&[]).unwrap();
    let after = fleet.files().unwrap();
    let all: Vec<&String> = after
        .keys()
        .filter(|name| name.starts_with("secrets/"))
        .collect();
    assert_eq!(
        changed(&before, &after),
        all.into_iter().cloned().collect::<Vec<_>>()
    );
    fs::write(fleet.path("keys.txt"), colleague.text().as_bytes()).unwrap();
    assert_eq!(fleet.make(&[]).unwrap()["written"], json!([]));
}

#[test]
fn who_takes_an_entry_out_gets_a_new_key() {
    let fleet = Fleet::new().unwrap();
    fleet.make(&["--new-keys"]).unwrap();
    let old: Claims<User> = claims(&fleet, "leaves/plant-a.jwt");
    let Plain::Tree(mut tree) = fleet.opened("plant-a.yaml").unwrap() else {
        panic!("plant-a.yaml is one secret");
    };
    tree.take("cim-plant-a.creds").unwrap();
    let folder = Folder::open(&fleet.path("secrets")).unwrap();
    let text = folder
        .seal("plant-a.yaml", &Plain::Tree(tree), now())
        .unwrap();
    fs::write(fleet.path("secrets/plant-a.yaml"), text).unwrap();
    let before = fleet.files().unwrap();
    fleet.make(&[]).unwrap();
    assert_eq!(
        changed(&before, &fleet.files().unwrap()),
        [
            "identity/keys.json",
            "identity/leaves/plant-a.jwt",
            "secrets/plant-a.yaml"
        ]
    );
    let new: Claims<User> = claims(&fleet, "leaves/plant-a.jwt");
    assert_ne!(new.data.sub, old.data.sub);
    assert_eq!(new.data.iss, old.data.iss);
}

#[test]
fn entries_of_others_in_a_hosts_file_stay_where_they_are() {
    let mut fleet = Fleet::new().unwrap();
    fleet.make(&["--new-keys"]).unwrap();
    let Plain::Tree(mut tree) = fleet.opened("plant-a.yaml").unwrap() else {
        panic!("plant-a.yaml is one secret");
    };
    tree.set("wifi", Tree::Map(vec![("psk".into(), Tree::text("a b c"))]))
        .unwrap();
    let folder = Folder::open(&fleet.path("secrets")).unwrap();
    let text = folder
        .seal("plant-a.yaml", &Plain::Tree(tree.clone()), now())
        .unwrap();
    fs::write(fleet.path("secrets/plant-a.yaml"), text).unwrap();
    let report = fleet.make(&[]).unwrap();
    assert_eq!(
        (&report["written"], &report["leftOver"]),
        (&json!([]), &json!([]))
    );
    fleet.plan["hosts"]["plant-a"]["secrets"]["cim-plant-a.store.key"] =
        json!({ "kind": "storeKey" });
    fleet.make(&[]).unwrap();
    let Plain::Tree(after) = fleet.opened("plant-a.yaml").unwrap() else {
        panic!("plant-a.yaml is one secret");
    };
    assert_eq!(after.get("wifi"), tree.get("wifi"));
    assert!(after.get("cim-plant-a.store.key").is_some());
}
