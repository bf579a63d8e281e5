//! The program as the Nix build runs it, on identities made for the golden hub in operator mode.

// Helpers of tests fail by panicking too; clippy sees only the tests themselves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cim_check::version;
use cim_spec::spec::Fleet;
use cim_testkit::{Identity, golden, nats_server};
use serde_json::{Value, json};
use tempfile::TempDir;

/// When everything is issued.
const ISSUED: i64 = 1_790_000_000;

const DAY: i64 = 86_400;

/// Runs it: what it says where it fails.
fn run(args: &[&str]) -> Result<(), String> {
    let output = Command::new(env!("CARGO_BIN_EXE_cim-check"))
        .args(args)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    match output.status.code() {
        Some(0) => Ok(()),
        Some(1) => Err(said),
        other => panic!("exit code {other:?}: {said}"),
    }
}

/// A fleet with its identity in a folder.
struct Committed {
    dir: TempDir,
    spec: Value,
    /// The hosts of the plan.
    hosts: Value,
}

impl Committed {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut spec = golden("hub-operator").unwrap();
        let fleet = &mut spec["hub"]["fleet"];
        fleet["lifetimes"] =
            json!({ "server": "720h", "leaf": "365d", "device": "168h", "user": null });
        fleet["expiryHorizon"] = json!("14d");
        let parsed: Fleet = cim_render::input::parse(&fleet.to_string()).unwrap();
        let identity = Identity::of(&parsed, ISSUED).unwrap();
        identity.put_into(fleet).unwrap();
        for (place, text) in identity.files() {
            let file = dir.path().join("identity").join(place);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, format!("{text}\n")).unwrap();
        }
        let hosts = json!({});
        Self { dir, spec, hosts }
    }

    fn file(&self, name: &str, content: &Value) -> PathBuf {
        let file = self.dir.path().join(name);
        fs::write(&file, content.to_string()).unwrap();
        file
    }

    /// Runs a command on the whole folder.
    fn whole(&self, command: &str, more: &[&str]) -> Result<(), String> {
        let fleet = &self.spec["hub"]["fleet"];
        let plan = self.file("plan.json", &json!({ "fleet": fleet, "hosts": self.hosts }));
        let identity = self.dir.path().join("identity");
        let args = [
            command,
            "--plan",
            text(&plan),
            "--identity",
            text(&identity),
        ];
        run(&[&args, more].concat())
    }

    /// Runs the check of the hub's own spec, which has neither lifetimes nor horizon.
    fn instance(&self) -> Result<(), String> {
        let mut spec = self.spec.clone();
        spec["hub"]["fleet"]["lifetimes"] = Value::Null;
        spec["hub"]["fleet"]["expiryHorizon"] = Value::Null;
        let spec = self.file("spec.json", &spec);
        let server = nats_server().unwrap();
        let version = version(&server).unwrap();
        let server = ["--nats-server", text(&server), "--expect-version", &version];
        run(&[&[text(&spec)][..], &server].concat())
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn what_is_committed_for_the_fleet_passes() {
    let committed = Committed::new();
    assert_eq!(committed.whole("identity", &[]), Ok(()));
    let at = (ISSUED + 15 * DAY).to_string();
    assert_eq!(committed.whole("expiry", &["--at", &at]), Ok(()));
    assert_eq!(committed.instance(), Ok(()));
}

#[test]
fn another_flow_than_the_jwts_builds_no_hub() {
    let mut committed = Committed::new();
    committed.spec["hub"]["fleet"]["leaves"]["cim-prod-001"]["exports"] = json!(["metrics.>"]);
    let said = "error: what is committed is not what the options say:
services.cim.fleet.leaves.cim-prod-001.exports: publish.allow of role leaf/cim-prod-001 in accounts/CIM.jwt has \"domain.graph.>\", \"cim.canary.cim-prod-001.export:domain:graph:#\", which the options do not say
  help: run `cim-admin identity make`, commit identity/, then run `cim-admin accounts push`
";
    assert_eq!(committed.instance(), Err(said.to_owned()));
    assert_eq!(committed.whole("identity", &[]), Err(said.to_owned()));
}

#[test]
fn what_ends_within_the_horizon_is_named_with_its_host_file_and_command() {
    let committed = Committed::new();
    let at = (ISSUED + 355 * DAY).to_string();
    let said = committed.whole("expiry", &["--at", &at]).unwrap_err();
    let begin = "error: these end within 336h (services.cim.fleet.expiryHorizon) of 2027-09-11T14:13:20Z:\n";
    assert!(said.starts_with(begin), "{said}");
    let leaf = "leaves/cim-prod-001.jwt: the JWT of user cim-prod-001 of cim-prod-001 ends at 2027-09-21T14:13:20Z
  help: run `cim-admin identity make`, commit identity/ and secrets/, and deploy cim-prod-001
";
    assert!(said.contains(leaf), "{said}");
    assert!(!said.contains("alchemist"), "{said}");
}

#[test]
fn a_certificate_that_a_host_needs_is_there() {
    let mut committed = Committed::new();
    let key = json!({
        "kind": "certificateKey",
        "certificate": "certificates/cim-hub-1.pem",
        "usage": "server",
        "commonName": "hub-1",
        "names": ["hub-1.example.com"],
    });
    committed.hosts = json!({ "hub-1": { "hostKey": null, "secrets": { "cim-hub-1.key": key } } });
    let said = committed.whole("identity", &[]).unwrap_err();
    let wanted = "services.cim.fleet.hubs.hub.nodes.hub-1: certificates/cim-hub-1.pem is not there";
    assert!(said.contains(wanted), "{said}");
}

#[test]
fn a_folder_that_is_not_there_is_said() {
    let committed = Committed::new();
    let identity = committed.dir.path().join("identity");
    fs::remove_dir_all(&identity).unwrap();
    let said = committed.whole("identity", &[]).unwrap_err();
    assert!(said.contains("the fleet's identity: reading "), "{said}");
    // And no command at all is no success.
    assert!(
        Command::new(env!("CARGO_BIN_EXE_cim-check"))
            .output()
            .unwrap()
            .status
            .code()
            != Some(0)
    );
}
