//! `cim-expiry`.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Result;
use cim_check::Identities;
use cim_spec::spec::Fleet;
use cim_testkit::{Identity, golden};
use serde_json::json;
use tempfile::TempDir;
use time::OffsetDateTime;

use crate::support::{Said, run};

const DAY: i64 = 86_400;

/// A folder with a leaf's `.creds` of 20 days and a certificate of one.
fn files() -> Result<(TempDir, String, i64)> {
    let dir = tempfile::tempdir()?;
    let now = OffsetDateTime::now_utc().unix_timestamp();
    let mut fleet = golden("hub-operator")?["hub"]["fleet"].take();
    fleet["lifetimes"] = json!({ "server": "30d", "leaf": "20d", "device": "7d", "user": null });
    fleet["expiryHorizon"] = json!("14d");
    let fleet: Fleet = cim_render::input::parse(&fleet.to_string())?;
    let creds = Identity::of(&fleet, now)?.creds("leaves/cim-prod-001.jwt")?;
    fs::write(dir.path().join("leaf.creds"), &creds)?;
    Identities::new()?.write(dir.path(), "cim-prod-001")?;
    Ok((dir, creds, now))
}

fn ask(dir: &Path, certificate: &str, credentials: &str, at: i64) -> Result<Said> {
    run(Command::new(env!("CARGO_BIN_EXE_cim-expiry"))
        .arg("--certificate")
        .arg(dir.join(certificate))
        .arg("--credentials")
        .arg(dir.join(credentials))
        .args(["--horizon", "14d", "--at", &at.to_string()]))
}

#[test]
fn what_ends_within_the_horizon_fails_with_its_file_and_the_command() -> Result<()> {
    let (dir, creds, now) = files()?;
    ask(dir.path(), "cert.pem", "leaf.creds", now - 15 * DAY)?.done();

    let said = ask(dir.path(), "cert.pem", "leaf.creds", now + 7 * DAY)?;
    let certificate = dir.path().join("cert.pem");
    let certificate = certificate.display();
    said.refused(&[
        &format!("{certificate}: the certificate CN=cim-prod-001 ended at "),
        "leaf.creds: the JWT of user cim-prod-001 ends at ",
        "\n  help: run `cim-admin identity make` at the desk, commit identity/ and secrets/, and deploy this host\n",
    ]);
    let seed = creds.lines().find(|line| line.starts_with("SU"));
    assert!(seed.is_some_and(|seed| !said.text.contains(seed)));
    Ok(())
}

#[test]
fn what_cannot_be_read_may_have_ended() -> Result<()> {
    let (dir, _, now) = files()?;
    let said = ask(dir.path(), "key.pem", "gone.creds", now - 15 * DAY)?;
    said.refused(&[
        "key.pem holds no PEM certificate",
        "gone.creds cannot be read: ",
    ]);
    // Asked about nothing, it does not say that all is well.
    let mut nothing = Command::new(env!("CARGO_BIN_EXE_cim-expiry"));
    run(nothing.args(["--horizon", "14d"]))?.refused(&["give a file to look at"]);
    Ok(())
}
