//! The program at a desk: what it writes, for whom, and that a dry run writes nothing.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use cim_admin::pki::Certificate;
use serde_json::Value;

use crate::desk::Desk;
use crate::tools::{done, tool};

/// Issues at the desk, with these arguments after the common ones.
fn issue<'a>(args: &[&'a str]) -> Vec<&'a str> {
    let ca = ["--ca", "ca", "--issuer-key", "ca.key"];
    [&["pki"], args, &ca].concat()
}

fn mode(desk: &Desk, name: &str) -> u32 {
    fs::metadata(desk.path(name)).unwrap().permissions().mode() & 0o777
}

/// One entry of a sealed file, opened by the program.
fn entry(desk: &Desk, file: &str, name: &str) -> String {
    let place = "open";
    desk.does(&["secrets", "decrypt", file, "--entry", name, "--to", place])
        .unwrap();
    assert_eq!(mode(desk, place), 0o600);
    let text = desk.read(place).unwrap();
    fs::remove_file(desk.path(place)).unwrap();
    text
}

#[test]
fn a_ca_is_made_with_its_keys_where_they_were_wanted() {
    let desk = Desk::new().unwrap();
    let args = [
        "pki",
        "init",
        "Example",
        "--ca",
        "new/ca",
        "--root-key",
        "stick/root.key",
    ];
    let args = [&args[..], &["--issuer-into", "issuer.key"]].concat();
    let before = desk.disk().unwrap();
    let said = desk.does(&[&args[..], &["--dry-run"]].concat()).unwrap();
    assert!(said.contains("would write new/ca/root.pem"), "{said}");
    assert!(before == desk.disk().unwrap());
    let said = desk.does(&[&args[..], &["--json"]].concat()).unwrap();
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["issuer"]["key"], "secrets/issuer.key");
    assert_eq!(mode(&desk, "stick/root.key"), 0o600);
    assert_eq!(mode(&desk, "secrets/issuer.key"), 0o600);
    assert_eq!(mode(&desk, "new/ca/root.pem"), 0o644);
    assert!(!desk.read("secrets/issuer.key").unwrap().contains("PRIVATE"));
    let ca = ["--ca", "new/ca", "--issuer-key", "secrets/issuer.key"];
    let device = [
        "pki",
        "device",
        "0001",
        "--certificate",
        "d.pem",
        "--into",
        "plant-1.yaml",
    ];
    desk.does(&[&device[..], &["--entry", "key"], &ca].concat())
        .unwrap();
    let check = [
        "pki",
        "check",
        "d.pem",
        "--ca",
        "new/ca/root.pem",
        "--common-name",
        "device-0001",
    ];
    let said = desk.does(&check).unwrap();
    assert!(
        said.starts_with("d.pem: CN=device-0001, good until"),
        "{said}"
    );
}

#[test]
fn certificates_last_as_the_seeds_say_and_their_keys_are_sealed() {
    let desk = Desk::new().unwrap();
    // A leaf's year needs a CA that lasts longer than the desk's.
    let init = [
        "pki",
        "init",
        "Long",
        "--ca",
        "long",
        "--root-key",
        "r.key",
        "--issuer-key",
        "i.key",
    ];
    desk.does(&init).unwrap();
    let made = [
        (
            &[
                "server",
                "hub-1",
                "--address",
                "hub-1.example.com",
                "--address",
                "10.0.0.1",
            ][..],
            720,
        ),
        (
            &[
                "leaf",
                "plant-7",
                "--tenant",
                "acme",
                "--domain",
                "serviceradar",
            ],
            8760,
        ),
        (&["device", "0001", "--domain", "device.synadia.local"], 168),
    ];
    let names = [
        "hub-1",
        "leaf.plant-7.acme.serviceradar",
        "device-0001.device.synadia.local",
    ];
    for ((args, hours), name) in made.into_iter().zip(names) {
        let ca = [
            "--ca",
            "long",
            "--issuer-key",
            "i.key",
            "--certificate",
            "c.pem",
        ];
        let into = ["--into", "plant-1.yaml", "--entry", name, "--json"];
        let said = desk.does(&[&["pki"], args, &ca, &into].concat()).unwrap();
        let said: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(said["user"], format!("CN={name}"));
        let chain = Certificate::read_all(desk.read("c.pem").unwrap().as_bytes()).unwrap();
        assert_eq!(chain.len(), 2);
        let lasts = chain[0].not_after() - chain[0].not_before();
        assert_eq!(lasts, time::Duration::minutes(hours * 60 + 5), "{name}");
        let key = entry(&desk, "plant-1.yaml", name);
        fs::write(desk.path("key.pem"), &key).unwrap();
        let check = [
            "pki",
            "check",
            "c.pem",
            "--key",
            "key.pem",
            "--ca",
            "long/root.pem",
        ];
        let address: &[&str] = if hours == 720 {
            &["--address", "10.0.0.1"]
        } else {
            &[]
        };
        desk.does(&[&check[..], &["--common-name", name], address].concat())
            .unwrap();
        fs::remove_file(desk.path("c.pem")).unwrap();
    }
}

#[test]
fn a_renewed_certificate_has_a_new_key_and_other_entries_stay() {
    let desk = Desk::new().unwrap();
    let place = [
        "--certificate",
        "d.pem",
        "--into",
        "hub-1.yaml",
        "--entry",
        "device-key",
    ];
    let args = issue(&[&["device", "0001"][..], &place].concat());
    desk.does(&args).unwrap();
    let (first, key) = (
        desk.read("d.pem").unwrap(),
        entry(&desk, "hub-1.yaml", "device-key"),
    );
    let before = desk.disk().unwrap();
    let renew = [&args[..], &["--renew"]].concat();
    desk.does(&[&renew[..], &["--dry-run"]].concat()).unwrap();
    assert!(before == desk.disk().unwrap());
    desk.does(&renew).unwrap();
    assert_ne!(desk.read("d.pem").unwrap(), first);
    assert_ne!(entry(&desk, "hub-1.yaml", "device-key"), key);
    assert_eq!(entry(&desk, "hub-1.yaml", "tls-key"), "an old one");
}

#[test]
fn a_request_is_signed_and_its_key_stays_where_it_is() {
    let desk = Desk::new().unwrap();
    let args = issue(&["sign", "device.csr", "0001", "--certificate", "d.pem"]);
    let said = desk.does(&args).unwrap();
    assert!(
        said.contains("wrote d.pem: CN=device-0001, until"),
        "{said}"
    );
    desk.does(&[
        "pki",
        "check",
        "d.pem",
        "--key",
        "device.key",
        "--ca",
        "ca/root.pem",
    ])
    .unwrap();
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
fn completions_and_man_pages_are_written() {
    let desk = Desk::new().unwrap();
    fs::create_dir(desk.path("docs")).unwrap();
    desk.does(&["docs", "docs"]).unwrap();
    for file in [
        "cim-admin.bash",
        "_cim-admin",
        "cim-admin.fish",
        "cim-admin.1",
        "cim-admin-pki-sign.1",
    ] {
        assert!(desk.path("docs").join(file).exists(), "{file}");
    }
}
