//! deploy-rs's own `activate` on a host: a deployment holds, or it is as if it had not been.

use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use cim_lab::{Deployed, Lab, Order, Switched};

use crate::support::{PATIENCE, Scene};

/// Longer than the lab takes to confirm.
const CONFIRM: u16 = 20;

/// What stood before a deployment, to be there again after a rollback.
#[derive(Debug, PartialEq, Eq)]
struct Before {
    digest: String,
    generations: usize,
}

/// The new configuration is live and stays, also when it is deployed again; revoked, the old one is.
pub fn confirmed(scene: &Scene) -> Result<()> {
    let before = deployed(&scene.lab)?;
    let deployed = scene.times.measure("deploy-rs: a reload, confirmed", || {
        deploy(&scene.lab, "reload", CONFIRM, true)
    })?;
    ensure!(deployed.succeeded && deployed.seen, "{}", deployed.said);
    ensure!(
        deployed.said.contains("OK        link hub: linked to"),
        "nobody looked whether it is back: {}",
        deployed.said
    );
    switches(&scene.lab, &deployed, &["reload"])?;
    let after = state(&scene.lab)?;
    ensure!(
        after.generations == before.generations + 1,
        "{after:?} after {before:?}"
    );
    ensure!(after.digest != before.digest, "the old config is live");
    let host = &scene.lab.deploy_rs()?.host;
    let client = scene.lab.client(host, "graph")?;
    // What the change allows.
    scene.crosses(&client, &client, "audit.login")?;
    let profile = profile(&scene.lab, "reload")?;
    ensure!(scene.host(host)?.profile()? == profile, "another profile");

    same_again(&scene.lab, &after)?;
    let revoked = scene.host(host)?.revoke(&profile)?;
    ensure!(revoked.succeeded, "{}", revoked.said);
    switches(&scene.lab, &revoked, &["base"])?;
    as_before(scene, &before)
}

/// The same again is no generation of its own, so what is revoked then is the deployment before it: the reason for
/// `--rollback-succeeded false` in modules/deploy.nix.
fn same_again(lab: &Lab, after: &Before) -> Result<()> {
    let again = deploy(lab, "reload", CONFIRM, true)?;
    ensure!(again.succeeded, "{}", again.said);
    let mut switches = again.switches.iter();
    let touched = switches.any(|(_, done)| !done.units.is_empty());
    ensure!(!touched, "the same again touched units: {again:?}");
    ensure!(state(lab)? == *after, "the same again changed it");
    Ok(())
}

/// A unit that cannot start: the desk hears of it, the old one runs.
pub fn failed(scene: &Scene) -> Result<()> {
    let before = deployed(&scene.lab)?;
    let deployed = scene
        .times
        .measure("deploy-rs: a start that fails, back on the old", || {
            deploy(&scene.lab, "broken", CONFIRM, true)
        })?;
    ensure!(!deployed.succeeded, "a failed switch is called a success");
    ensure!(!deployed.seen, "the desk was told to confirm");
    let errors = switches(&scene.lab, &deployed, &["broken", "base"])?;
    let [broken, back] = errors.as_slice() else {
        bail!("{errors:?}");
    };
    ensure!(
        broken.contains("/run/secrets/nowhere.nk"),
        "the switch did not fail for its secret: {broken}"
    );
    ensure!(back.is_empty(), "going back failed: {back}");
    as_before(scene, &before)
}

/// All units start, and the leaf is alone: the hub does not know its new key. The desk hears why, the old one runs.
pub fn unwell(scene: &Scene) -> Result<()> {
    let before = deployed(&scene.lab)?;
    let name = &scene.lab.deploy_rs()?.host;
    let host = scene.host(name)?;
    // A user's key, which is a leaf's to nobody.
    let seed = scene.lab.seed(host.plan(name)?, "graph")?;
    let file = host.place("/root/unwell.nk");
    std::fs::write(&file, seed).with_context(|| format!("writing {}", file.display()))?;
    host.run(&format!(
        "install --mode=0400 --owner={name} /root/unwell.nk /run/unwell.nk"
    ))?;
    let what = "deploy-rs: no link in 8 s, back on the old";
    let deployed = scene
        .times
        .measure(what, || deploy(&scene.lab, "unwell", CONFIRM, true))?;
    ensure!(
        !deployed.succeeded && !deployed.seen,
        "a leaf that is alone is called a success: {}",
        deployed.said
    );
    ensure!(
        deployed.said.contains("CRITICAL  link hub: not linked to"),
        "nobody says what is wrong: {}",
        deployed.said
    );
    let errors = switches(&scene.lab, &deployed, &["unwell", "base"])?;
    ensure!(errors.concat().is_empty(), "{errors:?}");
    host.run("rm /root/unwell.nk /run/unwell.nk")?;
    as_before(scene, &before)?;
    host.well(name, PATIENCE)
}

/// The switch went well, and then nobody could reach the host.
pub fn unconfirmed(scene: &Scene) -> Result<()> {
    let before = deployed(&scene.lab)?;
    let deployed = deploy(&scene.lab, "reload", 1, false)?;
    ensure!(!deployed.succeeded, "it was confirmed by nobody");
    ensure!(deployed.seen, "the switch did not go well");
    let errors = switches(&scene.lab, &deployed, &["reload", "base"])?;
    ensure!(errors.concat().is_empty(), "{errors:?}");
    // deploy-rs leaves it, and would take it for the sign of the next deployment of this profile.
    let host = scene.host(&scene.lab.deploy_rs()?.host)?;
    host.forget(&profile(&scene.lab, "reload")?)?;
    as_before(scene, &before)
}

/// Sees to it that the host's profile is the generation that it runs.
fn deployed(lab: &Lab) -> Result<Before> {
    let deploy_rs = lab.deploy_rs()?;
    let host = lab.host(&deploy_rs.host)?;
    let base = profile(lab, "base")?;
    if host.profile().ok().as_ref() != Some(&base) {
        host.take_deployments(deploy_rs)?;
        let first = deploy(lab, "base", CONFIRM, true)?;
        ensure!(first.succeeded, "{}", first.said);
        ensure!(host.profile()? == base, "another profile: {}", first.said);
    }
    state(lab)
}

fn deploy(lab: &Lab, generation: &str, confirm_timeout: u16, confirm: bool) -> Result<Deployed> {
    let host = lab.host(&lab.deploy_rs()?.host)?;
    host.deploy(&Order {
        profile: &profile(lab, generation)?,
        confirm,
        confirm_timeout,
        auto_rollback: true,
    })
}

fn profile(lab: &Lab, generation: &str) -> Result<PathBuf> {
    let profile = lab.deploy_rs()?.profiles.get(generation);
    Ok(profile.context("a profile for each generation")?.clone())
}

fn state(lab: &Lab) -> Result<Before> {
    let name = &lab.deploy_rs()?.host;
    let host = lab.host(name)?;
    Ok(Before {
        digest: host.varz(name)?.config_digest,
        generations: host.generations()?,
    })
}

/// What units said in each of the switches, which were to these generations; nothing where all went well.
fn switches(lab: &Lab, deployed: &Deployed, generations: &[&str]) -> Result<Vec<String>> {
    let host = &lab.deploy_rs()?.host;
    let wanted = generations
        .iter()
        .map(|generation| lab.toplevel(generation, host));
    let wanted = wanted.collect::<Result<Vec<_>>>()?;
    let systems: Vec<_> = deployed.switches.iter().map(|(system, _)| system).collect();
    ensure!(
        systems == wanted,
        "switches to {systems:?}, and not to {wanted:?}: {}",
        deployed.said
    );
    let said = |switched: &Switched| {
        let errors = switched
            .units
            .values()
            .filter_map(|unit| unit.error.clone());
        errors.collect()
    };
    let switches = deployed.switches.iter();
    Ok(switches.map(|(_, switched)| said(switched)).collect())
}

/// The old profile, config and unit, and the leaf back at the hub.
fn as_before(scene: &Scene, before: &Before) -> Result<()> {
    let name = &scene.lab.deploy_rs()?.host;
    let host = scene.host(name)?;
    ensure!(
        host.profile()? == profile(&scene.lab, "base")?,
        "another profile"
    );
    let units = host.units();
    for unit in &units {
        let state = host.show(unit, "ActiveState")?;
        ensure!(state == "active", "{unit} is {state}");
    }
    let now = state(&scene.lab)?;
    ensure!(now == *before, "{now:?}, and it was {before:?}");
    scene.linked(name).map(drop)
}
