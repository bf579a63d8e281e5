//! `cim-admin pki` at a desk: what it writes, and that a dry run writes nothing.

use std::fs;

use cim_admin::pki::Certificate;
use serde_json::Value;

use crate::desk::Desk;
use crate::secrets::{entry, mode};

/// Issues at the desk, with these arguments after the common ones.
fn issue<'a>(args: &[&'a str]) -> Vec<&'a str> {
    let ca = ["--ca", "ca", "--issuer-key", "ca.key"];
    [&["pki"], args, &ca].concat()
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
