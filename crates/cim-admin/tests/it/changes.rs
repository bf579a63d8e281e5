//! `cim-admin identity make` after each kind of change: what changes with it, and nothing else.

mod accounts;
mod leaves;
mod sealed;

use cim_creds::{Claims, User};
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
