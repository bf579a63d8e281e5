//! `cim-reload` where certificates, keys and seeds change under the same names.

use std::fs;

use anyhow::{Context, Result, ensure};
use cim_testkit::{golden, until};
use nkeys::KeyPair;
use serde_json::Value;
use time::format_description::well_known::Rfc3339;

use crate::support::{hosts, reload, reload_with, running};

#[tokio::test]
async fn a_renewed_certificate_in_the_same_file_is_loaded_for_every_listener() -> Result<()> {
    let hosts = running("hub-1")?;
    let fleet = &hosts.fleet;
    let client = fleet.client("hub-1", "alchemist").await?;
    let file = fleet.member("hub-1")?.dir().join("cert.pem");
    let file = file.to_string_lossy();
    let old = cim_node::certificate::not_after(&file)?;
    // A certificate's dates are whole seconds.
    until("the new certificate expires later", async || {
        fleet.certify("hub-1", "hub-1")?;
        ensure!(
            cim_node::certificate::not_after(&file)? > old,
            "the same second"
        );
        Ok(())
    })
    .await?;
    let new = cim_node::certificate::not_after(&file)?;
    reload(fleet, "hub-1")?.done();
    let varz: Value = fleet.server("hub-1")?.get("/varz")?;
    let wanted = new.format(&Rfc3339)?;
    for block in [&varz, &varz["cluster"], &varz["leaf"]] {
        let loaded = block["tls_cert_not_after"]
            .as_str()
            .context("it tells the expiry")?;
        assert_eq!(loaded, wanted);
    }
    client.flush().await?;
    fleet.client("hub-1", "alchemist").await.map(drop)
}

#[tokio::test]
async fn a_half_written_key_is_refused_and_the_old_certificate_serves_on() -> Result<()> {
    let hosts = running("hub-1")?;
    let fleet = &hosts.fleet;
    let before = fleet.server("hub-1")?.varz()?.config_load_time;
    let key = fleet.member("hub-1")?.dir().join("key.pem");
    let whole = fs::read_to_string(&key)?;
    fs::write(&key, &whole[..whole.len() / 2])?;
    let said = reload(fleet, "hub-1")?;
    said.refused(&[
        "nats-server -t says of ",
        "tls",
        "systemctl restart cim-hub-1",
    ]);
    assert!(!said.text.contains(&whole[60..80]), "{}", said.text);
    assert_eq!(fleet.server("hub-1")?.varz()?.config_load_time, before);
    fleet.client("hub-1", "alchemist").await.map(drop)
}

#[tokio::test]
async fn a_certificate_that_the_server_has_not_loaded_is_named() -> Result<()> {
    let hosts = running("hub-1")?;
    let fleet = &hosts.fleet;
    let old = fs::read(fleet.member("hub-1")?.dir().join("cert.pem"))?;
    // health.json speaks of a file that is not the one in the config.
    let mut health = fleet.health("hub-1")?;
    let other = hosts.dir.path().join("other.pem");
    fs::write(&other, &old)?;
    for certificate in &mut health.certificates {
        certificate.file = other.to_string_lossy().into_owned();
    }
    let pid = fleet.server("hub-1")?.pid();
    reload_with(fleet, "hub-1", &health, pid)?.done();
    until("another certificate expires later", async || {
        fleet.certify("hub-1", "hub-1")?;
        let new = fleet.member("hub-1")?.dir().join("cert.pem");
        let new = cim_node::certificate::not_after(&new.to_string_lossy())?;
        ensure!(
            new > cim_node::certificate::not_after(&other.to_string_lossy())?,
            "the same second"
        );
        Ok(())
    })
    .await?;
    reload_with(fleet, "hub-1", &health, pid)?
        .refused(&["runs a certificate that expires", "other.pem"]);
    Ok(())
}

#[tokio::test]
async fn a_rotated_seed_is_taken_over_and_the_leaf_links_again_with_it() -> Result<()> {
    let mut hosts = hosts(&[golden("cim-prod-001")?, golden("hub-1")?])?;
    let fleet = &mut hosts.fleet;
    fleet.start_all()?;
    fleet.linked("cim-prod-001").await?;
    let pid = fleet.server("cim-prod-001")?.pid();
    let old = fleet.server("cim-prod-001")?.varz()?.config_digest;

    fleet.renew_key("cim-prod-001")?;
    let hub = fleet.member("hub-1")?.plan().clone();
    fleet.rewrite("hub-1", hub)?;
    reload(fleet, "hub-1")?.done();
    reload(fleet, "cim-prod-001")?.done();
    let public = KeyPair::from_seed(fleet.seed("hub-1", "cim-prod-001")?)?.public_key();
    until("the leaf is linked with its new key", async || {
        let connz: Value = fleet.server("hub-1")?.get("/connz?auth=1")?;
        let users = connz["connections"]
            .as_array()
            .context("no connections")?
            .iter();
        let users: Vec<&Value> = users
            .map(|connection| &connection["authorized_user"])
            .collect();
        ensure!(users == [public.as_str()], "{users:?} are linked");
        Ok(())
    })
    .await?;
    assert_eq!(fleet.server("cim-prod-001")?.pid(), pid);
    assert_ne!(fleet.server("cim-prod-001")?.varz()?.config_digest, old);
    Ok(())
}

#[tokio::test]
async fn a_damaged_seed_is_refused_and_the_link_stays() -> Result<()> {
    let mut hosts = hosts(&[golden("cim-prod-001")?, golden("hub-1")?])?;
    let fleet = &mut hosts.fleet;
    fleet.start_all()?;
    fleet.linked("cim-prod-001").await?;
    let seed = fleet.seed("hub-1", "cim-prod-001")?.to_owned();
    fs::write(
        fleet.member("cim-prod-001")?.dir().join("leaf.nk"),
        &seed[..50],
    )?;
    let said = reload(fleet, "cim-prod-001")?;
    said.refused(&["leaf.nk", "damaged", "keeps its old config"]);
    assert!(!said.text.contains(&seed[10..20]), "{}", said.text);
    fleet.linked("cim-prod-001").await.map(drop)
}

#[tokio::test]
async fn a_refusal_never_repeats_a_secret() -> Result<()> {
    let mut hosts = hosts(&[golden("hub-single")?])?;
    let fleet = &mut hosts.fleet;
    let name = fleet.names().pop().context("a server")?;
    let config = fleet.member(&name)?.dir().join("nats.conf");
    let text = fs::read_to_string(&config)?;
    let with = |key: &str| {
        let keyed = format!("\"jetstream\": {{\n  \"cipher\": \"aes\"\n  \"key\": \"{key}\"\n");
        text.replace(
            "\"jetstream\": {\n  \"store_dir\"",
            &format!("{keyed}  \"store_dir\""),
        )
    };
    fs::write(&config, with("correct-horse-battery"))?;
    fleet.start(&name)?;
    fs::write(&config, with("staple-of-a-new-secret"))?;
    let mut health = fleet.health(&name)?;
    health.config_digest = None;
    let pid = fleet.server(&name)?.pid();
    let said = reload_with(fleet, &name, &health, pid)?;
    said.refused(&["nats-server says: ", "JetStreamKey"]);
    for secret in ["correct-horse", "staple-of"] {
        assert!(!said.text.contains(secret), "{}", said.text);
        let log = fs::read_to_string(fleet.server(&name)?.log())?;
        assert!(
            log.contains(secret),
            "nats-server no longer logs secrets: {log}"
        );
    }
    Ok(())
}
