//! What stands in a nats.conf: a plan becomes a tree of nats-server's own fields.

mod accounts;
mod fields;
mod leafnodes;
mod listeners;
mod operator;
mod secrets;
mod sharing;
mod tls;

use std::fmt;

use cim_spec::plan::{Address, Cluster, Compression, Jetstream, Plan, Sync};

use crate::conf::{Document, Duplicate, Map, Node};
use crate::places::{Listener, Places, host_port};

pub use secrets::secrets;

/// The tree for `plan`, with everything where `places` says.
///
/// # Errors
/// A key of `settings` that the renderer writes too: a gap in the table of owned keys.
pub fn document(plan: &Plan, places: &dyn Places) -> Result<Document, Duplicate> {
    let mut root = Map::new();
    root.put("server_name", plan.server_name.as_str());
    client(plan, places, &mut root)?;
    limits(plan, &mut root);
    logging(plan, &mut root);
    root.put("lame_duck_duration", text(plan.lame_duck.duration));
    root.put("lame_duck_grace_period", text(plan.lame_duck.grace_period));
    if let Some(jetstream) = &plan.jetstream {
        root.put("jetstream", self::jetstream(jetstream, places));
    }
    match &plan.operator {
        Some(operator) => operator::put(operator, places, &mut root),
        None => static_accounts(plan, places, &mut root)?,
    }
    if let Some(cluster) = &plan.cluster {
        root.put("cluster", self::cluster(cluster, places)?);
    }
    if let Some(listener) = &plan.leafnodes {
        root.put("leafnodes", leafnodes::listener(listener, places)?);
    }
    if let Some(link) = &plan.link {
        root.put("leafnodes", leafnodes::link(link, places)?);
    }
    if let Some(listener) = &plan.websocket {
        root.put(
            "websocket",
            listeners::side(listener, Listener::Websocket, places)?,
        );
    }
    if let Some(listener) = &plan.mqtt {
        root.put("mqtt", listeners::side(listener, Listener::Mqtt, places)?);
    }
    if let Some(gateway) = &plan.gateway {
        root.put("gateway", listeners::gateway(gateway, places)?);
    }
    fields::put(&mut root, &plan.fields, places)?;
    for (key, value) in &plan.settings {
        let mut entry = Map::new();
        entry.put(key, value);
        root.merge(entry)?;
    }
    Ok(Document {
        include: (!secrets(plan).is_empty()).then(|| places.secrets_include(plan)),
        root,
    })
}

/// Accounts and users as they stand in nats.conf without an operator.
fn static_accounts(plan: &Plan, places: &dyn Places, root: &mut Map) -> Result<(), Duplicate> {
    root.put("accounts", accounts::accounts(plan, places)?);
    if let Some(callout) = &plan.callout {
        let mut block = Map::new();
        block.put("auth_callout", accounts::callout(callout, places));
        root.put("authorization", block);
    }
    if let Some(account) = &plan.system_account {
        root.put("system_account", account.as_str());
    }
    Ok(())
}

fn client(plan: &Plan, places: &dyn Places, root: &mut Map) -> Result<(), Duplicate> {
    let client = &plan.client;
    let bind = |host: &str, port| Address {
        host: host.to_owned(),
        port,
    };
    root.put(
        "listen",
        listen(places, Listener::Client, bind(&client.host, client.port)),
    );
    if let Some(address) = &client.advertise {
        root.put(
            "client_advertise",
            host_port(&places.dial(Listener::Client, address)),
        );
    }
    if let Some(files) = &client.tls {
        root.put("tls", tls::server(files, places)?);
    }
    root.put(
        "http",
        listen(places, Listener::Monitor, bind("127.0.0.1", plan.http_port)),
    );
    if let Some(dir) = places.ports_file_dir() {
        root.put("ports_file_dir", dir);
    }
    Ok(())
}

fn listen(places: &dyn Places, listener: Listener, bind: Address) -> String {
    let address = places.listen(listener, bind);
    // Port 0 stands for "any": nats-server spells it -1.
    if address.port == 0 {
        return format!("{}:-1", address.host);
    }
    host_port(&address)
}

fn limits(plan: &Plan, root: &mut Map) {
    let limits = &plan.limits;
    root.put("max_connections", limits.max_connections);
    if let Some(count) = limits.max_subscriptions {
        root.put("max_subscriptions", count);
    }
    root.put("max_payload", limits.max_payload);
    root.put("max_pending", limits.max_pending);
    root.put("max_control_line", limits.max_control_line);
    root.put("write_deadline", text(limits.write_deadline));
    root.put("ping_interval", text(limits.ping_interval));
    root.put("ping_max", limits.ping_max);
}

fn logging(plan: &Plan, root: &mut Map) {
    let logging = &plan.logging;
    root.put("debug", logging.debug);
    root.put("trace", logging.trace);
    root.put("logtime", logging.logtime);
    root.put("connect_error_reports", logging.connect_error_reports);
    root.put("reconnect_error_reports", logging.reconnect_error_reports);
}

fn jetstream(jetstream: &Jetstream, places: &dyn Places) -> Map {
    let mut block = Map::new();
    block.put("store_dir", places.path(&jetstream.store_dir));
    block.put("domain", jetstream.domain.as_str());
    block.put("max_memory_store", jetstream.max_memory_store);
    block.put("max_file_store", jetstream.max_file_store);
    match jetstream.sync_interval {
        Sync::Always => block.put("sync_interval", "always"),
        Sync::Every(interval) => block.put("sync_interval", text(interval)),
    };
    if let Some(encryption) = &jetstream.encryption {
        let variable = |name: &str| Node::Variable(name.to_owned());
        block.put("cipher", encryption.cipher.as_str());
        block.put("key", variable(secrets::JETSTREAM_KEY));
        if encryption.prev_key.is_some() {
            block.put("prev_key", variable(secrets::JETSTREAM_PREV_KEY));
        }
    }
    block
}

fn cluster(cluster: &Cluster, places: &dyn Places) -> Result<Map, Duplicate> {
    let mut block = Map::new();
    let bind = Address {
        host: cluster.host.clone(),
        port: cluster.port,
    };
    block.put("name", cluster.name.as_str());
    block.put("listen", listen(places, Listener::Cluster, bind));
    block.put(
        "advertise",
        host_port(&places.dial(Listener::Cluster, &cluster.advertise)),
    );
    let routes: Vec<String> = cluster
        .routes
        .iter()
        .map(|route| places.dial(Listener::Cluster, route))
        .map(|route| format!("nats-route://{}", host_port(&route)))
        .collect();
    block.put("routes", routes);
    if !cluster.advertises {
        block.put("no_advertise", true);
    }
    if let Some(compression) = &cluster.compression {
        block.put("compression", self::compression(compression));
    }
    if let Some(files) = &cluster.tls {
        block.put("tls", tls::peer(files, places)?);
    }
    fields::put(&mut block, &cluster.fields, places)?;
    Ok(block)
}

fn compression(compression: &Compression) -> Node {
    if compression.rtt_thresholds.is_empty() {
        return Node::Str(compression.mode.clone());
    }
    let mut block = Map::new();
    block.put("mode", compression.mode.as_str());
    let thresholds = compression.rtt_thresholds.iter().map(text);
    block.put("rtt_thresholds", thresholds.collect::<Vec<_>>());
    Node::Map(block)
}

fn text(value: impl fmt::Display) -> Node {
    Node::Str(value.to_string())
}
