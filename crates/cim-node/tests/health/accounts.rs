//! Limits of accounts that are reached: on a hub, on a leaf, in operator mode, and over the nodes of a cluster.

use std::cell::RefCell;

use anyhow::{Context, Result, ensure};
use async_nats::Client;
use cim_testkit::in_operator_mode;
use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio::task::block_in_place;

use crate::beside::Beside;
use crate::cluster::node;
use crate::fault::{Fault, well};
use crate::scene::{HUB, LEAF, Scene, alone, finding, open, prepared};

/// The hub of the pair with a limit of its account.
fn hub(limit: &str, most: u64) -> Result<Value> {
    let mut spec = open("security-hub")?;
    let fields = spec.pointer_mut("/hub/fleet/accounts/CIM-PROD/fields");
    fields.context("the account's fields")?[limit] = json!(most);
    Ok(spec)
}

fn block<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    block_in_place(|| Handle::current().block_on(work))
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_of_an_account_with_its_leaf_links() -> Result<()> {
    let hub = hub("limits.maxConnections", 4)?;
    let mut scene = prepared(&[hub, open("security-cim-prod-001")?])?;
    scene.fleet.start_all()?;
    scene.fleet.linked(LEAF).await?;
    let clients = RefCell::new(Vec::new());
    let join = |scene: &Scene, count| {
        block(async {
            for _ in 0..count {
                let client = scene.fleet.client(HUB, "alchemist").await?;
                clients.borrow_mut().push(client);
            }
            Ok(())
        })
    };
    for (count, state, says) in [
        (2, "WARNING", "3 of 4 connections of CIM-PROD: 75 %"),
        (3, "CRITICAL", "4 of 4 connections of CIM-PROD: 100 %"),
    ] {
        let many = Fault {
            check: "connections",
            of: "CIM-PROD/maxConnections",
            state,
            says: &[says],
        };
        many.seen(
            &mut scene,
            |scene| {
                join(scene, count)?;
                // As nats-server counts them: one more is refused where it is full, and there alone.
                let one_more = block(scene.fleet.client(HUB, "alchemist"));
                let is_full = state == "CRITICAL";
                ensure!(one_more.is_err() == is_full, "{one_more:?}");
                leave(one_more.into_iter())
            },
            |_| leave(clients.take().into_iter()),
        )?;
    }
    Ok(())
}

fn leave(clients: impl Iterator<Item = Client>) -> Result<()> {
    block(async {
        for client in clients {
            client.drain().await?;
        }
        Ok(())
    })
}

#[tokio::test]
async fn leaf_links_of_an_account() -> Result<()> {
    let hub = hub("limits.maxLeafnodes", 1)?;
    let mut scene = prepared(&[hub, open("security-cim-prod-001")?])?;
    scene.fleet.start(HUB)?;
    // It is there or not, whatever the fleet says.
    scene.health.watch.leaves.clear();
    let full = Fault {
        check: "connections",
        of: "CIM-PROD/maxLeafnodes",
        state: "CRITICAL",
        says: &["1 of 1 leaf links of CIM-PROD: 100 %"],
    };
    full.seen(
        &mut scene,
        |scene| scene.fleet.start(LEAF),
        |scene| scene.fleet.kill(LEAF),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_of_a_leaf_s_own_account() -> Result<()> {
    let mut spec = open("security-cim-prod-001")?;
    let fields = spec.pointer_mut("/leaf/leaf/accounts/CIM-PROD/fields");
    fields.context("the account's fields")?["limits.maxSubscriptions"] = json!(10);
    let mut scene = alone(&spec)?;
    let report = well(&scene)?;
    let nobody = finding(&report, "subscriptions", "CIM-PROD/maxSubscriptions")?;
    ensure!(
        nobody["message"] == "nobody has 0 of 10 subscriptions of CIM-PROD: 0 %",
        "{nobody}"
    );
    let client = scene.fleet.client(LEAF, "graph").await?;
    let mut held = Vec::new();
    let many = Fault {
        check: "subscriptions",
        of: "CIM-PROD/maxSubscriptions",
        state: "CRITICAL",
        says: &["(\"graph\") has 9 of 10 subscriptions of CIM-PROD: 90 %"],
    };
    let (held, client) = (&mut held, &client);
    many.seen(
        &mut scene,
        |_| {
            block(async {
                for number in 0..9 {
                    held.push(client.subscribe(format!("s.{number}")).await?);
                }
                client.flush().await.context("flushing")
            })
        },
        |_| leave([client.clone()].into_iter()),
    )
}

/// In operator mode nats-server's pages know an account by its key alone.
#[tokio::test(flavor = "multi_thread")]
async fn limits_that_stand_in_a_jwt() -> Result<()> {
    let mut specs = [hub("limits.maxConnections", 2)?];
    let identity = in_operator_mode(&mut specs)?;
    let mut scene = prepared(&specs)?;
    scene.fleet.start_all()?;
    scene.health.watch.leaves.clear();
    let client = identity.login(&scene.fleet, HUB, "users/CIM-PROD/alchemist.jwt");
    let client = client.await?;
    let says = |part: &str, state: &str| {
        let seen = scene.until(|report| {
            let found = finding(report, "connections", "CIM-PROD/maxConnections")?;
            ensure!(found["message"] == part, "{found:#}");
            ensure!(report["state"] == state, "{report:#}");
            Ok(())
        });
        seen.map(drop)
    };
    says("1 of 2 connections of CIM-PROD: 50 %", "OK")?;
    let other = identity.login(&scene.fleet, HUB, "users/CIM-PROD/alchemist.jwt");
    let other = other.await?;
    says("2 of 2 connections of CIM-PROD: 100 %", "CRITICAL")?;
    let third = identity.login(&scene.fleet, HUB, "users/CIM-PROD/alchemist.jwt");
    ensure!(third.await.is_err(), "one more was let in");
    leave([client, other].into_iter())?;
    says("0 of 2 connections of CIM-PROD: 0 %", "OK")
}

/// Where a hub has several nodes the limit is over all of them, and each node knows its own.
#[tokio::test(flavor = "multi_thread")]
async fn nodes_of_a_hub_tell_each_other_whom_they_have() -> Result<()> {
    let limited = |name: &str| -> Result<Value> {
        let mut spec = node(name)?;
        let fields = spec.pointer_mut("/hub/fleet/accounts/CIM/fields");
        fields.context("the account's fields")?["limits.maxConnections"] = json!(10);
        Ok(spec)
    };
    let mut specs = [limited("hub-1")?, limited("hub-2")?, limited("hub-3")?];
    let identity = in_operator_mode(&mut specs)?;
    let mut scene = prepared(&specs)?;
    identity.hand_out(&scene.fleet)?;
    for name in ["hub-1", "hub-2", "hub-3"] {
        scene.fleet.start(name)?;
    }
    let one = Beside::start(&scene, "hub-1")?;
    let _two = Beside::start(&scene, "hub-2")?;
    let three = Beside::start(&scene, "hub-3")?;
    one.says("OK        connections CIM/maxConnections: 3 of 10 connections of CIM: 30 %\n")?;
    let mut clients = Vec::new();
    for _ in 0..5 {
        let place = "users/CIM/alchemist.jwt";
        clients.push(identity.login(&scene.fleet, "hub-2", place).await?);
    }
    one.says("WARNING   connections CIM/maxConnections: 8 of 10 connections of CIM: 80 % (since ")?;
    drop(three);
    one.says(
        "7 of 10 connections of CIM: 70 %; without those at hub-3, of which nothing is heard here",
    )?;
    // One look hears nobody.
    scene.watch("hub-2")?;
    let says = "6 of 10 connections of CIM: 60 %; without those at hub-1, hub-3, of which nothing is heard here";
    scene.until(|report| {
        let alone = finding(report, "connections", "CIM/maxConnections")?;
        ensure!(alone["message"] == says, "{alone:#}");
        Ok(())
    })?;
    leave(clients.into_iter())
}
