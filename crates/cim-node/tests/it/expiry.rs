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
        "\n  help: run `cim-admin identity make` at the desk, commit identity/ and secrets/, and deploy this host; ",
    ]);
    let seed = creds.lines().find(|line| line.starts_with("SU"));
    assert!(seed.is_some_and(|seed| !said.text.contains(seed)));
    Ok(())
}

#[test]
fn an_authority_ends_with_the_last_of_its_file() -> Result<()> {
    let (dir, _, now) = files()?;
    let ask = |file: &str, at: i64| {
        run(Command::new(env!("CARGO_BIN_EXE_cim-expiry"))
            .arg("--authorities")
            .arg(dir.path().join(file))
            .args(["--horizon", "14d", "--at", &at.to_string()]))
    };
    ask("ca.pem", now - 15 * DAY)?.done();
    ask("ca.pem", now)?.refused(&[
        "ca.pem: the certificate CN=cim throwaway CA ends at ",
        "\n  help: run `cim-admin rotate ca-root` at the desk, deploy every host, and go on as it says; ",
    ]);
    // While a root is replaced, both are there: the old one may end.
    let old = fs::read_to_string(dir.path().join("ca.pem"))?;
    fs::write(dir.path().join("both.pem"), lasting(10 * 365)? + &old)?;
    ask("both.pem", now)?.done();
    Ok(())
}

/// A root of so many days.
fn lasting(days: i64) -> Result<String> {
    let mut params = rcgen::CertificateParams::default();
    params.not_before = OffsetDateTime::now_utc();
    params.not_after = params.not_before + time::Duration::days(days);
    Ok(params.self_signed(&rcgen::KeyPair::generate()?)?.pem())
}

#[test]
fn what_cannot_be_read_may_have_ended() -> Result<()> {
    let (dir, _, now) = files()?;
    let said = ask(dir.path(), "key.pem", "gone.creds", now - 15 * DAY)?;
    said.refused(&[
        "key.pem cannot be read: there is no certificate in it",
        "gone.creds cannot be read: ",
    ]);
    // Asked about nothing, it does not say that all is well.
    let mut nothing = Command::new(env!("CARGO_BIN_EXE_cim-expiry"));
    run(nothing.args(["--horizon", "14d"]))?.refused(&["give a file to look at"]);
    Ok(())
}
