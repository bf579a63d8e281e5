//! Seed 001: our own hub in operator mode, whose accounts are JWTs.

use std::fs;

use anyhow::{Context, Result, ensure};
use async_nats::ConnectOptions;
use cim_testkit::{Fleet, Ports, golden, nats_server, plan};
use nkeys::{KeyPair, KeyPairType};
use serde_json::{Value, json};

use super::{Example, jwt};
use crate::support::{crosses, hear, rounds};

const HUB: &str = "hub-1";
const LEAF: &str = "cim-prod-001";

/// What the golden case's account CIM was made of; it opens nothing but tests.
const CIM: [u8; 32] = [43; 32];

#[tokio::test]
async fn leaf_and_client_come_in_by_their_jwts_and_those_of_another_account_do_not() -> Result<()> {
    let mut example = prepared()?;
    let cim = account(CIM)?;
    let leaf = credentials(&cim, &["metrics.>"], &["commands.>"], &["LEAFNODE"])?;
    fs::write(example.fleet.member(LEAF)?.dir().join("leaf.creds"), leaf)?;
    example.fleet.start_all()?;
    let fleet = &example.fleet;
    assert_eq!(fleet.linked(LEAF).await?, HUB);

    let app = client(fleet, &credentials(&cim, &[">"], &[">"], &[])?).await?;
    let graph = fleet.client(LEAF, "graph").await?;
    let mut everything = hear(&app, ">").await?;
    let others = rounds(&graph, &["secret.x", "metrics.x"], &mut everything).await?;
    assert_eq!(others, [""; 0], "at the hub");
    crosses(&app, "commands.x", &mut hear(&graph, "commands.x").await?).await?;

    for stranger in [account([99; 32])?, KeyPair::new_account()] {
        let refused = client(fleet, &credentials(&stranger, &[">"], &[">"], &[])?).await;
        ensure!(refused.is_err(), "another account's user is let in");
    }
    let link_only = credentials(&cim, &[">"], &[">"], &["LEAFNODE"])?;
    let refused = client(fleet, &link_only).await;
    ensure!(refused.is_err(), "a leaf's JWT lets a client in");
    Ok(())
}

/// One node of the golden hub, and a leaf that it knows by its `.creds` file.
fn prepared() -> Result<Example> {
    let mut hub = golden("hub-operator")?;
    let mut leaf = golden(LEAF)?;
    for hub in [
        &mut hub["hub"]["fleet"]["hubs"]["hub"],
        &mut leaf["leaf"]["fleet"]["hubs"]["hub"],
    ] {
        let nodes = hub["nodes"].as_object_mut().context("a hub has nodes")?;
        nodes.retain(|name, _| name == HUB);
        hub["leafnodes"]["verify"] = true.into();
        hub["leafnodes"]["verifyAndMap"] = false.into();
    }
    let member = &mut leaf["leaf"];
    member["fleet"]["operator"] = true.into();
    member["fleet"]["leaf"]["nkey"] = Value::Null;
    member["leaf"]["nkeySeedFile"] = Value::Null;
    member["leaf"]["remotes"]["hub"]["credentialsFile"] = json!("/run/secrets/leaf.creds");
    let dir = tempfile::tempdir().context("creating a folder")?;
    let plans = vec![plan(&hub)?, plan(&leaf)?];
    Ok(Example {
        fleet: Fleet::prepare(plans, dir.path(), &nats_server()?, Ports::Free)?,
        dir,
    })
}

fn account(raw: [u8; 32]) -> Result<KeyPair> {
    KeyPair::new_from_raw(KeyPairType::Account, raw).context("making a key of an account")
}

/// A user of an account, in a `.creds` file.
fn credentials(
    account: &KeyPair,
    publish: &[&str],
    subscribe: &[&str],
    connections: &[&str],
) -> Result<String> {
    let texts = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    let user = KeyPair::new_user();
    let claims = jwt::user(&texts(publish), &texts(subscribe), connections);
    let jwt = jwt::sign(account, &user.public_key(), None, &claims)?;
    jwt::credentials(&jwt, &user)
}

async fn client(fleet: &Fleet, credentials: &str) -> Result<async_nats::Client> {
    let options = ConnectOptions::with_credentials(credentials).context("reading credentials")?;
    fleet.connect(HUB, options).await
}
