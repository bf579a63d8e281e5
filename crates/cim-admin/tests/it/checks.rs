//! `cim-admin secrets check --plan` and `cim-admin expiry` of a fleet that is whole, and of one that is not.

use std::fs;

use cim_admin::identity::{Plan, check};
use cim_admin::progress::Progress;
use cim_admin::sops::{Folder, Plain, Tree};
use serde_json::{Value, json};

use crate::fleet::Fleet;
use crate::server::{days, now};

fn json(fleet: &Fleet, args: &[&str]) -> (bool, Value) {
    let output = fleet.run(&[args, &["--json"]].concat()).unwrap();
    let said: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    (output.status.success(), said)
}

const CHECK: [&str; 4] = ["secrets", "check", "--plan", "plan.json"];

#[test]
fn what_was_made_is_what_the_plan_needs_with_and_without_keys() {
    for fleet in [Fleet::new().unwrap(), Fleet::of_static_accounts().unwrap()] {
        fleet.make(&["--new-keys"]).unwrap();
        let (good, said) = json(&fleet, &[&CHECK[..], &["--keys", "keys.txt"]].concat());
        assert!(good, "{said:#}");
        let ends = said["ends"].as_array().unwrap();
        assert_eq!(ends[0]["file"], "identity/certificates/cim-hub-1.pem");
        assert_eq!(ends[0]["host"], "hub-1");
        let (good, said) = json(&fleet, &CHECK);
        assert!(good && said["opened"] == 0, "{said:#}");
        let output = fleet.run(&CHECK).unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(
            text.contains("without keys (--keys) nothing is opened"),
            "{text}"
        );
        let (good, said) = json(&fleet, &["expiry", "--plan", "plan.json"]);
        assert!(good, "{said:#}");
    }
}

/// Each problem of a fleet that was changed after it was made, as a line; then it is as it was.
fn lines(fleet: &mut Fleet, change: impl Fn(&mut Fleet)) -> Vec<String> {
    let (plan, files) = (fleet.plan.clone(), fleet.files().unwrap());
    change(fleet);
    let args = [&CHECK[..], &["--keys", "keys.txt"]].concat();
    let output = fleet.run(&args).unwrap();
    assert_eq!(output.status.code(), Some(1));
    fleet.plan = plan;
    for (name, bytes) in files {
        fs::write(fleet.path(&name), bytes).unwrap();
    }
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn entry(fleet: &Fleet, file: &str, name: &str, text: Option<&str>) {
    let Plain::Tree(mut tree) = fleet.opened(file).unwrap() else {
        panic!("{file} is one secret");
    };
    match text {
        Some(text) => tree.set(name, Tree::text(text)).unwrap(),
        None => drop(tree.take(name)),
    }
    let folder = Folder::open(&fleet.path("secrets")).unwrap();
    let text = folder.seal(file, &Plain::Tree(tree), now()).unwrap();
    fs::write(fleet.path("secrets").join(file), text).unwrap();
}

#[test]
fn each_difference_names_its_host_file_entry_and_command() {
    let mut fleet = Fleet::new().unwrap();
    fleet.make(&["--new-keys"]).unwrap();
    let has = |lines: &[String], wanted: &str| {
        assert!(
            lines.iter().any(|line| line == wanted),
            "{wanted}\n{lines:#?}"
        );
    };
    let found = lines(&mut fleet, |fleet| {
        entry(fleet, "plant-a.yaml", "cim-plant-a.creds", None)
    });
    has(
        &found,
        "plant-a: secrets/plant-a.yaml: cim-plant-a.creds: the JWT of leaf plant-a is not there: cim-admin identity make",
    );
    let found = lines(&mut fleet, |fleet| {
        entry(fleet, "hub-1.yaml", "cim-hub-1.store.key", None)
    });
    has(
        &found,
        "hub-1: secrets/hub-1.yaml: cim-hub-1.store.key: the key of hub-1's store, cim-hub-1.store.key is not there: cim-admin identity make",
    );
    let found = lines(&mut fleet, |fleet| {
        entry(fleet, "hub-1.yaml", "cim-old.creds", Some("x"))
    });
    assert!(
        found
            .iter()
            .any(|line| line.contains("hub-1.yaml: cim-old.creds: this is no .creds file")),
        "{found:#?}"
    );
    let found = lines(&mut fleet, |fleet| {
        entry(fleet, "hub-1.yaml", "cim-old.key", Some("x"))
    });
    has(
        &found,
        "hub-1: secrets/hub-1.yaml: cim-old.key: nothing in the plan needs it: sops unset secrets/hub-1.yaml '[\"cim-old.key\"]'",
    );
    // The key of another certificate.
    let found = lines(&mut fleet, |fleet| {
        let key = fleet.entry("plant-a.yaml", "cim-plant-a.key").unwrap();
        entry(fleet, "hub-1.yaml", "cim-hub-1.key", Some(&key));
    });
    has(
        &found,
        "hub-1: secrets/hub-1.yaml: cim-hub-1.key: the certificate of hub-1 is not what the options say: cim-admin identity make",
    );
    // The creds of another leaf.
    let found = lines(&mut fleet, |fleet| {
        let Plain::Bytes(creds) = fleet.opened("leaves/plant-b.creds").unwrap() else {
            panic!("creds are one secret");
        };
        let creds = std::str::from_utf8(&creds).unwrap();
        entry(fleet, "plant-a.yaml", "cim-plant-a.creds", Some(creds));
    });
    assert!(
        found
            .iter()
            .any(|line| line.contains("secrets/plant-a.yaml: cim-plant-a.creds has the key of U")),
        "{found:#?}"
    );
    // Permissions that the JWT does not have.
    let found = lines(&mut fleet, |fleet| {
        fleet.plan["fleet"]["leaves"]["plant-a"]["exports"] = json!(["a.>"])
    });
    assert!(
        found
            .iter()
            .any(|line| line.starts_with("services.cim.fleet.leaves.plant-a")),
        "{found:#?}"
    );
    has(
        &found,
        "identity/accounts/CIM.jwt: the JWT of account CIM is not what the options say: cim-admin identity make",
    );
    // Somebody else's key in a rule, and in the file.
    let found = lines(&mut fleet, |fleet| {
        let stranger = cim_admin::sops::Identities::generate().recipients()[0].to_string();
        let rules = fleet.read("secrets/.sops.yaml").unwrap();
        let at = rules.find("'^hub-1").unwrap();
        let (head, rest) = rules.split_at(at);
        let rules = format!(
            "{head}{}",
            rest.replacen("age: ", &format!("age: {stranger},"), 1)
        );
        fs::write(fleet.path("secrets/.sops.yaml"), rules).unwrap();
    });
    has(
        &found,
        "secrets/.sops.yaml: the rule for hub-1.yaml names others: cim-admin identity make",
    );
}

#[test]
fn what_ends_within_the_horizon_fails_and_names_host_file_and_command() {
    let fleet = Fleet::new().unwrap();
    fleet.make_at(now() - days(17)).unwrap();
    let output = fleet.run(&["expiry", "--plan", "plan.json"]).unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    let hub = text
        .lines()
        .find(|line| line.contains("cim-hub-1.pem"))
        .unwrap();
    assert!(
        hub.starts_with(
            "hub-1: identity/certificates/cim-hub-1.pem: the certificate CN=hub-1 ends on "
        ),
        "{hub}"
    );
    assert!(hub.ends_with(" UTC: cim-admin identity make"), "{hub}");
    assert!(
        text.contains("hub-1: identity/services/hub-1/CIM/provision.jwt"),
        "{text}"
    );
    fleet.make(&[]).unwrap();
    let (good, said) = json(&fleet, &["expiry", "--plan", "plan.json"]);
    assert!(good, "{said}");
    // What is renewed is what fails: never one without the other.
    let plan = Plan::read(&serde_json::to_vec(&fleet.plan).unwrap()).unwrap();
    for day in [0, 16, 20, 355] {
        let at = now() + days(day);
        fleet.make_at(at).unwrap();
        let folders = (fleet.path("identity"), fleet.path("secrets"));
        let keys = fleet.keys().unwrap();
        let folders = (folders.0.as_path(), folders.1.as_path());
        let found = check::check(&plan, folders, Some(&keys), at, &Progress::silent()).unwrap();
        assert!(
            found.problems.is_empty() && found.ends.iter().all(|end| !end.soon),
            "{day}: {found:?}"
        );
    }
}

/// What `cim_identity::expiring` says of a file that cannot be read: remove it and make it again.
#[test]
fn whatever_has_one_owner_is_made_again_where_it_was_removed() {
    let fleet = Fleet::new().unwrap();
    fleet.make(&["--new-keys"]).unwrap();
    let files = fleet.files().unwrap();
    let public = files.keys().filter(|name| name.starts_with("identity/"));
    let kept = ["keys.json", "operator.jwt", "ca.pem"].map(|name| format!("identity/{name}"));
    let public = public.filter(|name| !name.contains("/accounts/") && !kept.contains(name));
    for name in public {
        fs::remove_file(fleet.path(name)).unwrap();
    }
    fleet.make(&[]).unwrap();
    assert_eq!(fleet.files().unwrap().len(), files.len());
    let (good, said) = json(&fleet, &[&CHECK[..], &["--keys", "keys.txt"]].concat());
    assert!(good, "{said:#}");
}
