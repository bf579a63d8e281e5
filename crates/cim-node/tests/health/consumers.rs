//! Consumers, beside what is declared.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::assets::{ask, consume, declared, fetch, now, publish};
use crate::fault::Fault;
use crate::scene::level;

const CONSUMER: Fault = Fault {
    check: "consumer",
    of: "CIM-PROD/GRAPH/reader",
    state: "CRITICAL",
    says: &[],
};

#[tokio::test(flavor = "multi_thread")]
async fn consumers_that_are_missing_differ_or_fall_behind() -> Result<()> {
    let (mut scene, client) = declared().await?;
    let consumer = json!({"durable_name": "reader", "ack_policy": "explicit"});
    let missing = Fault {
        says: &["it is declared and not there"],
        ..CONSUMER
    };
    let gone = ask(&client, "CONSUMER.DELETE.GRAPH.reader", Value::Null);
    missing.seen(
        &mut scene,
        |_| now(gone).map(drop),
        |_| now(consume(&client, "GRAPH", &consumer, "create")),
    )?;
    let differs = Fault {
        says: &["differs from its declaration: max_deliver is 3, declared is null"],
        ..CONSUMER
    };
    let mut changed = consumer.clone();
    changed["max_deliver"] = json!(3);
    differs.seen(
        &mut scene,
        |_| now(consume(&client, "GRAPH", &changed, "update")),
        |_| now(consume(&client, "GRAPH", &consumer, "update")),
    )?;
    scene.health.watch.levels.pending = level(5, 10);
    for (count, state, says) in [
        (5, "WARNING", "5 to deliver, 0 to acknowledge"),
        (10, "CRITICAL", "10 to deliver, 0 to acknowledge"),
    ] {
        let behind = Fault {
            state,
            says: &[says],
            ..CONSUMER
        };
        behind.seen(
            &mut scene,
            |_| now(publish(&client, "domain.graph.x", count)),
            |_| now(ask(&client, "STREAM.PURGE.GRAPH", Value::Null)).map(drop),
        )?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_come_again_are_seen() -> Result<()> {
    let (mut scene, client) = declared().await?;
    scene.health.watch.levels.redeliveries = level(2, 10);
    let again = Fault {
        state: "WARNING",
        says: &["3 to acknowledge, 3 of them delivered again"],
        ..CONSUMER
    };
    again.seen(
        &mut scene,
        |_| {
            now(async {
                publish(&client, "domain.graph.x", 3).await?;
                for round in 0..3 {
                    for message in fetch(&client, 3).await? {
                        let reply = message.reply.context("a message to acknowledge")?;
                        // The last ones are held.
                        if round < 2 {
                            client.publish(reply, "-NAK".into()).await?;
                        }
                    }
                }
                Ok(())
            })
        },
        |_| now(ask(&client, "STREAM.PURGE.GRAPH", Value::Null)).map(drop),
    )
}
