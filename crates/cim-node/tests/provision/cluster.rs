//! A cluster of three.

use std::fs;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use cim_check::Server;
use cim_testkit::{nats_server, until};
use serde_json::{Value, json};

use crate::support::{Said, Site, site};

pub async fn cluster() -> Result<Site> {
    let site = site(3, "server_tags: [\"node:s%\", \"here\"]\n")?;
    until(
        "the cluster has a leader that knows of all three",
        async || {
            let mut leads = false;
            for server in site.servers.iter().flatten() {
                server.get::<Value>("/healthz")?;
                let jetstream: Value = server.get("/jsz")?;
                let others = jetstream["meta_cluster"]["replicas"].as_array();
                leads |= others.is_some_and(|others| {
                    others.len() == 2 && others.iter().all(|other| other["current"] == true)
                });
            }
            ensure!(leads, "no server leads two others");
            Ok(())
        },
    )
    .await?;
    Ok(site)
}

#[tokio::test]
async fn replicas_and_placement_are_set_read_back_and_changed_in_place() -> Result<()> {
    let site = cluster().await?;
    let placement = json!({"cluster": "C", "tags": ["here"]});
    site.stream(
        "R3",
        json!({"subjects": ["r"], "num_replicas": 3, "placement": placement}),
    )?;
    site.consumer(
        "R3",
        "one",
        json!({"ack_policy": "explicit", "num_replicas": 1}),
    )?;
    site.declare(
        "kv/x",
        &json!({"bucket": "x", "num_replicas": 3, "placement": placement}),
    )?;
    site.declare(
        "object-stores/o",
        &json!({"bucket": "o", "num_replicas": 3, "placement": placement}),
    )?;
    site.applied()?;
    site.agrees(&["4 as declared"]).await?;
    for name in ["R3", "KV_x", "OBJ_o"] {
        let held = site.held(name).await?;
        assert_eq!(held["num_replicas"], 3, "{name}");
        assert_eq!(held["placement"], placement, "{name}");
    }
    site.publish(&["r"], 10).await?;
    let to = |replicas: u8, placement: &Value| {
        site.stream(
            "R3",
            json!({"subjects": ["r"], "num_replicas": replicas, "placement": placement}),
        )
    };
    let moved = json!({"tags": ["node:s1"]});
    to(1, &moved)?;
    site.run("apply", &[])?.ended(
        2,
        &[
            "can not move and scale",
            "num_replicas first and placement in another run",
        ],
    );
    to(1, &placement)?;
    site.run("apply", &[])?.ended(0, &["num_replicas: 3 → 1"]);
    to(1, &moved)?;
    site.run("apply", &[])?.ended(0, &["placement: "]);
    site.agrees(&["4 as declared"]).await?;
    until("the stream has moved", async || {
        let info = site.api().await?.ask("STREAM.INFO.R3", &Value::Null).await;
        let info = info.map_err(|failure| anyhow::anyhow!("{failure}"))?;
        ensure!(
            info["cluster"]["leader"] == "s1" && info["cluster"]["replicas"].is_null(),
            "{}",
            info["cluster"]
        );
        Ok(())
    })
    .await?;
    assert_eq!(site.messages("R3").await?, 10);
    site.stream("R3", json!({"subjects": ["r"], "num_replicas": 1}))?;
    site.applied()?;
    site.stream("R3", json!({"subjects": ["r"], "num_replicas": 3}))?;
    site.applied()?;
    site.stream(
        "R3",
        json!({"subjects": ["r"], "num_replicas": 3, "max_msgs": 4}),
    )?;
    // Whoever leads now has them all, once it has caught up; a refusal changes nothing.
    until("the loss is refused with its count", async || {
        let said = site.run("apply", &[])?;
        let counted = said.out.contains("6 messages of the stream R3");
        ensure!(said.code == 2 && counted, "{said:?}");
        Ok(())
    })
    .await?;
    site.stream(
        "NOWHERE",
        json!({"num_replicas": 3, "placement": {"tags": ["moon"]}}),
    )?;
    site.run("apply", &[])?.ended(
        2,
        &[
            "streams/NOWHERE.json: nats-server says:",
            "fewer servers are up",
        ],
    );
    Ok(())
}

/// A cluster is deployed node by node.
#[tokio::test]
async fn servers_that_are_still_to_come_are_waited_for() -> Result<()> {
    let site = site(2, "")?;
    site.stream("R3", json!({"num_replicas": 3}))?;
    site.consumer("R3", "one", json!({"ack_policy": "explicit"}))?;
    until("two have a leader", async || {
        let said = site.run("plan", &["--wait", "1"])?;
        ensure!(said.code == 1, "{said:?}");
        Ok(())
    })
    .await?;
    // The unit tries again: no option is wrong.
    site.run("apply", &["--wait", "1"])?.ended(
        3,
        &[
            "streams/R3.json: nats-server says: no suitable peers",
            "fewer servers are up",
            "its stream R3 was not made",
        ],
    );
    let mut command = site.command("apply");
    let running = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let _third = third(&site)?;
    Said::of(running.wait_with_output()?)?.ended(0, &["2 done"]);
    Ok(())
}

/// A server that joins two.
fn third(site: &Site) -> Result<Server> {
    let other = fs::read_to_string(site.dir.path().join("s1/nats.conf"))?;
    let (_, routes) = other.split_once("routes:").context("routes")?;
    let home = site.dir.path().join("s2");
    fs::create_dir_all(&home)?;
    let config = format!(
        "server_name: s2\nlisten: \"127.0.0.1:-1\"\nports_file_dir: \"{home}\"\n\
         jetstream {{ store_dir: \"{home}/js\" }}\ncluster {{ name: C, listen: \"127.0.0.1:-1\", routes:{routes}",
        home = home.display(),
    );
    let path = home.join("nats.conf");
    fs::write(&path, config)?;
    Server::start(&nats_server()?, &path)
}

#[tokio::test]
async fn a_node_that_is_killed_meanwhile_costs_nothing() -> Result<()> {
    let mut site = cluster().await?;
    for index in 0..12 {
        let name = format!("S{index}");
        site.stream(&name, json!({"num_replicas": 3}))?;
        site.consumer(&name, "c", json!({"ack_policy": "explicit"}))?;
    }
    let mut command = site.command("apply");
    let running = command
        .args(["--at-once", "2", "--wait", "60"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let api = site.api().await?;
    until("the first stream is made", async || {
        let found = api.find("STREAM.INFO.S0", &Value::Null).await;
        ensure!(found.is_ok_and(|made| made.is_some()), "there is none");
        Ok(())
    })
    .await?;
    site.kill(2)?;
    let said = Said::of(running.wait_with_output()?)?;
    println!("{} after the kill: {}", said.code, said.out);
    until("another run converges", async || {
        let report = site.json("apply", &[])?;
        ensure!(report["exit"] == 0, "{report}");
        Ok(())
    })
    .await?;
    site.agrees(&["24 as declared"]).await?;
    Ok(())
}
