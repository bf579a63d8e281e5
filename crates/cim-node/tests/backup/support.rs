//! A bare nats-server, streams in it, and `cim-backup` beside it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use async_nats::Client;
use cim_check::Server;
use cim_node::provision::api::Api;
use cim_render::places::Listener;
use cim_testkit::{Ports, nats_server};
use futures_util::StreamExt;
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long a condition may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server and its folder.
pub struct Site {
    pub server: Option<Server>,
    pub config: PathBuf,
    pub dir: TempDir,
}

/// What `cim-backup` said and how it ended.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Said {
    pub fn of(output: Output) -> Result<Self> {
        Ok(Self {
            code: output.status.code().context("it ended by a signal")?,
            out: String::from_utf8(output.stdout)?,
            err: String::from_utf8(output.stderr)?,
        })
    }

    /// It ended with this code and said all of `parts`.
    #[track_caller]
    pub fn ended(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, code, "{self:?}");
        let all = format!("{}{}", self.out, self.err);
        for part in parts {
            assert!(all.contains(part), "no {part:?} in: {all}");
        }
    }
}

/// A server on a port of its own choice.
pub fn one() -> Result<Site> {
    site("", "")
}

/// A server with further lines in its config, and in its JetStream block.
pub fn site(more: &str, jetstream: &str) -> Result<Site> {
    named("source", more, jetstream)
}

fn named(name: &str, more: &str, jetstream: &str) -> Result<Site> {
    let dir = tempfile::tempdir().context("creating a folder")?;
    let home = dir.path().display();
    let text = format!(
        "server_name: {name}\nlisten: \"127.0.0.1:-1\"\nhttp: \"127.0.0.1:-1\"\nports_file_dir: \"{home}\"\n\
         jetstream {{ store_dir: \"{home}/js\" {jetstream} }}\n{more}\n"
    );
    let config = dir.path().join("nats.conf");
    fs::write(&config, text)?;
    let mut site = Site {
        server: None,
        config,
        dir,
    };
    site.start()?;
    Ok(site)
}

/// A hub and a leaf of it with a JetStream domain of its own.
pub fn leaf_and_hub() -> Result<(Site, Site)> {
    let (ports, held) = Ports::Free.choose(1)?;
    let port = ports[0].get(&Listener::Leafnodes).context("no port")?;
    let listen = format!("leafnodes {{ listen: \"127.0.0.1:{port}\" }}");
    let hub = site(&listen, ", domain: hub")?;
    let remote = format!("leafnodes {{ remotes: [{{ url: \"nats://127.0.0.1:{port}\" }}] }}");
    let leaf = named("leaf", &remote, ", domain: edge")?;
    drop(held);
    Ok((hub, leaf))
}

/// Three servers, whose leader knows of all three.
pub async fn cluster() -> Result<Vec<Site>> {
    let nodes = three()?;
    until(async || Ok(nodes.iter().any(leads_two).then_some(()))).await?;
    Ok(nodes)
}

fn leads_two(node: &Site) -> bool {
    let jetstream = node.server.as_ref().map(|server| server.get("/jsz"));
    let jetstream: Value = jetstream.and_then(Result::ok).unwrap_or_default();
    let others = jetstream["meta_cluster"]["replicas"].as_array();
    others.is_some_and(|others| {
        others.len() == 2 && others.iter().all(|other| other["current"] == true)
    })
}

fn three() -> Result<Vec<Site>> {
    let (ports, held) = Ports::Free.choose(3)?;
    let ports: Vec<_> = ports
        .iter()
        .filter_map(|all| all.get(&Listener::Cluster))
        .collect();
    let routes: Vec<_> = ports
        .iter()
        .map(|port| format!("\"nats://127.0.0.1:{port}\""))
        .collect();
    let routes = routes.join(", ");
    let nodes = ports.iter().enumerate().map(|(number, port)| {
        let more =
            format!("cluster {{ name: C, listen: \"127.0.0.1:{port}\", routes: [{routes}] }}");
        named(&format!("n{number}"), &more, "")
    });
    let nodes = nodes.collect();
    drop(held);
    nodes
}

impl Site {
    pub fn start(&mut self) -> Result<()> {
        let mut server = Server::start(&nats_server()?, &self.config)?;
        server.healthy()?;
        self.server = Some(server);
        Ok(())
    }

    pub fn kill(&mut self) -> Result<()> {
        self.server.take().context("it does not run")?.kill()
    }

    pub fn url(&self) -> String {
        self.server
            .as_ref()
            .map_or_else(String::new, |server| server.url().to_owned())
    }

    /// The folder of backups.
    pub fn folder(&self) -> PathBuf {
        self.dir.path().join("backups")
    }

    pub async fn client(&self) -> Result<Client> {
        Ok(async_nats::connect(self.url()).await?)
    }

    pub async fn api(&self) -> Result<Api> {
        Ok(Api::new(self.client().await?, None, PATIENCE))
    }

    /// `cim-backup create` with further flags.
    pub fn create(&self, args: &[&str]) -> Result<Said> {
        let mut command = tool(&["create"]);
        command.arg(self.folder()).args(["--server", &self.url()]);
        if !args.contains(&"--wait") {
            command.args(["--wait", "5"]);
        }
        Said::of(command.args(args).output()?)
    }

    /// A backup that must work; its folder.
    pub fn created(&self) -> Result<PathBuf> {
        let said = self.create(&["--json"])?;
        ensure!(said.code == 0, "{said:?}");
        let said: Value = serde_json::from_str(&said.out)?;
        let name = said["backup"]["backup"].as_str().context("no name")?;
        Ok(self.folder().join(name))
    }

    /// `cim-backup restore` into this server.
    pub fn restore(&self, backup: &Path, args: &[&str]) -> Result<Said> {
        let mut command = tool(&["restore"]);
        command
            .arg(backup)
            .args(["--server", &self.url(), "--wait", "20"]);
        Said::of(command.args(args).output()?)
    }

    /// `cim-backup drill` of what is in [`Self::folder`].
    pub fn drill(&self, args: &[&str]) -> Result<Said> {
        let binary = nats_server()?;
        let mut command = tool(&["drill"]);
        command
            .arg(self.folder())
            .arg("--temp")
            .arg(self.dir.path());
        if !args.contains(&"--nats-server") {
            command.arg("--nats-server").arg(binary);
        }
        Said::of(command.args(args).output()?)
    }

    /// Makes a stream: `name`, and further fields.
    pub async fn stream(&self, name: &str, fields: Value) -> Result<()> {
        let mut config =
            json!({ "name": name, "subjects": [format!("{name}.>")], "storage": "file" });
        merge(&mut config, fields);
        asked(
            &self.api().await?,
            &format!("STREAM.CREATE.{name}"),
            &config,
        )
        .await
        .map(drop)
    }

    /// Makes a consumer.
    pub async fn consumer(&self, stream: &str, name: &str, fields: Value) -> Result<()> {
        let mut config =
            json!({ "durable_name": name, "ack_policy": "explicit", "deliver_policy": "all" });
        merge(&mut config, fields);
        let body = json!({ "stream_name": stream, "config": config });
        let subject = format!("CONSUMER.CREATE.{stream}.{name}");
        asked(&self.api().await?, &subject, &body).await.map(drop)
    }

    /// Publishes `count` messages on `<stream>.<0..10>` and waits until all are stored.
    pub async fn publish(&self, stream: &str, count: usize, body: usize) -> Result<()> {
        let client = self.client().await?;
        let api = self.api().await?;
        let before = last(&api, stream).await?;
        for number in 0..count {
            let body = format!("{stream} {number} {}", "x".repeat(body));
            client
                .publish(format!("{stream}.{}", number % 10), body.into())
                .await?;
        }
        client.flush().await?;
        let all = before + u64::try_from(count)?;
        until(async || Ok((last(&api, stream).await? == all).then_some(()))).await
    }

    /// Gets messages and acknowledges those that `ack` says so of, by their place; the others are said no to.
    pub async fn consume(
        &self,
        stream: &str,
        name: &str,
        count: usize,
        ack: fn(usize) -> bool,
    ) -> Result<()> {
        let jetstream = async_nats::jetstream::new(self.client().await?);
        let consumer: async_nats::jetstream::consumer::PullConsumer = jetstream
            .get_consumer_from_stream(name, stream)
            .await
            .map_err(|error| anyhow!("{error}"))?;
        // Waits for all: in a cluster the consumer's node may not have heard of the last ones yet.
        let batch = consumer.batch().max_messages(count).expires(PATIENCE);
        let batch = batch.messages().await;
        let mut messages = batch.map_err(|error| anyhow!("{error}"))?;
        let mut place = 0;
        while let Some(message) = messages.next().await {
            let message = message.map_err(|error| anyhow!("{error}"))?;
            if ack(place) {
                message
                    .double_ack()
                    .await
                    .map_err(|error| anyhow!("{error}"))?;
            }
            place += 1;
        }
        ensure!(place == count, "{place} of {count} messages");
        Ok(())
    }
}

async fn last(api: &Api, stream: &str) -> Result<u64> {
    let info = asked(api, &format!("STREAM.INFO.{stream}"), &Value::Null).await?;
    info["state"]["last_seq"].as_u64().context("no sequence")
}

/// `cim-backup` with arguments.
pub fn tool(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cim-backup"));
    command.args(args);
    command
}

pub fn run(args: &[&str], path: &Path) -> Result<Said> {
    Said::of(tool(args).arg(path).output()?)
}

pub async fn asked(api: &Api, subject: &str, body: &Value) -> Result<Value> {
    let answer = api.ask(subject, body).await;
    answer.map_err(|failure| anyhow!("{subject}: {failure}"))
}

/// Waits for something, with a deadline.
pub async fn until<T>(mut look: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        if Instant::now() >= end {
            bail!("it did not happen in {} s", PATIENCE.as_secs());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Sets an object's fields; `null` takes one away.
pub fn merge(into: &mut Value, fields: Value) {
    if let (Some(into), Value::Object(fields)) = (into.as_object_mut(), fields) {
        into.extend(fields);
        into.retain(|_, value| !value.is_null());
    }
}
