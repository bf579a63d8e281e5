//! `cim-admin identity make` after each kind of change: what changes with it, and nothing else.

use std::fs;

use cim_admin::sops::{Folder, Plain, Tree};
use cim_creds::{Account, Activation, Claims, User, decode};
use serde_json::json;

use crate::fleet::{Fleet, changed};
use crate::identity::claims;
use crate::server::{days, now};

#[test]
fn a_changed_option_changes_exactly_its_jwt() {
    let mut fleet = Fleet::new().unwrap();
    fleet.make(&["--new-keys"]).unwrap();
    for (option, value, files) in [
        // A flow is in the account's JWT, whoever's it is.
        (
            "/fleet/leaves/plant-a/exports",
            json!(["metrics.>", "alarms.>"]),
            &["identity/accounts/CIM.jwt"][..],
        ),
        (
            "/fleet/accounts/CIM/jetstream/maxFile",
            json!("1GiB"),
            &["identity/accounts/CIM.jwt"],
        ),
        (
            "/fleet/lifetimes/leaf",
            json!("300d"),
            &[
                "identity/certificates/cim-plant-a.pem",
                "identity/leaves/plant-a.jwt",
                "identity/leaves/plant-b.jwt",
                "secrets/leaves/plant-b.creds",
                "secrets/plant-a.yaml",
            ],
        ),
        (
            "/hosts/hub-1/secrets/cim-hub-1.key/names",
            json!(["hub-1.example.com"]),
            &["identity/certificates/cim-hub-1.pem"],
        ),
    ] {
        let before = fleet.files().unwrap();
        *fleet.plan.pointer_mut(option).unwrap() = value;
        fleet.make(&[]).unwrap();
        assert_eq!(changed(&before, &fleet.files().unwrap()), files, "{option}");
    }
}

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
fn what_ends_soon_is_renewed_with_the_same_keys_and_nothing_else() {
    let fleet = Fleet::new().unwrap();
    let start = now();
    fleet.make_at(start).unwrap();
    let key = fleet.entry("hub-1.yaml", "cim-hub-1.key").unwrap();
    let jwt: Claims<User> = claims(&fleet, "leaves/plant-a.jwt");
    let steps = [
        (15, &[][..]),
        // Within the horizon of a server's 30 days.
        (
            17,
            &[
                "identity/certificates/cim-hub-1.pem",
                "identity/services/hub-1/CIM/backup.jwt",
                "identity/services/hub-1/CIM/health.jwt",
                "identity/services/hub-1/CIM/provision.jwt",
                "secrets/hub-1.yaml",
                "secrets/services/hub-1/CIM/backup.creds",
                "secrets/services/hub-1/CIM/health.creds",
            ],
        ),
        (18, &[]),
    ];
    for (day, files) in steps {
        let before = fleet.files().unwrap();
        fleet.make_at(start + days(day)).unwrap();
        let changed = changed(&before, &fleet.files().unwrap());
        assert_eq!(changed, files, "day {day}");
    }
    assert_eq!(fleet.entry("hub-1.yaml", "cim-hub-1.key").unwrap(), key);
    fleet.make_at(start + days(352)).unwrap();
    let renewed: Claims<User> = claims(&fleet, "leaves/plant-a.jwt");
    assert_eq!(renewed.data.sub, jwt.data.sub);
    assert_eq!(renewed.data.exp - jwt.data.exp, 352 * 86_400);
    // The issuing CA is renewed while it can still issue for a year, with its key.
    let five_years = start + days(1825 - 200);
    let outcome = fleet.make_at(five_years).unwrap();
    assert!(
        format!("{outcome:?}").contains("the issuing CA"),
        "{outcome:?}"
    );
    assert!(fleet.make_at(five_years).unwrap().written.is_empty());
    let error = format!(
        "{:#}",
        fleet.make_at(start + days(3651)).map(|_| ()).unwrap_err()
    );
    assert!(error.contains("expired"), "{error}");
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

#[test]
fn an_import_that_needs_leave_gets_it_and_keeps_it() {
    let mut fleet = Fleet::new().unwrap();
    let mut other = fleet.plan["fleet"]["accounts"]["SYS"].clone();
    other["imports"] = json!([{
        "stream": { "account": "CIM", "subject": "metrics.>" }, "service": null,
        "to": null, "prefix": null, "share": null, "allowTrace": null,
    }]);
    fleet.plan["fleet"]["accounts"]["OTHER"] = other;
    fleet.plan["fleet"]["accounts"]["CIM"]["exports"] = json!([{
        "stream": "metrics.>", "service": null, "accounts": ["OTHER"], "responseType": null, "threshold": null,
        "latency": null, "accountTokenPosition": null, "allowTrace": null,
    }]);
    fleet.make(&["--new-keys"]).unwrap();
    let importer: Claims<Account> = claims(&fleet, "accounts/OTHER.jwt");
    let exporter: Claims<Account> = claims(&fleet, "accounts/CIM.jwt");
    let token = &importer.nats.imports[0].token;
    let leave = decode::decode::<Activation>(token).unwrap().claims;
    assert_eq!(leave.data.sub, importer.data.sub);
    assert!(exporter.nats.signing_keys.get(&leave.data.iss).is_some());
    let before = fleet.files().unwrap();
    fleet.make(&[]).unwrap();
    assert!(before == fleet.files().unwrap());
}

#[test]
fn whom_an_account_refuses_stays_refused() {
    let mut fleet = Fleet::new().unwrap();
    fleet.make_at(now() - days(2)).unwrap();
    let smith: Claims<User> = claims(&fleet, "users/CIM/smith.jwt");
    let refuse = |key: &str, at| {
        let mut account: Claims<Account> = claims(&fleet, "accounts/CIM.jwt");
        account.nats.revocations.revoke(key, at);
        let seed = fleet.entry("operator.yaml", "operator.signing.nk").unwrap();
        let signer = cim_creds::key::key_pair(&seed, cim_creds::KeyKind::Operator).unwrap();
        let jwt = account.encode(&signer, now().unix_timestamp()).unwrap();
        fs::write(fleet.path("identity/accounts/CIM.jwt"), format!("{jwt}\n")).unwrap();
    };
    refuse(&smith.data.sub, smith.data.iat);
    fleet.make(&[]).unwrap();
    let kept: Claims<Account> = claims(&fleet, "accounts/CIM.jwt");
    assert!(
        kept.nats
            .revocations
            .is_revoked(&smith.data.sub, smith.data.iat)
    );
    // All that was issued until yesterday: everybody gets a new JWT, but for who is refused by key.
    refuse("*", smith.data.iat + 86_400);
    let error = format!("{:#}", fleet.make(&[]).unwrap_err());
    assert!(
        error.contains("is revoked, and a new JWT would let it in again"),
        "{error}"
    );
    let users = fleet.plan.pointer_mut("/fleet/accounts/CIM/users").unwrap();
    users.as_object_mut().unwrap().remove("smith");
    fleet.make(&[]).unwrap();
    let renewed: Claims<User> = claims(&fleet, "users/CIM/alchemist.jwt");
    assert!(renewed.data.iat > smith.data.iat + 86_400);
}

#[test]
fn devices_are_issued_by_the_fleets_ca_for_as_long_as_the_fleet_says() {
    let mut fleet = Fleet::new().unwrap();
    fleet.plan["fleet"]["lifetimes"]["device"] = json!("48h");
    fleet.make(&["--new-keys"]).unwrap();
    let args = [
        "pki",
        "device",
        "0001",
        "--plan",
        "plan.json",
        "--keys",
        "keys.txt",
        "--certificate",
        "device.pem",
        "--into",
        "users/device-0001.key",
        "--json",
    ];
    let output = fleet.run(&args).unwrap();
    assert!(output.status.success(), "{output:?}");
    let device =
        cim_admin::pki::Certificate::read_all(fleet.read("device.pem").unwrap().as_bytes());
    let device = &device.unwrap()[0];
    let lasts = device.not_after() - device.not_before();
    assert_eq!(lasts.whole_minutes(), 48 * 60 + 5);
    let check = [
        "pki",
        "check",
        "device.pem",
        "--ca",
        "identity/ca.pem",
        "--common-name",
        "device-0001",
    ];
    assert!(fleet.run(&check).unwrap().status.success());
}
