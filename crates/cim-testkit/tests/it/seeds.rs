//! What each seed promises, on the servers of its example in `hosts/examples`.

mod broker;
mod bundle;
mod callout;
mod core;
mod devices;
mod guide;
mod jwt;
mod mapping;
mod multi_hub;
mod operator;
mod own_operator;
mod tuning;

use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use async_nats::{Client, ConnectOptions, jetstream};
use cim_testkit::{Fleet, PASSWORD, PASSWORD_HASH, Ports, golden, nats_server, plan, until};
use serde_json::Value;
use tempfile::TempDir;

/// Nobody knows the password of this one.
const COMMITTED_HASH: &str = "$2a$11$PWIFAL8RsWyGI3jVZtO9Nu8.6jOxzxfZo7c/W0eLk017hjgUKWrhy";

/// Public half of the key that signs a callout's answers in the examples.
const COMMITTED_ISSUER: &str = "ABXN7JFHHV7CU4PGD65YBKXW4V4KTR56O6JYFRWX7SM6BBSABSBQ6LH2";

/// The servers of an example. The folder goes after them.
struct Example {
    fleet: Fleet,
    dir: TempDir,
}

/// Prepares servers of an example; none runs yet.
fn example(name: &str, servers: &[&str]) -> Result<Example> {
    example_with(name, servers, &[])
}

/// The same, with texts of the options replaced.
fn example_with(name: &str, servers: &[&str], texts: &[(&str, &str)]) -> Result<Example> {
    let plans = servers.iter().map(|server| {
        let mut spec = golden(&format!("{name}-{server}"))?;
        replace(&mut spec, COMMITTED_HASH, PASSWORD_HASH);
        for (from, to) in texts {
            replace(&mut spec, from, to);
        }
        plan(&spec)
    });
    let plans = plans.collect::<Result<Vec<_>>>()?;
    let dir = tempfile::tempdir().context("creating a folder")?;
    Ok(Example {
        fleet: Fleet::prepare(plans, dir.path(), &nats_server()?, Ports::Free)?,
        dir,
    })
}

/// The same as [`example`], all running.
fn running(name: &str, servers: &[&str]) -> Result<Example> {
    let mut example = example(name, servers)?;
    example.fleet.start_all()?;
    Ok(example)
}

fn replace(value: &mut Value, from: &str, to: &str) {
    match value {
        Value::String(text) if text == from => to.clone_into(text),
        Value::Array(list) => list.iter_mut().for_each(|value| replace(value, from, to)),
        Value::Object(map) => map.values_mut().for_each(|value| replace(value, from, to)),
        _ => {}
    }
}

impl Example {
    /// A certificate of the fleet's authority and its key.
    fn certificate(&self, common_name: &str) -> Result<(PathBuf, PathBuf)> {
        let dir = self.dir.path().join(format!("client-{common_name}"));
        self.fleet.identify(&dir, common_name)?;
        Ok((dir.join("cert.pem"), dir.join("key.pem")))
    }

    /// Connects with nothing but a certificate.
    async fn device(&self, server: &str, common_name: &str) -> Result<Client> {
        let (certificate, key) = self.certificate(common_name)?;
        let options = ConnectOptions::new()
            .name(common_name)
            .custom_inbox_prefix("_INBOX.device.0001")
            .add_client_certificate(certificate, key);
        self.fleet.connect(server, options).await
    }
}

/// Whether a server lets somebody in. A client that is asked about may take itself for connected before the answer,
/// so what counts is the server's word.
async fn let_in(fleet: &Fleet, server: &str, name: &str, options: ConnectOptions) -> Result<bool> {
    let Ok(client) = fleet.connect(server, options.name(name)).await else {
        return Ok(false);
    };
    until(&format!("{server} has decided about {name}"), async || {
        let listed = |state: &str| -> Result<bool> {
            let path = format!("/connz?auth=true&state={state}");
            let connz: Value = fleet.server(server)?.get(&path)?;
            let connections = connz["connections"].as_array().into_iter().flatten();
            let mut ours = connections.filter(|connection| connection["name"] == name);
            Ok(ours.any(|connection| state == "closed" || connection["account"].is_string()))
        };
        match (listed("open")?, listed("closed")?) {
            (true, _) => Ok(true),
            (false, true) => Ok(false),
            (false, false) => bail!("neither open nor closed: {:?}", client.connection_state()),
        }
    })
    .await
}

/// Connects with a password.
async fn with_password(fleet: &Fleet, server: &str, user: &str, password: &str) -> Result<Client> {
    let options = ConnectOptions::with_user_and_password(user.to_owned(), password.to_owned());
    fleet.connect(server, options).await
}

/// A number that a monitoring endpoint gives.
fn number(fleet: &Fleet, server: &str, path: &str, pointer: &str) -> Result<u64> {
    let answer: Value = fleet.server(server)?.get(path)?;
    let number = answer.pointer(pointer).and_then(Value::as_u64);
    number.with_context(|| format!("{path} of {server} has no number {pointer}: {answer}"))
}

/// Makes a stream, as soon as JetStream has found its leader.
async fn stream(client: &Client, config: jetstream::stream::Config) -> Result<()> {
    let jetstream = jetstream::new(client.clone());
    until(&format!("stream {} is there", config.name), async || {
        let stream = jetstream.get_or_create_stream(config.clone()).await?;
        let info = stream.cached_info().clone();
        let current = info.cluster.iter().flat_map(|cluster| &cluster.replicas);
        let current = current.filter(|replica| replica.current).count();
        ensure!(current + 1 == config.num_replicas.max(1), "{info:?}");
        Ok(())
    })
    .await
}

/// Publishes until a stream has acknowledged it; gives the stream's domain.
async fn stored(client: &Client, subject: &'static str) -> Result<String> {
    let jetstream = jetstream::new(client.clone());
    until(&format!("{subject} is stored"), async || {
        Ok(jetstream.publish(subject, "x".into()).await?.await?.domain)
    })
    .await
}
