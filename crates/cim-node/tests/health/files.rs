//! What expires, and files that are not what they should be.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use cim_creds::{Claims, Creds, KeyPair, User};
use cim_spec::artefact::{WatchedFile, WatchedFileKind};
use cim_testkit::golden;
use rcgen::{CertificateParams, KeyPair as CertificateKey};
use time::{Duration, OffsetDateTime};

use crate::daemon::Daemon;
use crate::fault::Fault;
use crate::scene::{LEAF, Scene, alone, finding};

/// A certificate that lives for so long from now on, with its key.
fn certificate(lives: Duration) -> Result<(String, String)> {
    let key = CertificateKey::generate()?;
    let mut params = CertificateParams::new(vec!["localhost".to_owned()])?;
    params.not_before = OffsetDateTime::now_utc() - Duration::days(7);
    params.not_after = OffsetDateTime::now_utc() + lives;
    Ok((params.self_signed(&key)?.pem(), key.serialize_pem()))
}

/// A `.creds` file whose JWT expires after so long; `None`: never.
fn creds(lives: Option<Duration>) -> Result<String> {
    let account = KeyPair::new_account();
    let user = KeyPair::new_user();
    let mut claims = Claims::new(user.public_key(), User::default());
    if let Some(lives) = lives {
        claims = claims.expiring((OffsetDateTime::now_utc() + lives).unix_timestamp());
    }
    let token = claims.encode(&account, OffsetDateTime::now_utc().unix_timestamp())?;
    Ok(Creds::new(token, user)?.text()?.to_string())
}

/// A leaf that watches one more file.
fn watching(kind: WatchedFileKind, content: &str) -> Result<(Scene, PathBuf)> {
    let mut scene = alone(&golden("security-cim-prod-001")?)?;
    let file = scene.dir.path().join("watched");
    fs::write(&file, content)?;
    scene.health.watch.files.push(WatchedFile {
        kind,
        file: file.to_string_lossy().into_owned(),
    });
    Ok((scene, file))
}

/// Each content makes the file's check say so; the first content is good.
fn each(
    kind: WatchedFileKind,
    check: &str,
    good: &str,
    cases: &[(Option<&str>, &str, &[&str])],
) -> Result<()> {
    let (mut scene, file) = watching(kind, good)?;
    let of = file.to_string_lossy().into_owned();
    for (content, state, says) in cases {
        let fault = Fault {
            check,
            of: &of,
            state,
            says,
        };
        let put = |content: Option<&str>| -> Result<()> {
            match content {
                Some(content) => fs::write(&file, content).context("writing the file"),
                None => fs::remove_file(&file).context("removing the file"),
            }
        };
        fault.seen(&mut scene, |_| put(*content), |_| put(Some(good)))?;
    }
    Ok(())
}

#[test]
fn certificates_in_files() -> Result<()> {
    let pem = |lives| certificate(lives).map(|(pem, _)| pem);
    let good = pem(Duration::days(1))?;
    let (soon, sooner) = (pem(Duration::minutes(90))?, pem(Duration::minutes(30))?);
    let over = pem(Duration::minutes(-30))?;
    let cut = &good[..good.len() / 2];
    each(
        WatchedFileKind::Certificate,
        "certificate",
        &good,
        &[
            (Some(&soon), "WARNING", &["expires ", "in 89 minutes"]),
            (Some(&sooner), "CRITICAL", &["expires ", "in 29 minutes"]),
            (Some(&over), "CRITICAL", &["expired ", "30 minutes ago"]),
            (None, "UNKNOWN", &["No such file"]),
            (Some(cut), "UNKNOWN", &["watched"]),
            (
                Some("no certificate"),
                "UNKNOWN",
                &["holds no PEM certificate"],
            ),
        ],
    )
}

#[test]
fn authorities_in_files() -> Result<()> {
    let pem = |lives| certificate(lives).map(|(pem, _)| pem);
    let (over, good) = (pem(Duration::days(-1))?, pem(Duration::days(1))?);
    // An old one beside a new one does no harm.
    let both = format!("{over}{good}");
    each(
        WatchedFileKind::Authority,
        "certificate",
        &both,
        &[
            (Some(&over), "CRITICAL", &["expired ", "24 hours ago"]),
            (Some(""), "UNKNOWN", &["holds no PEM certificate"]),
        ],
    )
}

#[test]
fn credentials_in_files() -> Result<()> {
    let good = creds(None)?;
    let (soon, sooner) = (
        creds(Some(Duration::minutes(90)))?,
        creds(Some(Duration::minutes(30)))?,
    );
    let over = creds(Some(Duration::minutes(-30)))?;
    let seed = KeyPair::new_user().seed()?;
    each(
        WatchedFileKind::Credentials,
        "credential",
        &good,
        &[
            (Some(&soon), "WARNING", &["expires ", " minutes"]),
            (Some(&sooner), "CRITICAL", &["expires ", " minutes"]),
            (Some(&over), "CRITICAL", &["expired ", "30 minutes ago"]),
            (None, "UNKNOWN", &["No such file"]),
            (Some(&seed), "UNKNOWN", &["this is no .creds file"]),
            (Some(&good[..good.len() / 2]), "UNKNOWN", &[".creds file"]),
        ],
    )
}

/// What another program beside the server logs in with: no part of the instance names it, the unit does.
#[test]
fn credentials_of_programs_beside_the_server() -> Result<()> {
    let mut scene = alone(&golden("security-cim-prod-001")?)?;
    let file = scene.dir.path().join("backup.creds");
    let of = file.to_string_lossy().into_owned();
    fs::write(&file, creds(Some(Duration::minutes(90)))?)?;
    let report = scene.report()?;
    assert!(finding(&report, "credential", &of).is_err(), "{report:#}");
    scene.args = vec!["--credential".to_owned(), of.clone()];
    let report = scene.report()?;
    let found = finding(&report, "credential", &of)?;
    assert_eq!(found["state"], "WARNING", "{found:#}");
    let daemon = Daemon::start(&scene)?;
    daemon.tells(&format!("STATUS=WARNING credential {of}: expires "))?;
    fs::remove_file(&file)?;
    let report = scene.report()?;
    let found = finding(&report, "credential", &of)?;
    assert_eq!(found["state"], "UNKNOWN", "{found:#}");
    Ok(())
}

#[test]
fn a_seed_in_the_wrong_file_is_not_repeated() -> Result<()> {
    let seed = KeyPair::new_user().seed()?;
    for kind in [
        WatchedFileKind::Credentials,
        WatchedFileKind::Certificate,
        WatchedFileKind::Authority,
    ] {
        let (scene, _) = watching(kind, &seed)?;
        for form in ["--json", "--nagios", "--openmetrics"] {
            let said = scene.run(&[form])?;
            assert!(!said.out.contains(&seed) && !said.err.contains(&seed));
        }
    }
    Ok(())
}

#[test]
fn certificates_that_the_server_has_loaded() -> Result<()> {
    let mut scene = alone(&golden("security-cim-prod-001")?)?;
    let dir = scene.fleet.member(LEAF)?.dir().to_owned();
    // The listener alone has this file, so that only its check notices.
    let own = scene.health.certificates[0].file.clone();
    scene
        .health
        .watch
        .files
        .retain(|watched| watched.file != own);
    let before = ["cert.pem", "key.pem"].map(|name| fs::read(dir.join(name)));
    let put = |dir: &Path, (pem, key): &(String, String)| -> Result<()> {
        fs::write(dir.join("cert.pem"), pem)?;
        Ok(fs::write(dir.join("key.pem"), key)?)
    };
    let back = || -> Result<()> {
        for (name, bytes) in ["cert.pem", "key.pem"].into_iter().zip(&before) {
            fs::write(dir.join(name), bytes.as_ref().ok().context("a file")?)?;
        }
        Ok(())
    };
    let tls = Fault {
        check: "tls",
        of: "client",
        state: "WARNING",
        says: &[
            "the server shows a certificate that expires ",
            "holds one that expires ",
        ],
    };
    let renewed = certificate(Duration::days(3))?;
    tls.seen(
        &mut scene,
        |_| put(&dir, &renewed),
        |scene| scene.reload(LEAF),
    )?;
    let soon = certificate(Duration::minutes(30))?;
    let ends = Fault {
        state: "CRITICAL",
        says: &["expires ", "in 29 minutes"],
        ..tls
    };
    ends.seen(
        &mut scene,
        |scene| {
            put(&dir, &soon)?;
            scene.reload(LEAF)
        },
        |scene| {
            back()?;
            scene.reload(LEAF)
        },
    )?;
    let gone = Fault {
        state: "UNKNOWN",
        says: &["cert.pem", "No such file"],
        ..tls
    };
    let file = dir.join("cert.pem");
    gone.seen(&mut scene, |_| Ok(fs::remove_file(&file)?), |_| back())
}
