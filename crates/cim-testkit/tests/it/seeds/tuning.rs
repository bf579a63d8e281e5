//! Seed 002, security and performance: what is set holds.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use async_nats::ConnectOptions;
use cim_render::places::Listener;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::{Example, example, number, running, stored, stream};
use crate::support::{hear, rounds};

const MIB: u64 = 1 << 20;

#[tokio::test]
async fn nobody_speaks_in_plain_text_and_permissions_hold() -> Result<()> {
    let example = running("security", &["cim-prod-001", "hub"])?;
    let fleet = &example.fleet;
    fleet.linked("cim-prod-001").await?;
    for server in ["cim-prod-001", "hub"] {
        refuses_plain_text(&example, server).await?;
        let nobody = fleet.connect(server, ConnectOptions::new()).await;
        ensure!(nobody.is_err(), "{server} lets strangers in");
    }
    let link = fleet.links("hub")?.remove(0);
    assert_eq!(link.account, "CIM-PROD");

    let graph = fleet.client("cim-prod-001", "graph").await?;
    let alchemist = fleet.client("hub", "alchemist").await?;
    let mut at_hub = hear(&alchemist, ">").await?;
    let subjects = ["domain.secret.x", "other.x", "domain.x"];
    let others = rounds(&graph, &subjects, &mut at_hub).await?;
    assert_eq!(others, [""; 0]);
    Ok(())
}

#[tokio::test]
async fn a_leaf_with_another_s_certificate_is_not_linked() -> Result<()> {
    let mut example = example("security", &["cim-prod-001", "hub"])?;
    example.fleet.certify("cim-prod-001", "cim-prod-002")?;
    example.fleet.start_all()?;
    example.fleet.says("hub", "authentication error").await?;
    ensure!(example.fleet.links("hub")?.is_empty(), "it is linked");
    Ok(())
}

#[tokio::test]
async fn the_limits_are_those_of_the_seed() -> Result<()> {
    let example = running("security", &["cim-prod-001"])?;
    let expected = [
        ("/max_connections", 10_000),
        ("/max_control_line", 4096),
        ("/max_payload", 8 * MIB),
        ("/max_pending", 64 * MIB),
        ("/max_subscriptions", 1_000_000),
        ("/write_deadline", 10_000_000_000),
        ("/auth_timeout", 3),
    ];
    hold(&example, "cim-prod-001", &expected)
}

#[tokio::test]
async fn the_tuned_leaf_has_its_limits_and_compresses_as_told() -> Result<()> {
    let example = running("performance", &["cim-001", "hub"])?;
    let fleet = &example.fleet;
    fleet.linked("cim-001").await?;
    let expected = [
        ("/max_control_line", 4096),
        ("/max_pending", 128 * MIB),
        ("/write_deadline", 30_000_000_000),
        ("/jetstream/config/max_memory", 8192 * MIB),
        ("/jetstream/config/max_storage", 1024 * 1024 * MIB),
        ("/jetstream/config/sync_interval", 30_000_000_000),
    ];
    hold(&example, "cim-001", &expected)?;
    let leafz: serde_json::Value = fleet.server("cim-001")?.get("/leafz")?;
    assert_eq!(leafz["leafs"][0]["compression"], "s2_best");
    Ok(())
}

#[tokio::test]
async fn what_the_tuned_leaf_stores_is_not_on_disk_in_plain_text() -> Result<()> {
    const PAYLOAD: &str = "a payload that nobody else writes";
    let mut example = running("performance", &["cim-001"])?;
    let graph = example.fleet.client("cim-001", "graph").await?;
    let config = async_nats::jetstream::stream::Config {
        name: "KEPT".to_owned(),
        subjects: vec!["kept.>".to_owned()],
        ..Default::default()
    };
    stream(&graph, config).await?;
    stored(&graph, "kept.x").await?;
    let jetstream = async_nats::jetstream::new(graph);
    jetstream.publish("kept.y", PAYLOAD.into()).await?.await?;

    // Whatever is buffered is on disk when the server is gone; and it reads its own writing.
    let store = example.fleet.member("cim-001")?.dir().to_owned();
    example.fleet.kill("cim-001")?;
    ensure!(holds(&store, b"KEPT")?, "the stream is not on disk at all");
    ensure!(
        !holds(&store, PAYLOAD.as_bytes())?,
        "it is there in plain text"
    );
    example.fleet.start("cim-001")?;
    let graph = example.fleet.client("cim-001", "graph").await?;
    let jetstream = async_nats::jetstream::new(graph);
    let message = jetstream
        .get_stream("KEPT")
        .await?
        .get_raw_message(2)
        .await?;
    assert_eq!(message.payload, PAYLOAD);
    Ok(())
}

fn hold(example: &Example, server: &str, expected: &[(&str, u64)]) -> Result<()> {
    for (pointer, value) in expected {
        let found = number(&example.fleet, server, "/varz", pointer)?;
        assert_eq!(found, *value, "{pointer}");
    }
    Ok(())
}

/// A client that goes on without TLS gets no answer but an error.
async fn refuses_plain_text(example: &Example, server: &str) -> Result<()> {
    let port = example.fleet.member(server)?.port(Listener::Client);
    let mut socket = BufReader::new(TcpStream::connect(("127.0.0.1", port)).await?);
    let mut info = String::new();
    socket.read_line(&mut info).await?;
    ensure!(info.contains("\"tls_required\":true"), "{info}");
    socket
        .write_all(b"CONNECT {\"verbose\":true}\r\nPING\r\n")
        .await?;
    let mut rest = Vec::new();
    // The connection may be cut instead of closed.
    let _ = tokio::time::timeout(Duration::from_secs(20), socket.read_to_end(&mut rest))
        .await
        .context("it is kept")?;
    let rest = String::from_utf8_lossy(&rest);
    ensure!(!rest.contains("+OK") && !rest.contains("PONG"), "{rest}");
    Ok(())
}

/// Whether a file of a folder, or its name, holds some bytes.
fn holds(folder: &Path, bytes: &[u8]) -> Result<bool> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let in_name = path
            .to_string_lossy()
            .as_bytes()
            .windows(bytes.len())
            .any(|w| w == bytes);
        let found = in_name
            || match path.is_dir() {
                true => holds(&path, bytes)?,
                false => fs::read(&path)?.windows(bytes.len()).any(|w| w == bytes),
            };
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}
