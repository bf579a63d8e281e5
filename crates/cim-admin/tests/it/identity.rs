//! `cim-admin identity make` from nothing: what it makes, who opens it, and that nobody else reads a seed.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use cim_admin::sops::Plain;
use cim_creds::{Account, Claims, Creds, Operator, User, decode};
use serde_json::{Value, json};

use crate::fleet::{Files, Fleet, walk};
use crate::server::now;
use crate::tools::tool;

pub fn claims<T: cim_creds::Body>(fleet: &Fleet, place: &str) -> Claims<T> {
    let jwt = fleet.read(&format!("identity/{place}")).unwrap();
    decode::decode::<T>(jwt.trim()).unwrap().claims
}

fn bytes(plain: &Plain) -> Vec<u8> {
    match plain {
        Plain::Bytes(bytes) => bytes.to_vec(),
        Plain::Tree(_) => panic!("a map of names"),
    }
}

#[test]
fn from_an_empty_folder_one_command_makes_everything() {
    let fleet = Fleet::new().unwrap();
    let report = fleet.make(&["--new-keys"]).unwrap();
    let files: BTreeSet<String> = fleet.files().unwrap().into_keys().collect();
    let expected = [
        "identity/accounts/CIM.jwt",
        "identity/accounts/SYS.jwt",
        "identity/ca.pem",
        "identity/certificates/cim-hub-1.pem",
        "identity/certificates/cim-plant-a.pem",
        "identity/desk.jwt",
        "identity/keys.json",
        "identity/leaves/plant-a.jwt",
        "identity/leaves/plant-b.jwt",
        "identity/operator.jwt",
        "identity/services/hub-1/CIM/backup.jwt",
        "identity/services/hub-1/CIM/health.jwt",
        "identity/services/hub-1/CIM/provision.jwt",
        "identity/users/CIM/alchemist.jwt",
        "identity/users/CIM/smith.jwt",
        "secrets/.sops.yaml",
        "secrets/hub-1.yaml",
        "secrets/leaves/plant-b.creds",
        "secrets/operator.yaml",
        "secrets/plant-a.yaml",
        "secrets/services/hub-1/CIM/backup.creds",
        "secrets/services/hub-1/CIM/health.creds",
        "secrets/users/CIM/alchemist.creds",
        "secrets/users/CIM/smith.creds",
    ];
    assert_eq!(files, expected.map(str::to_owned).into());
    let mode = fs::metadata(fleet.path("keys.txt"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let next = report["next"].as_array().unwrap();
    let next: Vec<&str> = next.iter().filter_map(Value::as_str).collect();
    assert!(next[0].starts_with("copy keys.txt"), "{next:?}");
    assert!(
        next[1].starts_with("commit identity and secrets"),
        "{next:?}"
    );
    assert_eq!(
        next[2..4],
        ["deploy the hubs hub-1", "deploy the hosts plant-a"]
    );

    // The chain holds as nats-server holds it, down to every creds file.
    let operator: Claims<Operator> = claims(&fleet, "operator.jwt");
    assert!(operator.nats.strict_signing_key_usage);
    let account: Claims<Account> = claims(&fleet, "accounts/CIM.jwt");
    let chain = cim_creds::Chain::new(&operator, &account).unwrap();
    for creds in [
        fleet
            .entry("plant-a.yaml", "cim-plant-a.creds")
            .unwrap()
            .into_bytes(),
        fleet
            .entry("hub-1.yaml", "cim-hub-1.CIM.provision.creds")
            .unwrap()
            .into_bytes(),
        bytes(&fleet.opened("users/CIM/smith.creds").unwrap()),
        bytes(&fleet.opened("leaves/plant-b.creds").unwrap()),
    ] {
        let creds = Creds::parse(&creds).unwrap();
        chain
            .user_at(&creds.token().claims, now().unix_timestamp(), 0)
            .unwrap();
    }
    let smith: Claims<User> = claims(&fleet, "users/CIM/smith.jwt");
    assert_eq!(smith.data.exp - smith.data.iat, 365 * 86_400);
}

#[test]
fn each_host_opens_its_file_and_no_other_with_the_real_sops() {
    let fleet = Fleet::new().unwrap();
    fleet.make(&["--new-keys"]).unwrap();
    for (host, names) in [
        (
            "hub-1",
            &[
                "cim-hub-1.CIM.provision.creds",
                "cim-hub-1.key",
                "cim-hub-1.store.key",
            ][..],
        ),
        ("plant-a", &["cim-plant-a.creds", "cim-plant-a.key"]),
    ] {
        let own = fleet.opened_by(host, &format!("{host}.yaml")).unwrap();
        let own: serde_json::Map<String, Value> = serde_json::from_slice(&own).unwrap();
        let found: BTreeSet<&str> = own.keys().map(String::as_str).collect();
        assert_eq!(found, names.iter().copied().collect());
        for file in fleet.files().unwrap().into_keys() {
            let Some(file) = file
                .strip_prefix("secrets/")
                .filter(|file| *file != ".sops.yaml")
            else {
                continue;
            };
            let opens = fleet.opened_by(host, file).is_ok();
            assert_eq!(opens, file == format!("{host}.yaml"), "{host} and {file}");
        }
    }
    // The operator opens all of them, with the real sops too.
    let mut sops = std::process::Command::new(tool("sops").unwrap());
    sops.current_dir(fleet.path("secrets"))
        .env("SOPS_AGE_KEY_FILE", fleet.path("keys.txt"));
    sops.args(["decrypt", "--extract", "[\"operator.nk\"]", "operator.yaml"]);
    assert!(
        crate::tools::done(sops.output().unwrap())
            .unwrap()
            .starts_with(b"SO")
    );
}

#[test]
fn a_second_run_changes_no_byte_and_a_dry_run_writes_none() {
    let fleet = Fleet::new().unwrap();
    fleet.keys().unwrap();
    let dry = fleet.make(&["--dry-run"]).unwrap();
    assert_eq!(fleet.files().unwrap(), Files::new());
    let wet = fleet.make(&[]).unwrap();
    assert_eq!(dry["done"], wet["done"]);
    assert_eq!(dry["next"], wet["next"]);
    let before = fleet.files().unwrap();
    let again = fleet.make(&[]).unwrap();
    assert_eq!(again["written"], json!([]), "{again}");
    assert_eq!(again["next"], json!([]));
    assert!(before == fleet.files().unwrap());
}

#[test]
fn static_accounts_get_seeds_and_their_public_keys() {
    let mut fleet = Fleet::of_static_accounts().unwrap();
    fleet.make(&["--new-keys"]).unwrap();
    let names: Vec<String> = fleet.files().unwrap().into_keys().collect();
    assert_eq!(
        names,
        [
            "identity/ca.pem",
            "identity/certificates/cim-hub-1.pem",
            "identity/certificates/cim-plant-a.pem",
            "identity/keys.json",
            "secrets/.sops.yaml",
            "secrets/hub-1.yaml",
            "secrets/leaves/plant-b.nk",
            "secrets/operator.yaml",
            "secrets/plant-a.yaml",
            "secrets/users/CIM/alchemist.nk",
            "secrets/users/CIM/smith.nk",
        ]
    );
    let keys: Value = serde_json::from_str(&fleet.read("identity/keys.json").unwrap()).unwrap();
    let seed = fleet.entry("plant-a.yaml", "cim-plant-a.nk").unwrap();
    let public = cim_creds::key::key_pair(&seed, cim_creds::KeyKind::User)
        .unwrap()
        .public_key();
    assert_eq!(keys["leaves"]["plant-a"], public.as_str());
    // Evaluated again, the options have the keys that keys.json says.
    let before = fleet.files().unwrap();
    fleet.plan["fleet"]["leaves"]["plant-a"]["nkey"] = keys["leaves"]["plant-a"].clone();
    fleet.plan["fleet"]["accounts"]["CIM"]["users"]["smith"]["nkey"] =
        keys["users"]["CIM"]["smith"].clone();
    let again = fleet.make(&[]).unwrap();
    assert!(before == fleet.files().unwrap(), "{again}");
    assert_eq!(again["leftOver"], json!([]));
}

#[test]
fn more_users_than_a_process_may_have_files_open() {
    let mut fleet = Fleet::new().unwrap();
    let users = fleet.plan.pointer_mut("/fleet/accounts/CIM/users").unwrap();
    let user = users["smith"].clone();
    for number in 0..60 {
        users[format!("user-{number}")] = user.clone();
    }
    fs::write(fleet.path("plan.json"), fleet.plan.to_string()).unwrap();
    let mut shell = std::process::Command::new("sh");
    shell
        .current_dir(fleet.dir.path())
        .env("CIM_ADMIN", env!("CARGO_BIN_EXE_cim-admin"));
    shell.args([
        "-c",
        "ulimit -n 40; exec \"$CIM_ADMIN\" identity make --plan - --keys k --new-keys < plan.json",
    ]);
    crate::tools::done(shell.output().unwrap()).unwrap();
    assert!(fleet.path("secrets/users/CIM/user-59.creds").exists());
}

/// A part of a secret that stands nowhere else: of a key's DER, not the public half.
fn unreadable(secret: &str) -> String {
    let mut lines = secret.lines();
    let line = if secret.starts_with("-----BEGIN PRIVATE KEY") {
        lines.nth(2)
    } else if secret.starts_with("-----BEGIN NATS USER JWT") {
        lines.find(|line| line.starts_with("SU"))
    } else {
        lines.next()
    };
    line.unwrap()[4..30].to_owned()
}

#[test]
fn no_seed_is_readable_anywhere_but_in_the_operators_own_file() {
    let fleet = Fleet::new().unwrap();
    let dry = fleet.make(&["--new-keys", "--dry-run"]).unwrap();
    let wet = fleet.make(&["--new-keys"]).unwrap();
    let mut secrets: Vec<String> = Vec::new();
    for file in fleet.files().unwrap().into_keys() {
        let Some(file) = file
            .strip_prefix("secrets/")
            .filter(|file| *file != ".sops.yaml")
        else {
            continue;
        };
        match fleet.opened(file).unwrap() {
            Plain::Bytes(bytes) => secrets.push(String::from_utf8(bytes.to_vec()).unwrap()),
            Plain::Tree(tree) => {
                let entries = tree
                    .entries()
                    .iter()
                    .filter(|(name, _)| !name.ends_with(".pem"));
                secrets.extend(entries.filter_map(|(_, text)| text.as_text().map(str::to_owned)));
            }
        }
    }
    let planted: Vec<String> = secrets.iter().map(|text| unreadable(text)).collect();
    assert!(planted.len() >= 20, "{}", planted.len());
    let keys = fleet.read("keys.txt").unwrap();
    let mut files = Files::new();
    walk(fleet.dir.path(), "", &mut files).unwrap();
    files.remove("/keys.txt");
    files.insert("stdout".into(), format!("{dry}{wet}").into_bytes());
    for (name, bytes) in &files {
        let text = String::from_utf8_lossy(bytes);
        let found = planted.iter().any(|part| text.contains(part.as_str()));
        assert!(!found && !text.contains(keys.trim()), "{name}");
    }
}
