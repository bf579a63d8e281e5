//! What a deployment waits for.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use cim_testkit::plan;
use serde_json::{Value, json};

use crate::assets::{ask, consume, declare, declared, fetch, make, now, publish, remove, update};
use crate::fault::well;
use crate::scene::{HUB, LEAF, Said, Scene, finding, level, open, pair};

/// How long two looks may take.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn it_waits_until_the_node_is_back() -> Result<()> {
    let mut scene = pair().await?;
    scene.fleet.kill(LEAF)?;
    let waiting = scene
        .command(&["gate", "--wait", "30"])?
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    scene.fleet.start(LEAF)?;
    let said = Said::of(waiting.wait_with_output()?)?;
    ensure!(
        said.code == 0 && said.out.contains("OK        link hub"),
        "{said:?}"
    );
    Ok(())
}

#[tokio::test]
async fn a_node_that_is_not_back_fails_it() -> Result<()> {
    let mut scene = pair().await?;
    scene.fleet.kill(HUB)?;
    // The leaf notices in its own time, and the gate would be content before.
    scene.until(|report| {
        let link = finding(report, "link", "hub")?;
        ensure!(link["state"] == "CRITICAL", "{link:#}");
        Ok(())
    })?;
    let said = scene.run(&["gate", "--wait", "1"])?;
    ensure!(
        said.code == 2 && said.out.contains("CRITICAL  link hub: not linked"),
        "{said:?}"
    );
    scene.fleet.kill(LEAF)?;
    let said = scene.run(&["gate", "--wait", "0"])?;
    ensure!(
        said.code == 3 && said.out.contains("UNKNOWN   server: "),
        "{said:?}"
    );
    Ok(())
}

#[tokio::test]
async fn what_a_deployment_cannot_mend_does_not_stop_it() -> Result<()> {
    let mut scene = pair().await?;
    scene.health.watch.levels.disk = level(0, 0);
    scene.health.watch.levels.expiry = level(u64::MAX / 2, u64::MAX / 2);
    ensure!(scene.report()?["exit"] == 2);
    let said = scene.run(&["gate", "--wait", "0"])?;
    ensure!(said.code == 0, "{said:?}");
    Ok(())
}

#[tokio::test]
async fn it_sees_a_stream_that_comes_late_however_seldom_streams_are_looked_at() -> Result<()> {
    let mut scene = pair().await?;
    scene.health.watch.slow_interval = 3_600_000;
    let stream = json!({"name": "LATE", "subjects": ["domain.late"]});
    declare(&scene, "streams/LATE.json", &stream)?;
    let looked = || -> Result<u64> {
        let varz: Value = scene.fleet.server(LEAF)?.get("/varz")?;
        Ok(varz["http_req_stats"]["/jsz"].as_u64().unwrap_or(0))
    };
    let before = looked()?;
    let waiting = scene
        .command(&["gate", "--wait", "30"])?
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let until = Instant::now() + PATIENCE;
    while looked()? < before + 2 {
        ensure!(Instant::now() < until, "it does not look again");
        std::thread::park_timeout(Duration::from_millis(10));
    }
    make(&scene.fleet.client(LEAF, "graph").await?, &stream).await?;
    let said = Said::of(waiting.wait_with_output()?)?;
    ensure!(
        said.code == 0 && said.out.contains("OK        stream CIM-PROD/LATE"),
        "{said:?}"
    );
    Ok(())
}

/// A deployment may be what mends it: a client that understands its messages, a larger stream, another link.
#[tokio::test(flavor = "multi_thread")]
async fn a_level_that_is_reached_warns_and_does_not_stop_it() -> Result<()> {
    let mut scene = pair().await?;
    let client = scene.fleet.client(LEAF, "graph").await?;
    let watched = |metadata: Value| {
        let mut metadata = metadata;
        metadata["io.nats.monitor.enabled"] = json!("true");
        metadata
    };
    let levels = watched(json!({"io.nats.monitor.msgs-critical": "3"}));
    let stream = json!({"name": "GRAPH", "subjects": ["own.graph"], "metadata": levels});
    let consumer = json!({"durable_name": "reader", "ack_policy": "explicit"});
    declare(&scene, "streams/GRAPH.json", &stream)?;
    declare(&scene, "consumers/GRAPH/reader.json", &consumer)?;
    make(&client, &stream).await?;
    consume(&client, "GRAPH", &consumer, "").await?;
    // Somebody else's, which no deployment knows.
    let rubbish = watched(json!({"io.nats.monitor.msgs-warn": "many"}));
    let other = json!({"name": "OTHER", "subjects": ["own.other"], "metadata": rubbish});
    make(&client, &other).await?;
    publish(&client, "own.graph", 3).await?;
    for round in 0..2 {
        for message in fetch(&client, 3).await? {
            let reply = message.reply.context("a message to acknowledge")?;
            // The last ones are held.
            if round < 1 {
                client.publish(reply, "-NAK".into()).await?;
            }
        }
    }
    scene.health.watch.levels.redeliveries = level(1, 3);
    scene.health.watch.levels.rtt = level(0, 0);
    let wrong = [
        ("consumer", "CIM-PROD/GRAPH/reader", "CRITICAL"),
        ("stream", "CIM-PROD/GRAPH", "CRITICAL"),
        ("stream", "CIM-PROD/OTHER", "UNKNOWN"),
        ("link", "hub", "CRITICAL"),
    ];
    scene.until(|report| {
        for (check, of, state) in wrong {
            let found = finding(report, check, of)?;
            ensure!(found["state"] == state, "{found:#}");
        }
        Ok(())
    })?;
    let said = scene.run(&["gate", "--wait", "0"])?;
    ensure!(said.code == 0, "{said:?}");
    ensure!(
        said.out.starts_with("cim-prod-001: WARNING (4 warning, "),
        "{said:?}"
    );
    for (check, of, _) in wrong {
        let line = format!("\nWARNING   {check} {of}: ");
        ensure!(said.out.contains(&line), "no {line:?} in {said:?}");
    }
    Ok(())
}

/// What is wrong and mended of what was deployed, and what the gate says meanwhile.
struct Broken<'a> {
    code: i32,
    says: &'a str,
}

impl Broken<'_> {
    fn seen(
        self,
        scene: &mut Scene,
        wrong: impl FnOnce(&mut Scene) -> Result<()>,
        mend: impl FnOnce(&mut Scene) -> Result<()>,
    ) -> Result<()> {
        let back = |scene: &Scene| -> Result<()> {
            let said = scene.run(&["gate", "--wait", "20"])?;
            ensure!(said.code == 0, "{:?}: {said:?}", self.says);
            Ok(())
        };
        back(scene)?;
        wrong(scene).context(self.says.to_owned())?;
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            // While a stream is being removed, nats-server complains of it for a moment.
            let said = scene.run(&["gate", "--wait", "0"])?;
            if said.code == self.code && said.out.contains(self.says) {
                break;
            }
            ensure!(Instant::now() < until, "{:?}: {said:?}", self.says);
        }
        mend(scene).context(self.says.to_owned())?;
        back(scene)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_and_consumers_that_are_not_as_deployed_stop_it() -> Result<()> {
    let (mut scene, client) = declared().await?;
    let stream = json!({"name": "GRAPH", "subjects": ["domain.graph.>"]});
    let consumer = json!({"durable_name": "reader", "ack_policy": "explicit"});
    let with = |value: &Value, field: &str| {
        let mut changed = value.clone();
        changed[field] = json!(7);
        changed
    };
    let missing = Broken {
        code: 2,
        says: "CRITICAL  stream CIM-PROD/GRAPH: it is declared and not there",
    };
    missing.seen(
        &mut scene,
        |_| now(remove(&client, "GRAPH")),
        |_| {
            now(make(&client, &stream))?;
            now(consume(&client, "GRAPH", &consumer, "create"))
        },
    )?;
    let differs = Broken {
        code: 2,
        says: "CRITICAL  stream CIM-PROD/GRAPH: differs from its declaration: max_msgs is 7",
    };
    differs.seen(
        &mut scene,
        |_| now(update(&client, &with(&stream, "max_msgs"))),
        |_| now(update(&client, &stream)),
    )?;
    let gone = Broken {
        code: 2,
        says: "CRITICAL  consumer CIM-PROD/GRAPH/reader: it is declared and not there",
    };
    gone.seen(
        &mut scene,
        |_| now(ask(&client, "CONSUMER.DELETE.GRAPH.reader", Value::Null)).map(drop),
        |_| now(consume(&client, "GRAPH", &consumer, "create")),
    )?;
    let other = Broken {
        code: 2,
        says: "CRITICAL  consumer CIM-PROD/GRAPH/reader: differs from its declaration: max_deliver",
    };
    let changed = with(&consumer, "max_deliver");
    other.seen(
        &mut scene,
        |_| now(consume(&client, "GRAPH", &changed, "update")),
        |_| now(consume(&client, "GRAPH", &consumer, "update")),
    )?;
    let unreadable = Broken {
        code: 3,
        says: "UNKNOWN   assets: ",
    };
    let file = declare(&scene, "streams/GRAPH.json", &stream)?;
    unreadable.seen(
        &mut scene,
        |_| Ok(fs::write(&file, "{")?),
        |_| Ok(fs::write(&file, stream.to_string())?),
    )
}

/// nats-server refuses the reload, and `systemctl reload` says that all is well.
#[tokio::test]
async fn a_config_that_was_refused_stops_it() -> Result<()> {
    let mut scene = pair().await?;
    let mut changed = open("security-cim-prod-001")?;
    changed["leaf"]["leaf"]["server"]["limits"]["maxPending"] = json!("128MiB");
    scene.fleet.rewrite(LEAF, plan(&changed)?)?;
    scene.health.config_digest = scene.fleet.health(LEAF)?.config_digest;
    scene.reload(LEAF)?;
    cim_testkit::until("nats-server refuses it", async || {
        let log = fs::read_to_string(scene.fleet.server(LEAF)?.log())?;
        ensure!(
            log.contains("Failed to reload server configuration"),
            "{log}"
        );
        Ok(())
    })
    .await?;
    let said = scene.run(&["gate", "--wait", "0"])?;
    ensure!(
        said.code == 2
            && said
                .out
                .contains("CRITICAL  config: runs another config than"),
        "{said:?}"
    );
    // What it says to do helps.
    scene.fleet.kill(LEAF)?;
    scene.fleet.start(LEAF)?;
    let said = scene.run(&["gate", "--wait", "30"])?;
    ensure!(said.code == 0, "{said:?}");
    well(&scene).map(drop)
}
