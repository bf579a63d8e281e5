//! Hubs' nodes and leaves of one fleet as they are deployed: in operator mode, with the streams that cim-provision makes of
//! what was rendered, and a wire before each node.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use async_nats::Client;
use cim_testkit::{
    Cut, Fleet, Identity, Ports, Wire, golden, in_operator_mode, nats_server, plan, until,
    until_within,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::deployed;
use crate::partition::held::{bodies, body, compare};

/// What is published before the link is cut, and while it is.
pub const BEFORE: Range<u64> = 0..100;
pub const MEANWHILE: Range<u64> = 100..200;

/// Hubs' nodes and leaves of one fleet, a wire before each node; the folder goes after the servers.
pub struct Site {
    pub fleet: Fleet,
    identity: Identity,
    specs: Vec<Value>,
    wires: Vec<Wire>,
    pub dir: TempDir,
}

/// A leaf, and what crosses its link.
pub struct Plant {
    pub name: &'static str,
    pub exports: Value,
    pub imports: Value,
}

/// A durable flow.
pub fn durable(subject: &str, prefix: Option<&str>) -> Value {
    let durable = json!({
        "longestPartition": "1h", "rate": "4KiB", "name": null, "stream": null, "hub": null,
        "maxAge": null, "maxBytes": null,
    });
    json!({"subject": subject, "prefix": prefix, "to": null, "canary": null, "durable": durable})
}

/// The example's fleet with other nodes and leaves.
pub fn specs(nodes: &[&str], plants: &[Plant]) -> Result<Vec<Value>> {
    let (mut hub, leaf) = (golden("durable-hub")?, golden("durable-plant-7")?);
    let whole = &mut hub["hub"]["fleet"];
    let node = whole["hubs"]["hub"]["nodes"]["hub"].clone();
    let all = nodes.iter().map(|name| {
        let mut node = node.clone();
        node["address"] = json!(format!("{name}.cim.example.com"));
        ((*name).to_owned(), node)
    });
    whole["hubs"]["hub"]["nodes"] = all.collect();
    let member = whole["leaves"]["plant-7"].clone();
    let leaves = plants.iter().map(|plant| {
        let mut member = member.clone();
        member["domain"] = json!(plant.name);
        member["exports"] = plant.exports.clone();
        member["imports"] = plant.imports.clone();
        (plant.name.to_owned(), member)
    });
    whole["leaves"] = leaves.collect();
    let mut specs = Vec::new();
    for plant in plants {
        let text = leaf.to_string().replace("plant-7", plant.name);
        let mut leaf: Value = serde_json::from_str(&text)?;
        leaf["leaf"]["fleet"]["hubs"] = hub["hub"]["fleet"]["hubs"].clone();
        leaf["leaf"]["fleet"]["leaf"] = hub["hub"]["fleet"]["leaves"][plant.name].clone();
        specs.push(leaf);
    }
    for name in nodes {
        let mut hub = hub.clone();
        hub["hub"]["node"] = json!(name);
        // Nodes hold each other's certificates against it.
        hub["hub"]["hub"]["cluster"]["tls"]["caFile"] = json!("/etc/ssl/certs/cim-ca.pem");
        specs.push(hub);
    }
    Ok(specs)
}

impl Site {
    /// Everything runs, is linked and holds what is declared.
    pub async fn start(mut specs: Vec<Value>) -> Result<Self> {
        let identity = in_operator_mode(&mut specs)?;
        let plans = specs.iter().map(plan).collect::<Result<Vec<_>>>()?;
        let is_leaf = |plan: &&cim_spec::Plan| plan.link.is_some();
        let (leaves, nodes): (Vec<_>, Vec<_>) = plans.iter().partition(is_leaf);
        let names = |plans: Vec<&cim_spec::Plan>| -> Vec<String> {
            plans
                .into_iter()
                .map(|plan| plan.server_name.clone())
                .collect()
        };
        let (leaves, nodes) = (names(leaves), names(nodes));
        let dir = tempfile::tempdir().context("creating a folder")?;
        let mut fleet = Fleet::prepare(plans, dir.path(), &nats_server()?, Ports::Free)?;
        identity.hand_out(&fleet)?;
        let wires = nodes.iter().map(|node| fleet.wire(node));
        let wires = wires.collect::<Result<_>>()?;
        // Hubs first, as hosts are deployed: a leaf of a cluster finds a stream that is not there half a minute later.
        for server in nodes.iter().chain(&leaves) {
            fleet.start(server)?;
        }
        for leaf in &leaves {
            linked(&fleet, leaf).await?;
        }
        for server in nodes.iter().chain(&leaves) {
            deployed::provision(&fleet, dir.path(), server)?;
        }
        // A second run has nothing to do.
        for server in fleet.names() {
            deployed::is_declared(&fleet, dir.path(), &server).await?;
        }
        Ok(Self {
            fleet,
            identity,
            specs,
            wires,
            dir,
        })
    }

    pub fn cut(&self) {
        self.wires.iter().for_each(|wire| wire.cut(Cut::Reset));
    }

    pub fn mend(&self) {
        self.wires.iter().for_each(Wire::mend);
    }

    /// Gives plant-7 another flow, and pushes the JWT that says so.
    pub async fn push(&mut self, export: &Value) -> Result<()> {
        let mut count = 0;
        for spec in &mut self.specs {
            let exports = spec.pointer_mut("/hub/fleet/leaves/plant-7/exports");
            if let Some(exports) = exports.and_then(Value::as_array_mut) {
                exports.push(export.clone());
                count = exports.len();
            }
        }
        // Each is newer than the one before.
        self.identity
            .follow(&mut self.specs, i64::try_from(count)?)?;
        self.identity.push(&self.fleet, "hub", "CIM").await
    }

    /// A user of the hub, at one of its nodes.
    pub async fn hub(&self, node: &str) -> Result<Client> {
        let place = "users/CIM/alchemist.jwt";
        self.identity.login(&self.fleet, node, place).await
    }

    /// A user of a leaf.
    pub async fn leaf(&self, name: &str) -> Result<Client> {
        self.fleet.client(name, "orders").await
    }
}

/// Waits until all links of a leaf stand.
async fn linked(fleet: &Fleet, leaf: &str) -> Result<()> {
    let link = fleet.member(leaf)?.plan().link.as_ref();
    let remotes = link.map_or(0, |link| link.remotes.len());
    until(&format!("{leaf} is linked"), async || {
        let links = fleet.links(leaf)?.len();
        ensure!(links == remotes, "{links} of {remotes} links stand");
        Ok(())
    })
    .await
}

/// Publishes numbered messages under a name; each is acknowledged by a stream of the same end.
pub async fn publish(client: &Client, subject: &str, numbers: Range<u64>) -> Result<()> {
    let jetstream = async_nats::jetstream::new(client.clone());
    let mut answers = Vec::new();
    for number in numbers {
        let body = body(subject, number).into();
        answers.push(jetstream.publish(subject.to_owned(), body).await?);
    }
    for answer in answers {
        answer
            .await
            .map_err(|error| anyhow!("{subject}: {error}"))?;
    }
    Ok(())
}

/// How long a copy may stand still after a cut or a death until nats-server asks for it anew (docs/partition.md).
const COPIED: Duration = Duration::from_secs(90);

/// A stream has what was acknowledged, each once and in order, and nothing else.
pub async fn has(client: &Client, stream: &str, of: &[(&str, u64)]) -> Result<()> {
    let wanted = of.iter().map(|(name, count)| ((*name).to_owned(), *count));
    let wanted: BTreeMap<_, _> = wanted.collect();
    let count: u64 = wanted.values().sum();
    until_within(COPIED, &format!("{stream} has {of:?}"), async || {
        let info = client
            .request(format!("$JS.API.STREAM.INFO.{stream}"), "".into())
            .await?;
        let info: Value = serde_json::from_slice(&info.payload)?;
        let there = &info["state"]["messages"];
        // Only then is it read: each reading takes a consumer, of which an account may have a limited number.
        ensure!(*there == count, "{there} messages of {count}");
        compare(&wanted, &bodies(client, stream).await?)
    })
    .await
}
