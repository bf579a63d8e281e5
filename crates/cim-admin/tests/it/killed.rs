//! `cim-admin` killed while it writes: the next run ends what it had all of, and what it had not is as it was before.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::thread;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::fleet::{Files, Fleet, MAKE, changed};

const ROTATE: [&str; 8] = [
    "rotate",
    "account-signing",
    "CIM",
    "default",
    "--plan",
    "plan.json",
    "--keys",
    "keys.txt",
];
const CHECK: [&str; 6] = [
    "secrets",
    "check",
    "--plan",
    "plan.json",
    "--keys",
    "keys.txt",
];

/// The note that is there while files are renamed.
const NOTE: &str = "secrets/.cim-unfinished.json";

/// How often a moment is tried to be met; two in three are.
const TRIES: usize = 40;

/// So many users that renaming takes a few milliseconds.
fn fleet() -> Result<Fleet> {
    let mut fleet = Fleet::new()?;
    let users = &mut fleet.plan["fleet"]["accounts"]["CIM"]["users"];
    for number in 0..100 {
        users[format!("user-{number}")] = users["smith"].clone();
    }
    Ok(fleet)
}

/// Runs the program and kills it as soon as `met`.
fn kill(fleet: &Fleet, args: &[&str], met: impl Fn() -> bool) -> Result<()> {
    let mut child = fleet
        .command(args)?
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("starting cim-admin")?;
    while child.try_wait()?.is_none() {
        if met() {
            // It may have ended at this very moment.
            let _ = child.kill();
        }
        thread::yield_now();
    }
    Ok(())
}

/// Whether a file that is only prepared lies in a folder.
fn prepared(folder: &Path) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names = entries.map(|entry| entry.file_name());
    names.any(|name| name.to_string_lossy().starts_with(".cim-"))
}

/// Makes both folders these files.
fn set(fleet: &Fleet, files: &Files) -> Result<()> {
    for folder in ["identity", "secrets"] {
        if fleet.path(folder).exists() {
            fs::remove_dir_all(fleet.path(folder))?;
        }
    }
    for (name, bytes) in files {
        let place = fleet.path(name);
        fs::create_dir_all(place.parent().context("a folder")?)?;
        fs::write(place, bytes)?;
    }
    Ok(())
}

/// Kills it between two renames.
fn half_renamed(fleet: &Fleet, args: &[&str], before: &Files) -> Result<()> {
    let note = fleet.path(NOTE);
    for _ in 0..TRIES {
        set(fleet, before)?;
        kill(fleet, args, || note.exists())?;
        if note.exists() {
            return Ok(());
        }
    }
    bail!("{args:?} always ended before it was killed");
}

/// Everything belongs together, nothing is left beside it, and there is nothing more to do.
fn is_whole(fleet: &Fleet) -> Result<()> {
    let output = fleet.run(&CHECK)?;
    ensure!(output.status.success(), "{output:?}");
    let left = fleet.files()?.into_keys();
    let left: Vec<String> = left.filter(|name| name.contains("/.cim-")).collect();
    ensure!(left.is_empty(), "{left:?}");
    let report = fleet.make(&[])?;
    ensure!(report["written"] == serde_json::json!([]), "{report}");
    Ok(())
}

#[test]
fn a_first_run_is_ended_by_the_second() -> Result<()> {
    let fleet = fleet()?;
    let first = [&MAKE[..], &["--new-keys"]].concat();
    for _ in 0..TRIES {
        let _ = fs::remove_file(fleet.path("keys.txt"));
        half_renamed(&fleet, &first, &Files::new())?;
        // The key file comes first, and the rules after it: what reads them must find both.
        if fleet.path("secrets/.sops.yaml").exists() {
            break;
        }
    }
    // Nothing reads it as it is, and nothing of it is pushed.
    let push = [
        "accounts",
        "push",
        "--server",
        "nats://127.0.0.1:1",
        "--creds",
        "x",
    ];
    for args in [&CHECK[..], &push] {
        let output = fleet.run(args)?;
        let said = String::from_utf8(output.stderr)?;
        ensure!(
            said.contains(NOTE) && said.contains("identity make"),
            "{args:?}: {said}"
        );
    }
    let output = fleet.run(&first)?;
    ensure!(output.status.success(), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout)?;
    ensure!(report["done"] == serde_json::json!([]), "{report}");
    is_whole(&fleet)
}

#[test]
fn a_rotation_is_ended_and_not_begun_again() -> Result<()> {
    let fleet = fleet()?;
    fleet.make(&["--new-keys"])?;
    let before = fleet.files()?;
    half_renamed(&fleet, &ROTATE, &before)?;
    let dry = fleet.run(&[&ROTATE[..], &["--dry-run"]].concat())?;
    ensure!(
        !dry.status.success() && fleet.path(NOTE).exists(),
        "{dry:?}"
    );
    let output = fleet.run(&ROTATE)?;
    let said = String::from_utf8(output.stderr)?;
    ensure!(
        !output.status.success() && said.contains("files are in place now"),
        "{said}"
    );
    let keys: Value = serde_json::from_str(&fleet.read("identity/keys.json")?)?;
    let account = &keys["accounts"]["CIM"];
    let (new, old) = (
        &account["signingKeys"]["default"],
        &account["retiring"]["default"],
    );
    ensure!(
        new.is_string() && old.is_string() && new != old,
        "{account}"
    );
    is_whole(&fleet)?;
    let output = fleet.run(&ROTATE)?;
    let said = String::from_utf8(output.stderr)?;
    ensure!(said.contains("is under way"), "{said}");
    Ok(())
}

#[test]
fn a_run_that_had_not_prepared_everything_has_changed_nothing() -> Result<()> {
    let fleet = fleet()?;
    fleet.make(&["--new-keys"])?;
    let before = fleet.files()?;
    let (note, folder) = (fleet.path(NOTE), fleet.path("secrets/users/CIM"));
    let mut left = false;
    for _ in 0..TRIES {
        kill(&fleet, &ROTATE, || prepared(&folder))?;
        if note.exists() || !prepared(&folder) {
            set(&fleet, &before)?;
            continue;
        }
        left = true;
        break;
    }
    ensure!(left, "it was never killed while it prepared files");
    let found = changed(&before, &fleet.files()?);
    let ours = found.iter().all(|name| name.contains("/.cim-"));
    ensure!(ours && !found.is_empty(), "{found:?}");
    // The next run sweeps that away, and nothing else.
    fleet.make(&[])?;
    let found = changed(&before, &fleet.files()?);
    ensure!(found.is_empty(), "{found:?}");
    is_whole(&fleet)
}
