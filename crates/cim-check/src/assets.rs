//! Whether the real nats-server takes what accounts hold: everything is made once on a throwaway server.
//!
//! It is a server of its own beside the instance's copy: a node of a cluster alone has no JetStream, and an account of an
//! operator's lets nobody in. The server's limits and the accounts' are the instance's.

use std::path::Path;

use anyhow::{Context, Result, bail};
use cim_render::conf::{self, Document, Map, Node};
use cim_spec::Plan;
use cim_spec::asset::{Consumer, Stream};
use cim_spec::plan::{AccountAssets, Asset, Made};

use crate::api::Api;
use crate::{Copy, Identities, Server};

/// What a server on its own needs of the copy's config.
const KEPT: [&str; 7] = [
    "server_name",
    "listen",
    "http",
    "jetstream",
    "max_payload",
    "max_pending",
    "ports_file_dir",
];

/// Makes everything that the plan's accounts hold, each once.
///
/// # Errors
/// What nats-server says against an asset, with its option; all of them.
pub fn check(plan: &Plan, binary: &Path, dir: &Path) -> Result<()> {
    if plan.assets.is_empty() {
        return Ok(());
    }
    let dir = dir.join("assets");
    let copy = Copy::alone(plan, &dir)?;
    copy.write(plan, &Identities::new()?)?;
    let document = alone(&copy.document(plan)?, plan);
    let config = dir.join("assets.conf");
    crate::identities::put(&config, &conf::write(&document)?)?;
    let mut server =
        Server::start(binary, &config).context("starting a server to make streams on")?;
    server.healthy()?;
    let mut refused = Vec::new();
    for held in &plan.assets {
        let mut api = Api::connect(server.url(), &held.account)?;
        for asset in in_order(held) {
            if let Err(error) = make(&mut api, asset) {
                refused.push(format!("{}: nats-server refuses it: {error:#}", asset.at));
            }
        }
    }
    server.stop()?;
    match refused.as_slice() {
        [] => Ok(()),
        refused => bail!("{}", refused.join("\n")),
    }
}

/// The copy's config for a server on its own, with a user in each account that holds something.
fn alone(copy: &Document, plan: &Plan) -> Document {
    let mut root = Map::new();
    for (key, node) in copy.root.iter().filter(|(key, _)| KEPT.contains(key)) {
        root.put(key, without_secrets(node));
    }
    let theirs = match find(&copy.root, "accounts") {
        Some(Node::Map(accounts)) => Some(accounts),
        _ => None,
    };
    let mut accounts = Map::new();
    for held in &plan.assets {
        let found = theirs.and_then(|accounts| find(accounts, &held.account));
        let jetstream = match found {
            Some(Node::Map(account)) => find(account, "jetstream").cloned(),
            _ => None,
        };
        let mut user = Map::new();
        user.put("user", held.account.as_str());
        user.put("password", held.account.as_str());
        let mut account = Map::new();
        account.put("jetstream", jetstream.unwrap_or(Node::Bool(true)));
        account.put("users", vec![Node::Map(user)]);
        accounts.put(&held.account, account);
    }
    root.put("accounts", accounts);
    Document {
        include: None,
        root,
    }
}

/// Nothing is kept on this server, so nothing needs a key.
fn without_secrets(node: &Node) -> Node {
    let Node::Map(map) = node else {
        return node.clone();
    };
    let mut open = Map::new();
    let secret = ["key", "prev_key", "cipher"];
    for (key, node) in map.iter().filter(|(key, _)| !secret.contains(key)) {
        open.put(key, node.clone());
    }
    Node::Map(open)
}

fn find<'a>(map: &'a Map, key: &str) -> Option<&'a Node> {
    map.iter()
        .find(|(name, _)| *name == key)
        .map(|(_, node)| node)
}

/// Streams before those that copy them, and before their consumers.
fn in_order(held: &AccountAssets) -> Vec<&Asset> {
    let mut assets: Vec<&Asset> = held.assets.iter().collect();
    assets.sort_by_key(|asset| {
        (
            matches!(asset.made, Made::Consumer(..)),
            !asset.copies.is_empty(),
        )
    });
    assets
}

fn make(api: &mut Api, asset: &Asset) -> Result<()> {
    if let Made::Consumer(stream, consumer) = &asset.made {
        let name = consumer.durable_name.as_deref().unwrap_or_default();
        let consumer = Consumer {
            num_replicas: None,
            ..consumer.clone()
        };
        let body =
            serde_json::json!({ "stream_name": stream, "config": consumer, "action": "create" });
        return api.request(&format!("CONSUMER.CREATE.{stream}.{name}"), &body);
    }
    let stream = asset
        .stream()
        .context("an asset is a stream or a consumer")?;
    // What needs other servers, or a stream that is there.
    let stream = Stream {
        num_replicas: None,
        placement: None,
        sealed: None,
        ..stream
    };
    let body = serde_json::to_value(&stream)?;
    api.request(&format!("STREAM.CREATE.{}", asset.stream_name()), &body)
}
