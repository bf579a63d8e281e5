//! Seed 002: the minimal leaf and the NixOS one, at a hub in operator mode that is not ours.

use std::fs;

use anyhow::{Result, ensure};
use cim_testkit::until;

use super::{PASSWORD, example, number, operator, with_password};
use crate::support::{crosses, hear, rounds};

const LEAF: &str = "cim-prod-001";
const HUB: &str = "hub.cim.example.com";

#[tokio::test]
async fn the_minimal_leaf_is_linked_by_its_credentials_and_keeps_what_it_stores() -> Result<()> {
    let mut example = example("minimal", &[LEAF])?;
    let hub = operator::start(&mut example, LEAF, HUB)?;
    example.fleet.start_all()?;
    linked(&hub).await?;

    let app = example.fleet.client(LEAF, "app").await?;
    let alchemist = hub.client().await?;
    let mut everything = hear(&alchemist, ">").await?;
    let others = rounds(&app, &["secret.x", "domain.x"], &mut everything).await?;
    assert_eq!(others, [""; 0]);

    let gib = 1 << 30;
    assert_eq!(
        number(&example.fleet, LEAF, "/jsz", "/config/max_memory")?,
        4 * gib
    );
    assert_eq!(
        number(&example.fleet, LEAF, "/jsz", "/config/max_storage")?,
        100 * gib
    );
    Ok(())
}

#[tokio::test]
async fn credentials_that_no_account_signed_do_not_open_a_link_and_new_ones_do() -> Result<()> {
    let mut example = example("minimal", &[LEAF])?;
    let hub = operator::start(&mut example, LEAF, HUB)?;
    let good = example.fleet.member(LEAF)?.dir().join("leaf.creds");
    let other = of_another_account()?;
    fs::write(&good, other)?;
    example.fleet.start_all()?;
    example.fleet.says(LEAF, "Authorization Violation").await?;
    ensure!(hub.leaves()?.is_empty(), "it is linked");

    // nats-server reads the file again when it dials.
    hub.admit(&example, LEAF)?;
    linked(&hub).await
}

#[tokio::test]
async fn the_nixos_leaf_holds_its_user_to_a_password_and_permissions() -> Result<()> {
    let mut example = example("nixos", &[LEAF])?;
    let hub = operator::start(&mut example, LEAF, HUB)?;
    example.fleet.start_all()?;
    linked(&hub).await?;
    let fleet = &example.fleet;

    for wrong in ["", "password", super::PASSWORD_HASH] {
        let client = with_password(fleet, LEAF, "cim-local", wrong).await;
        ensure!(client.is_err(), "{wrong:?} lets in");
    }
    let local = with_password(fleet, LEAF, "cim-local", PASSWORD).await?;
    let mut everything = hear(&local, ">").await?;
    let subjects = ["system.x", "other.x", "events.x", "domain.x"];
    let others = rounds(&local, &subjects, &mut everything).await?;
    assert!(
        others.iter().all(|subject| subject == "events.x"),
        "{others:?}"
    );
    assert!(!others.is_empty());

    let alchemist = hub.client().await?;
    crosses(&local, "domain.x", &mut hear(&alchemist, "domain.x").await?).await
}

async fn linked(hub: &operator::Hub) -> Result<()> {
    until("the leaf is linked", async || {
        let leaves = hub.leaves()?;
        ensure!(leaves == [LEAF], "{leaves:?} are");
        Ok(())
    })
    .await
}

/// Credentials of another operator's account.
fn of_another_account() -> Result<String> {
    let (account, user) = (nkeys::KeyPair::new_account(), nkeys::KeyPair::new_user());
    let everything = [">".to_owned()];
    let claims = super::jwt::user(&everything, &everything, &["LEAFNODE"]);
    let jwt = super::jwt::sign(&account, &user.public_key(), None, &claims)?;
    super::jwt::credentials(&jwt, &user)
}
