//! Keys that the host makes for what runs beside a server: from cim-secrets to streams that are there.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};
use async_nats::ConnectOptions;
use async_nats::jetstream;
use cim_render::Artefacts;
use cim_render::places::Listener;
use cim_testkit::{Fleet, golden};

use crate::support::{Hosts, Said, hosts, put_health, reload, run};

const LEAF: &str = "assets-cim-prod-001";
const NAME: &str = "cim-prod-001";
const HUB: &str = "assets-hub";

/// The server of a case with nothing made yet, as a host is before its unit starts.
fn fresh(case: &str, name: &str) -> Result<Hosts> {
    let hosts = hosts(&[golden(case)?])?;
    for key in keys(&hosts.fleet, name)? {
        fs::remove_file(&key).with_context(|| key.display().to_string())?;
    }
    let secrets = hosts.fleet.health(name)?.secrets;
    fs::remove_file(secrets.context("keys are secrets")?.path)?;
    for (file, content) in Artefacts::render(hosts.fleet.member(name)?.plan())?.files {
        if file.starts_with("jetstream/") {
            let path = hosts.dir.path().join(file);
            fs::create_dir_all(path.parent().context("a file is in a folder")?)?;
            fs::write(path, content)?;
        }
    }
    Ok(hosts)
}

/// Files of the keys that the host makes.
fn keys(fleet: &Fleet, name: &str) -> Result<Vec<PathBuf>> {
    let secrets = fleet.health(name)?.secrets.context("keys are secrets")?;
    let keys = secrets
        .entries
        .iter()
        .map(|entry| PathBuf::from(&entry.file));
    let made = |path: &PathBuf| path.to_string_lossy().contains("/CIM.");
    Ok(keys.filter(made).collect())
}

fn key(fleet: &Fleet, name: &str, service: &str) -> Result<PathBuf> {
    let wanted = format!("CIM.{service}.nk");
    let mut keys = keys(fleet, name)?.into_iter();
    keys.find(|key| key.ends_with(&wanted))
        .with_context(|| format!("no key {wanted}"))
}

/// `cim-secrets`, as the unit runs it before the server.
fn make(fleet: &Fleet, name: &str) -> Result<Said> {
    let file = put_health(&fleet.health(name)?, fleet.member(name)?.dir())?;
    run(Command::new(env!("CARGO_BIN_EXE_cim-secrets")).arg(file))
}

/// `cim-provision apply`, as the unit runs it.
fn apply(hosts: &Hosts, name: &str, seed: &Path) -> Result<Output> {
    apply_by(hosts, name, seed, &[&hosts.fleet.member(name)?.url()])
}

fn apply_by(hosts: &Hosts, name: &str, seed: &Path, servers: &[&str]) -> Result<Output> {
    let member = hosts.fleet.member(name)?;
    let health = put_health(&hosts.fleet.health(name)?, member.dir())?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_cim-provision"));
    command
        .arg("apply")
        .arg(hosts.dir.path().join("jetstream/CIM"));
    command.arg("--health").arg(health);
    command.args(["--wait", "10"]);
    for server in servers {
        command.args(["--server", server]);
    }
    command.arg("--ca").arg(hosts.fleet.ca_file());
    command.arg("--nkey-seed").arg(seed);
    command.output().context("running cim-provision")
}

/// `cim-backup create`, as the unit runs it.
fn back_up(hosts: &Hosts, name: &str, seed: &Path, folder: &Path) -> Result<Output> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cim-backup"));
    command.arg("create").arg(folder);
    command.args(["--wait", "10", "--server", &hosts.fleet.member(name)?.url()]);
    command.arg("--ca").arg(hosts.fleet.ca_file());
    command.arg("--nkey-seed").arg(seed);
    command.output().context("running cim-backup")
}

fn ended(output: &Output, code: i32, says: &str) -> Result<()> {
    let all = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    let text = String::from_utf8(all)?;
    ensure!(
        output.status.code() == Some(code),
        "{:?}: {text}",
        output.status
    );
    ensure!(text.contains(says), "no {says:?} in: {text}");
    Ok(())
}

#[test]
fn what_is_declared_is_made_with_a_key_of_the_host() -> Result<()> {
    for (case, name, count) in [(LEAF, NAME, 5), (HUB, "hub", 4)] {
        let mut hosts = fresh(case, name)?;
        make(&hosts.fleet, name)?.done();
        let seed = key(&hosts.fleet, name, "provision")?;
        assert_eq!(fs::metadata(&seed)?.mode() & 0o777, 0o400);
        hosts.fleet.start(name)?;
        let done = format!("{count} declared: 0 as declared, {count} done, 0 not");
        ended(&apply(&hosts, name, &seed)?, 0, &done)?;
        // Another node, or another run: nothing is left to do.
        let nothing = format!("{count} declared: {count} as declared");
        ended(&apply(&hosts, name, &seed)?, 0, &nothing)?;
        let seed = key(&hosts.fleet, name, "backup")?;
        let folder = hosts.dir.path().join("backup");
        ended(&back_up(&hosts, name, &seed, &folder)?, 0, "")?;
        assert!(folder.join("last.json").is_file());
    }
    Ok(())
}

#[test]
fn a_key_stays_for_as_long_as_its_file_and_no_longer() -> Result<()> {
    let mut hosts = fresh(LEAF, NAME)?;
    make(&hosts.fleet, NAME)?.done();
    hosts.fleet.start(NAME)?;
    let seed = key(&hosts.fleet, NAME, "provision")?;
    let first = fs::read_to_string(&seed)?;
    reload(&hosts.fleet, NAME)?.done();
    assert_eq!(fs::read_to_string(&seed)?, first);
    ended(&apply(&hosts, NAME, &seed)?, 0, "5 done")?;

    let old = hosts.dir.path().join("old.nk");
    fs::rename(&seed, &old)?;
    reload(&hosts.fleet, NAME)?.done();
    assert_ne!(fs::read_to_string(&seed)?, first);
    ended(&apply(&hosts, NAME, &seed)?, 0, "5 as declared")?;
    ended(&apply(&hosts, NAME, &old)?, 3, "connecting to")?;
    Ok(())
}

#[test]
fn the_name_in_the_certificate_is_found_among_several() -> Result<()> {
    let mut hosts = fresh(HUB, "hub")?;
    make(&hosts.fleet, "hub")?.done();
    hosts.fleet.start("hub")?;
    let seed = key(&hosts.fleet, "hub", "provision")?;
    let port = hosts.fleet.member("hub")?.port(Listener::Client);
    // The same address, by a name that the certificate does not have.
    let other = format!("tls://127.1:{port}");
    ended(
        &apply_by(&hosts, "hub", &seed, &[&other])?,
        3,
        "connecting to",
    )?;
    let right = hosts.fleet.member("hub")?.url();
    for servers in [[&other, &right], [&right, &other]] {
        let servers = servers.map(String::as_str);
        ended(&apply_by(&hosts, "hub", &seed, &servers)?, 0, "4 declared")?;
    }
    Ok(())
}

#[test]
fn a_key_file_that_holds_none_stops_the_start_and_is_named() -> Result<()> {
    let hosts = fresh(LEAF, NAME)?;
    let seed = key(&hosts.fleet, NAME, "provision")?;
    fs::write(&seed, "half")?;
    let said = make(&hosts.fleet, NAME)?;
    said.refused(&["CIM.provision.nk", "no nkey seed"]);
    Ok(())
}

#[tokio::test]
async fn keys_open_no_more_than_their_service_needs() -> Result<()> {
    let mut hosts = fresh(LEAF, NAME)?;
    make(&hosts.fleet, NAME)?.done();
    hosts.fleet.start(NAME)?;
    let seed = key(&hosts.fleet, NAME, "provision")?;
    ended(&apply(&hosts, NAME, &seed)?, 0, "5 done")?;
    for service in ["provision", "backup"] {
        let seed = fs::read_to_string(key(&hosts.fleet, NAME, service)?)?;
        let (said, mut heard) = tokio::sync::mpsc::unbounded_channel();
        let options = ConnectOptions::with_nkey(seed.trim().to_owned());
        let options = options.event_callback(move |event| {
            let said = said.clone();
            async move {
                // Nobody listens any more: the test is over.
                let _ = said.send(event.to_string());
            }
        });
        let client = hosts.fleet.connect(NAME, options).await?;
        let names = jetstream::new(client.clone());
        names.get_stream("DOMAIN_EVENTS").await?;
        for subject in ["domain.graph.events.x", "$JS.API.STREAM.DELETE.METRICS"] {
            client.publish(subject, "".into()).await?;
            client.flush().await?;
            let refused = async {
                while let Some(event) = heard.recv().await {
                    if event.to_lowercase().contains("permissions violation") {
                        return Ok(());
                    }
                }
                anyhow::bail!("the connection ended")
            };
            let wait = std::time::Duration::from_secs(10);
            tokio::time::timeout(wait, refused)
                .await
                .with_context(|| format!("{service} may publish to {subject}"))??;
        }
    }
    Ok(())
}
