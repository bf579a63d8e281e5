//! Seed 000: a leaf that is a cluster of 3, whose devices are known by their certificates.

use anyhow::{Result, ensure};
use async_nats::ConnectOptions;
use async_nats::jetstream::stream::Config;
use cim_testkit::{Fleet, until};
use futures_util::StreamExt;

use super::{number, running, stored, stream};
use crate::support::{hear, rounds, routed};

const NODES: [&str; 3] = ["nats-leaf-0", "nats-leaf-1", "nats-leaf-2"];
const ALL: [&str; 4] = ["nats-0", "nats-leaf-0", "nats-leaf-1", "nats-leaf-2"];

#[tokio::test]
async fn three_nodes_hang_on_the_hub_and_keep_a_stream_when_one_dies() -> Result<()> {
    let mut example = running("edge-devices", &ALL)?;
    linked(&example.fleet).await?;
    let app = example.fleet.client("nats-leaf-0", "app").await?;
    let config = Config {
        name: "STATUS".to_owned(),
        subjects: vec!["device.*.status".to_owned()],
        num_replicas: 3,
        ..Default::default()
    };
    stream(&app, config).await?;
    assert_eq!(stored(&app, "device.0001.status").await?, "nats-leaf");
    example.fleet.kill("nats-leaf-2")?;
    stored(&app, "device.0002.status").await?;
    let messages = async_nats::jetstream::new(app)
        .get_stream("STATUS")
        .await?
        .get_info()
        .await?;
    ensure!(messages.state.messages >= 2, "{messages:?}");
    Ok(())
}

#[tokio::test]
async fn a_device_speaks_for_itself_and_is_heard_at_the_hub_under_its_new_name() -> Result<()> {
    let example = running("edge-devices", &ALL)?;
    let fleet = &example.fleet;
    linked(fleet).await?;
    let device = example
        .device("nats-leaf-0", "device-0001.device.synadia.local")
        .await?;

    let app = fleet.client("nats-leaf-1", "app").await?;
    let subjects = [
        "device.0002.status",
        "secret.x",
        "device.0001.metrics.x",
        "device.0001.status",
    ];
    let mut everything = hear(&app, ">").await?;
    let heard = rounds(&device, &subjects, &mut everything).await?;
    ensure!(
        !heard.is_empty() && heard.iter().all(|s| s == "device.0001.metrics.x"),
        "{heard:?}"
    );

    let alchemist = fleet.client("nats-0", "alchemist").await?;
    let mut everything = hear(&alchemist, ">").await?;
    let subjects = [
        "device.0002.metrics.x",
        "device.0001.status",
        "device.0001.metrics.x",
    ];
    let heard = rounds(&device, &subjects, &mut everything).await?;
    ensure!(
        !heard.is_empty() && heard.iter().all(|s| s == "edge.0001.status"),
        "{heard:?}"
    );
    Ok(())
}

#[tokio::test]
async fn a_device_hears_its_own_commands_and_may_answer_them() -> Result<()> {
    let example = running("edge-devices", &ALL)?;
    let fleet = &example.fleet;
    linked(fleet).await?;
    let device = example
        .device("nats-leaf-2", "device-0001.device.synadia.local")
        .await?;
    let mut commands = hear(&device, "device.0001.cmd").await?;
    let mut others = hear(&device, "device.0002.cmd").await?;
    let alchemist = fleet.client("nats-0", "alchemist").await?;
    rounds(
        &alchemist,
        &["device.0002.cmd", "device.0001.cmd"],
        &mut commands,
    )
    .await?;
    others.unsubscribe().await?;
    ensure!(others.next().await.is_none(), "it hears another's commands");

    let app = fleet.client("nats-leaf-1", "app").await?;
    let answered = tokio::spawn(async move {
        while let Some(command) = commands.next().await {
            if let Some(reply) = command.reply {
                device.publish(reply, "done".into()).await?;
                device.flush().await?;
            }
        }
        anyhow::Ok(())
    });
    let answer = until("the device answers", async || {
        Ok(app.request("device.0001.cmd", "restart".into()).await?)
    })
    .await?;
    assert_eq!(answer.payload, "done");
    answered.abort();
    Ok(())
}

#[tokio::test]
async fn who_has_no_certificate_of_a_device_does_not_get_in() -> Result<()> {
    let example = running("edge-devices", &["nats-leaf-0", "nats-leaf-1"])?;
    let fleet = &example.fleet;
    for name in [
        "device-0003.device.synadia.local",
        "xdevice-0001.device.synadia.local",
        "device-0001",
        "nats-leaf",
    ] {
        let device = example.device("nats-leaf-0", name).await;
        ensure!(device.is_err(), "{name} is let in");
    }
    let name = "CN=device-0001.device.synadia.local";
    for options in [
        ConnectOptions::new(),
        ConnectOptions::with_user_and_password(name.to_owned(), String::new()),
    ] {
        let client = fleet.connect("nats-leaf-0", options).await;
        ensure!(client.is_err(), "somebody without a certificate is let in");
    }
    // The name in the certificate counts, not the one that is said.
    let (certificate, key) = example.certificate("device-0003.device.synadia.local")?;
    let options = ConnectOptions::with_user_and_password(name.to_owned(), String::new());
    let options = options.add_client_certificate(certificate, key);
    let client = fleet.connect("nats-leaf-0", options).await;
    ensure!(client.is_err(), "another device is let in by a name");
    example
        .device("nats-leaf-0", "device-0001.device.synadia.local")
        .await
        .map(drop)
}

#[tokio::test]
async fn each_connection_of_a_device_has_the_account_s_limits() -> Result<()> {
    let example = running("edge-devices", &["nats-leaf-0", "nats-leaf-1"])?;
    let fleet = &example.fleet;
    let device = example
        .device("nats-leaf-0", "device-0001.device.synadia.local")
        .await?;
    // The server's own limit is 1 MiB, and all that the client knows of.
    let payload = vec![0; 64 * 1024 + 1];
    device.publish("device.0001.status", payload.into()).await?;
    device.flush().await?;
    until("the device is cut off", async || {
        let closed: serde_json::Value = fleet.server("nats-leaf-0")?.get("/connz?state=closed")?;
        let connections = closed["connections"].as_array().into_iter().flatten();
        let mut reasons = connections.map(|connection| &connection["reason"]);
        ensure!(
            reasons.any(|reason| reason == "Maximum Message Payload Exceeded"),
            "{closed}"
        );
        Ok(())
    })
    .await?;
    let expected = [
        ("/max_connections", 10_000),
        ("/max_control_line", 4096),
        ("/max_payload", 1 << 20),
        ("/write_deadline", 10_000_000_000),
    ];
    for (pointer, value) in expected {
        assert_eq!(
            number(fleet, "nats-leaf-0", "/varz", pointer)?,
            value,
            "{pointer}"
        );
    }
    Ok(())
}

/// Waits until every node has routes to the others and a link to the hub.
async fn linked(fleet: &Fleet) -> Result<()> {
    for node in NODES {
        routed(fleet, node, 2).await?;
        assert_eq!(fleet.linked(node).await?, "nats-0");
    }
    Ok(())
}
