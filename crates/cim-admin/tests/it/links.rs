//! Leaf links with certificates that one of the two ends must refuse, and what that end says.

use anyhow::Result;
use cim_admin::pki::{Address, Made, Validity};

use crate::server::{Ca, Running, days, loopback, name, now, put, tls};

pub const LEAF: &str = "leaf.plant-7.acme.serviceradar";

/// What a hub says of a leaf that it has let in, and not before.
pub const LINKED: &str = "JetStream using domains: local";

/// A certificate without what stands between it and the root.
fn alone(mut made: Made) -> Made {
    let end = "-----END CERTIFICATE-----\n";
    let own = made.certificate.find(end).unwrap() + end.len();
    assert_eq!(made.certificate.matches(end).count(), 2);
    made.certificate.truncate(own);
    made
}

/// A hub that shows `server` to leaves, and a leaf that dials it with `leaf`.
async fn link(ca: &Ca, server: &Made, leaf: &Made) -> Result<(Running, Running)> {
    link_with(ca, server, leaf, "verify_and_map: true").await
}

/// The same with what the hub's `tls` block for leaves says beside its files.
pub async fn link_with(
    ca: &Ca,
    server: &Made,
    leaf: &Made,
    more: &str,
) -> Result<(Running, Running)> {
    let user = name(LEAF).user();
    let hub = Running::start(ca, &ca.server("hub-1"), &[&user], |dir| {
        put(dir, "listener", server).unwrap();
        let tls = tls(dir, "listener", more);
        format!("leafnodes {{ listen: \"127.0.0.1:-1\"\n{tls} }}")
    })?;
    let url = hub.leafnodes().await?;
    let leaf = Running::start(ca, &ca.server("leaf"), &["CN=app"], |dir| {
        put(dir, "remote", leaf).unwrap();
        let tls = tls(dir, "remote", "timeout: 5");
        format!("leafnodes {{ remotes: [ {{ url: \"{url}\", account: APP, {tls} }} ] }}")
    })?;
    Ok((hub, leaf))
}

fn past(ca: &Ca) -> impl Fn(&[Address]) -> Made {
    move |addresses| {
        let validity = Validity::starting(now() - days(30), days(1)).unwrap();
        match addresses {
            [] => ca.authority.client(&name(LEAF), validity).unwrap(),
            addresses => {
                let name = name("hub-1");
                ca.authority.server(&name, addresses, validity).unwrap()
            }
        }
    }
}

#[tokio::test]
async fn a_hub_refuses_a_leaf_whose_certificate_is_not_right() -> Result<()> {
    let ca = Ca::new(now() - days(30));
    let other = Ca::new(now());
    let server = ca.server("hub-1");
    let good = ca.client(LEAF);
    let (hub, _leaf) = link(&ca, &server, &good).await?;
    hub.logs(0, LINKED).await?;
    let unknown = "certificate signed by unknown authority";
    let stranger = "leaf.plant-9.acme.serviceradar";
    for (leaf, reason) in [
        (past(&ca)(&[]), "certificate has expired"),
        // A nats-server that dials shows no certificate that does not lead to a CA of the hub's.
        (
            alone(ca.client(LEAF)),
            "client didn't provide a certificate",
        ),
        (other.client(LEAF), unknown),
        (ca.client(stranger), stranger),
    ] {
        let (hub, _leaf) = link(&ca, &server, &leaf).await?;
        hub.logs(0, reason).await?;
        assert!(!hub.log()?.contains(LINKED));
    }
    Ok(())
}

#[tokio::test]
async fn a_leaf_refuses_a_hub_whose_certificate_is_not_right() -> Result<()> {
    let ca = Ca::new(now() - days(30));
    let other = Ca::new(now());
    let elsewhere = ["hub-9.example.com".parse()?];
    let valid = Validity::starting(now(), days(1))?;
    let unknown = "certificate signed by unknown authority";
    for (server, reason) in [
        (past(&ca)(&loopback()), "certificate has expired"),
        (alone(ca.server("hub-1")), unknown),
        (other.server("hub-1"), unknown),
        (
            ca.authority.server(&name("hub-1"), &elsewhere, valid)?,
            "cannot validate certificate for 127.0.0.1",
        ),
        // A device's, which is no server's.
        (ca.client(LEAF), "cannot validate certificate for 127.0.0.1"),
    ] {
        let (hub, leaf) = link(&ca, &server, &ca.client(LEAF)).await?;
        leaf.logs(0, reason).await?;
        assert!(!hub.log()?.contains(LINKED));
    }
    Ok(())
}
