//! Standing connections of an account, and closing them: what nats-server does not do itself.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Result;
use serde::Deserialize;
use serde_json::json;

use super::exchange::{Asked, Pace, exchange};
use super::hub::{Hub, Node};

/// A connection that stands.
#[derive(Debug, Clone)]
pub struct Standing {
    /// The node's id.
    pub node: String,
    /// Its number there.
    pub cid: u64,
    /// A client's public key, or a leaf's server name.
    pub name: String,
    /// Whether a leaf node is at the other end.
    pub leaf: bool,
    /// The signing key of its JWT; absent: nats-server does not say it of leaf links.
    pub issuer: Option<String>,
}

#[derive(Deserialize)]
struct Answer {
    server: super::Server,
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    #[serde(default)]
    connections: Vec<Client>,
    #[serde(default)]
    leafs: Vec<Leaf>,
}

#[derive(Deserialize)]
struct Client {
    cid: u64,
    #[serde(default)]
    authorized_user: String,
    #[serde(default)]
    issuer_key: String,
}

#[derive(Deserialize)]
struct Leaf {
    id: u64,
    name: String,
}

/// The clients and leaf links of accounts, on all nodes.
///
/// # Errors
/// A connection that is lost.
pub async fn standing(hub: &Hub, nodes: &[Node], accounts: &[&str]) -> Result<Vec<Standing>> {
    let asked = accounts.iter().flat_map(|account| {
        // 1024 would be the default.
        let clients = json!({ "auth": true, "limit": 1 << 20 }).to_string();
        [("CONNZ", clients), ("LEAFZ", String::new())].map(|(what, payload)| Asked {
            subject: format!("$SYS.REQ.ACCOUNT.{account}.{what}"),
            payload: payload.into(),
        })
    });
    let mut all = Vec::new();
    let mut said = BTreeSet::new();
    let pace = Pace {
        patience: Duration::from_secs(3),
        ..Pace::default()
    };
    exchange(hub, asked, nodes.len(), pace, |to, message| {
        let answer: Answer = serde_json::from_slice(&message.payload)?;
        let node = answer.server.id;
        let Some(data) = answer.data else {
            return Ok(());
        };
        // Who was asked again says the same again.
        if !said.insert((to.at, node.clone())) {
            return Ok(());
        }
        all.extend(data.connections.into_iter().map(|client| Standing {
            node: node.clone(),
            cid: client.cid,
            name: client.authorized_user,
            leaf: false,
            issuer: Some(client.issuer_key).filter(|key| !key.is_empty()),
        }));
        all.extend(data.leafs.into_iter().map(|leaf| Standing {
            node: node.clone(),
            cid: leaf.id,
            name: leaf.name,
            leaf: true,
            issuer: None,
        }));
        Ok(())
    })
    .await?;
    Ok(all)
}
