//! Pinned certificates, which are how one is revoked before its end: nats-server has no revocation list.

use std::fs;
use std::sync::atomic::Ordering;

use anyhow::{Result, ensure};
use cim_admin::pki::Made;
use data_encoding::HEXLOWER;
use rustix::process::Signal;
use sha2::{Digest, Sha256};
use x509_parser::pem::Pem;

use crate::links::{LEAF, LINKED, link_with};
use crate::server::{Ca, Running, name, now};

/// What nats-server says of a certificate that is not among the pinned ones, with `debug`.
const UNPINNED: &str = "Failed pinned cert test for key id: ";

/// A certificate as `pinnedCerts` names it: the SHA-256 of its public key.
fn pin(made: &Made) -> Result<String> {
    let (_, pem) = x509_parser::pem::parse_x509_pem(made.certificate.as_bytes())?;
    let key = Pem::parse_x509(&pem)?.tbs_certificate.subject_pki.raw;
    Ok(HEXLOWER.encode(&Sha256::digest(key)))
}

/// What a `tls` block says beside its files.
fn only(pins: &[&str]) -> String {
    format!("verify_and_map: true, pinned_certs: {pins:?}")
}

#[tokio::test]
async fn a_certificate_that_is_taken_out_is_refused_from_the_reload_on() -> Result<()> {
    let ca = Ca::new(now());
    let (kept, stolen) = (ca.client("app"), ca.client("device-0001"));
    let users = ["app", "device-0001"].map(|one| name(one).user());
    let users = users.each_ref().map(String::as_str);
    let pins = [pin(&kept)?, pin(&stolen)?];
    let both = only(&[&pins[0], &pins[1]]);
    let hub = Running::start_with(&ca, &ca.server("hub-1"), &users, &both, |_| String::new())?;
    let key = |made: &Made| {
        made.key
            .as_ref()
            .map_or_else(String::new, |key| key.to_string())
    };
    let standing = hub.connect(&kept, &key(&kept)).await?;
    let logins = || standing.statistics().connects.load(Ordering::Relaxed);
    let since = logins();
    let _cut = hub.connect(&stolen, &key(&stolen)).await?;

    let config = hub.dir.path().join("nats.conf");
    let text = fs::read_to_string(&config)?.replace(&both, &only(&[&pins[0]]));
    fs::write(&config, text)?;
    let before = hub.log()?.len();
    hub.server.signal(Signal::HUP)?;
    hub.logs(before, "Reloaded server configuration").await?;
    hub.refuses(&stolen, &format!("{UNPINNED}{}", pins[1]))
        .await?;
    hub.accepts(&kept).await?;
    // Who was connected by it is cut off, and nobody else.
    let cut = "Disconnect 1 clients due to pinned certs reload";
    hub.logs(before, cut).await?;
    standing.flush().await?;
    ensure!(logins() == since, "the other one was cut off");
    Ok(())
}

#[tokio::test]
async fn a_leaf_whose_certificate_is_not_pinned_is_not_linked() -> Result<()> {
    let ca = Ca::new(now());
    let server = ca.server("hub-1");
    let (good, stolen) = (ca.client(LEAF), ca.client(LEAF));
    let pin = only(&[&pin(&good)?]);
    let (hub, _leaf) = link_with(&ca, &server, &good, &pin).await?;
    hub.logs(0, LINKED).await?;
    let (hub, _leaf) = link_with(&ca, &server, &stolen, &pin).await?;
    hub.logs(0, UNPINNED).await?;
    ensure!(!hub.log()?.contains(LINKED), "it was linked");
    Ok(())
}
