//! Who may open a link, and who may connect as a client.

use anyhow::Result;
use async_nats::ConnectOptions;

use crate::support::{Hosts, hosts, running};

#[tokio::test]
async fn leaves_known_by_nkey_and_by_certificate_hang_on_the_same_hub() -> Result<()> {
    let hosts = running(&["cim-prod-001", "cim-prod-002", "hub-1"], None).await?;
    let mut linked: Vec<String> = hosts.fleet.leaves().remove("hub-1").unwrap_or_default();
    linked.sort();
    assert_eq!(linked, ["cim-prod-001", "cim-prod-002"]);
    for link in hosts.fleet.links("hub-1")? {
        assert_eq!(link.account, "CIM");
    }
    Ok(())
}

#[tokio::test]
async fn a_leaf_with_a_seed_that_the_hub_does_not_know_is_not_linked() -> Result<()> {
    let mut hosts = hosts(&["cim-prod-001", "hub-1"], None)?;
    hosts
        .fleet
        .put_seed("cim-prod-001", &unknown_seed(&hosts)?)?;
    refused(&mut hosts, "cim-prod-001").await
}

#[tokio::test]
async fn a_user_s_nkey_does_not_open_a_leaf_link() -> Result<()> {
    let mut hosts = hosts(&["cim-prod-001", "hub-1"], None)?;
    let alchemist = hosts.fleet.seed("hub-1", "alchemist")?.to_owned();
    hosts.fleet.put_seed("cim-prod-001", &alchemist)?;
    refused(&mut hosts, "cim-prod-001").await
}

#[tokio::test]
async fn a_leaf_whose_certificate_names_another_is_not_linked() -> Result<()> {
    let mut hosts = hosts(&["cim-prod-002", "hub-1"], None)?;
    hosts.fleet.certify("cim-prod-002", "cim-prod-003")?;
    refused(&mut hosts, "cim-prod-002").await
}

#[tokio::test]
async fn a_leaf_s_nkey_or_certificate_name_does_not_connect_as_a_client() -> Result<()> {
    let hosts = running(&["hub-1"], None).await?;
    let fleet = &hosts.fleet;
    let seed = fleet.seed("hub-1", "cim-prod-001")?.to_owned();
    let as_leaf = ConnectOptions::with_nkey(seed);
    assert!(
        fleet.connect("hub-1", as_leaf).await.is_err(),
        "the nkey of a leaf"
    );
    for password in ["", "x"] {
        let as_name =
            ConnectOptions::with_user_and_password("CN=cim-prod-002".into(), password.into());
        assert!(
            fleet.connect("hub-1", as_name).await.is_err(),
            "the name of a leaf"
        );
    }
    assert!(
        fleet.connect("hub-1", ConnectOptions::new()).await.is_err(),
        "nobody"
    );
    fleet.client("hub-1", "alchemist").await.map(drop)
}

/// The hub says no to the leaf and lists no link.
async fn refused(hosts: &mut Hosts, leaf: &str) -> Result<()> {
    hosts.fleet.start_all()?;
    hosts.fleet.says("hub-1", "authentication error").await?;
    assert!(hosts.fleet.links("hub-1")?.is_empty());
    assert!(hosts.fleet.links(leaf)?.is_empty());
    Ok(())
}

/// A seed of a fleet of its own.
fn unknown_seed(_: &Hosts) -> Result<String> {
    let other = hosts(&["hub-1"], None)?;
    Ok(other.fleet.seed("hub-1", "cim-prod-001")?.to_owned())
}
