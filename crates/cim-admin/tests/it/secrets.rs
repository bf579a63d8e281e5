//! `cim-admin secrets` at a desk: what is sealed, for whom, and who opens it.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::desk::Desk;
use crate::tools::{done, tool};

pub fn mode(desk: &Desk, name: &str) -> u32 {
    fs::metadata(desk.path(name)).unwrap().permissions().mode() & 0o777
}

/// One entry of a sealed file, opened by the program.
pub fn entry(desk: &Desk, file: &str, name: &str) -> String {
    let place = "open";
    desk.does(&["secrets", "decrypt", file, "--entry", name, "--to", place])
        .unwrap();
    assert_eq!(mode(desk, place), 0o600);
    let text = desk.read(place).unwrap();
    fs::remove_file(desk.path(place)).unwrap();
    text
}

#[test]
fn what_is_sealed_comes_back_and_the_real_sops_opens_it() {
    let desk = Desk::new().unwrap();
    let before = desk.disk().unwrap();
    let args = ["secrets", "encrypt", "plant-2.yaml", "--from", "plain.yaml"];
    desk.does(&[&args[..], &["--dry-run"]].concat()).unwrap();
    let open = [
        "secrets",
        "decrypt",
        "hub-1.yaml",
        "--to",
        "open",
        "--dry-run",
    ];
    desk.does(&open).unwrap();
    assert!(before == desk.disk().unwrap());
    desk.does(&args).unwrap();
    assert!(
        !desk
            .read("secrets/plant-2.yaml")
            .unwrap()
            .contains("SUsomething")
    );
    assert_eq!(entry(&desk, "plant-2.yaml", "creds"), "two\nlines\n");
    desk.does(&["secrets", "encrypt", "plant.key", "--from", "bad/bytes"])
        .unwrap();
    desk.does(&["secrets", "decrypt", "plant.key", "--to", "bytes"])
        .unwrap();
    assert_eq!(fs::read(desk.path("bytes")).unwrap(), [0xff, 0xfe, 0x00]);
    let mut sops = std::process::Command::new(tool("sops").unwrap());
    sops.current_dir(desk.path("secrets"))
        .env("SOPS_AGE_KEY_FILE", desk.path("theirs.txt"))
        .args(["decrypt", "--extract", "[\"seed\"]", "plant-2.yaml"]);
    assert_eq!(done(sops.output().unwrap()).unwrap(), b"SUsomething");
}

#[test]
fn the_same_entry_again_changes_nothing() {
    let desk = Desk::new().unwrap();
    let args = [
        "secrets",
        "encrypt",
        "hub-1.yaml",
        "--entry",
        "seed",
        "--from",
        "plain.yaml",
    ];
    desk.does(&args).unwrap();
    let before = desk.disk().unwrap();
    assert_eq!(desk.does(&args).unwrap(), "hub-1.yaml says so already\n");
    assert!(before == desk.disk().unwrap());
}

#[test]
fn a_new_recipient_is_missed_until_the_file_is_sealed_again() {
    let desk = Desk::new().unwrap();
    for name in ["hub-2.yaml", "hub-3.yaml", "hub-4.yaml", "theirs.yaml"] {
        fs::remove_file(desk.path("secrets").join(name)).unwrap();
    }
    desk.does(&["secrets", "check"]).unwrap();
    let rules = desk.read("secrets/.sops.yaml").unwrap();
    let host = desk.path("host");
    let file = host.display().to_string();
    crate::tools::run(
        "ssh-keygen",
        &desk.path(""),
        &["-q", "-t", "ed25519", "-N", "", "-f", &file],
    )
    .unwrap();
    let recipient = desk.does(&["secrets", "recipient", "host.pub"]).unwrap();
    let (old, _) = rules.split_once(',').unwrap();
    let old = &old[old.rfind("age1").unwrap()..];
    desk.put(
        "secrets/.sops.yaml",
        rules
            .replace(old, &format!("{old},{}", recipient.trim()))
            .as_bytes(),
    )
    .unwrap();
    let said = desk.run(&["secrets", "check", "--json"]).unwrap();
    assert_eq!(said.status.code(), Some(1));
    let said: Value = serde_json::from_slice(&said.stdout).unwrap();
    let problem = said["files"][0]["problems"][0].as_str().unwrap();
    assert!(
        problem.starts_with(recipient.trim()) && problem.contains("cannot open it"),
        "{problem}"
    );
    desk.does(&["secrets", "encrypt", "hub-1.yaml", "--again"])
        .unwrap();
    desk.does(&["secrets", "check"]).unwrap();
    // The host opens it with its ssh key.
    let args = [
        "secrets",
        "decrypt",
        "hub-1.yaml",
        "--to",
        "open",
        "--keys",
        "host",
    ];
    desk.does(&args).unwrap();
    assert_eq!(desk.read("open").unwrap(), "\"tls-key\": \"an old one\"\n");
    desk.put("secrets/.sops.yaml", rules.as_bytes()).unwrap();
    let said = desk.run(&["secrets", "check"]).unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(said.contains("can open it and no rule names it"), "{said}");
}

#[test]
fn readable_values_and_keys_of_other_kinds_are_problems() {
    let desk = Desk::new().unwrap();
    let sealed = desk.read("secrets/hub-1.yaml").unwrap();
    // sops' metadata are not in the MAC: a file may well say that others open it too.
    let foreign =
        format!("{sealed}    \"pgp\":\n        - \"fp\": \"F00D\"\n          \"enc\": \"x\"\n");
    desk.put("secrets/hub-1.yaml", foreign.as_bytes()).unwrap();
    desk.put("secrets/hub-5.yaml", b"url: nats://hub\nseed: x\n")
        .unwrap();
    let mut sops = std::process::Command::new(tool("sops").unwrap());
    let rules = desk.read("secrets/.sops.yaml").unwrap();
    let (recipients, _) = rules.split_once("\n- path_regex: \\.key$").unwrap();
    let (_, recipients) = recipients.rsplit_once("age: ").unwrap();
    sops.current_dir(desk.path("secrets"));
    sops.args([
        "--config",
        "/dev/null",
        "encrypt",
        "--in-place",
        "--age",
        recipients,
    ]);
    sops.args(["--encrypted-regex", "^seed$", "hub-5.yaml"]);
    done(sops.output().unwrap()).unwrap();
    let said = desk.run(&["secrets", "check", "--json"]).unwrap();
    let said: Value = serde_json::from_slice(&said.stdout).unwrap();
    let problems = |name: &str| {
        let files = said["files"].as_array().unwrap();
        let found = files.iter().find(|found| found["file"] == name).unwrap();
        assert_eq!(found["opened"], true, "{found}");
        found["problems"].to_string()
    };
    assert_eq!(
        problems("hub-1.yaml"),
        "[\"it is sealed for pgp too, which no rule of ours names\"]"
    );
    assert_eq!(
        problems("hub-5.yaml"),
        "[\"\\\"url\\\" is not sealed: anybody can read it\"]"
    );
}
