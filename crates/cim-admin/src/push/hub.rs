//! The connection to a running hub's system account, and who its nodes are.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use async_nats::{Client, ConnectOptions, Event, Message, ServerError};
use cim_creds::{Claims, Operator, decode};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};
use zeroize::Zeroizing;

use super::answers::{ByNode, Statsz, Told, Varz, known};

/// Why there is nobody who keeps accounts.
pub(super) const NO_RESOLVER: &str = "no server there keeps accounts: accounts are pushed to servers in operator mode with `resolver: { type: full }`, over their system account";

/// How long after one node another has to answer.
const HELLO: Duration = Duration::from_secs(5);

/// How long the node that we are connected to may be silent: it says at once where we may not ask, or nobody is there.
const SILENCE: Duration = Duration::from_secs(20);

/// How often it is looked whether they refused.
const LOOK: Duration = Duration::from_millis(100);

/// When they are asked again.
pub(super) const AGAIN: Duration = Duration::from_millis(500);

/// Where the hub is and who we are to it. `Debug` shows no secret.
pub struct Login {
    /// URLs, such as `nats://hub-1.example.com:4222`; never with a password.
    pub servers: Vec<String>,
    /// The text of a `.creds` file of a user of the system account.
    pub creds: Zeroizing<String>,
    /// Certificates of the authorities to trust, PEM; absent: the system's.
    pub ca: Option<PathBuf>,
}

/// A connection as a user of the system account.
pub struct Hub {
    client: Client,
    refusals: Arc<Mutex<Vec<String>>>,
}

/// A running server of the hub.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its `server_name`.
    pub name: String,
    /// Its id, new at each start.
    pub id: String,
    /// The operators that it trusts.
    pub operators: Vec<Claims<Operator>>,
}

impl Hub {
    /// Logs in.
    ///
    /// # Errors
    /// A server that cannot be reached or lets us not in.
    pub async fn connect(login: &Login) -> Result<Self> {
        for server in &login.servers {
            ensure!(
                !server.contains('@'),
                "a server's URL holds no user or password, for every user of this machine can see it: use --creds FILE"
            );
        }
        let refusals = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&refusals);
        let listen = move |event| {
            let heard = Arc::clone(&heard);
            async move {
                if let (Event::ServerError(ServerError::Other(text)), Ok(mut heard)) =
                    (event, heard.lock())
                {
                    heard.push(text);
                }
            }
        };
        let mut options = ConnectOptions::with_credentials(&login.creds)
            .context("reading the credentials")?
            .name("cim-admin")
            .event_callback(listen);
        if let Some(file) = &login.ca {
            options = options.add_root_certificates(file.clone());
        }
        let doing = || format!("connecting to {}", login.servers.join(", "));
        let client = options.connect(login.servers.as_slice()).await;
        Ok(Self {
            client: client.with_context(doing)?,
            refusals,
        })
    }

    /// Of a connection that a test made.
    #[cfg(test)]
    pub(super) fn over(client: Client) -> Self {
        Self {
            client,
            refusals: Arc::default(),
        }
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Bytes that a message may have there.
    pub fn max_payload(&self) -> usize {
        self.client.server_info().max_payload
    }

    /// Fails with what the servers complained of, if they did.
    pub(super) fn refusal(&self) -> Result<()> {
        let heard = self.refusals.lock().ok();
        let said = heard.and_then(|heard| heard.first().cloned());
        said.map_or(Ok(()), |said| {
            bail!("the server refuses it: {said}: the credentials are of a user that may not do this; use the desk's (role service/desk of the system account)")
        })
    }

    /// The nodes that run, all of which answer, in the order of their names. `wanted` must be among them.
    ///
    /// # Errors
    /// Servers that do not answer, or are none that keep accounts.
    pub async fn nodes(&self, wanted: &[String]) -> Result<Vec<Node>> {
        let whole = |told: &ByNode<Statsz>| {
            told.len() >= known(told).max(1) && wanted.iter().all(|name| told.contains_key(name))
        };
        let pongs = self.gather("$SYS.REQ.SERVER.PING", whole).await?;
        ensure!(
            !pongs.is_empty(),
            "the server does not say who it is: the credentials are not of the system account; use the desk's, or --creds FILE"
        );
        let names: Vec<&str> = pongs.keys().map(String::as_str).collect();
        let names = names.join(", ");
        let missing = wanted.iter().filter(|name| !pongs.contains_key(*name));
        let missing: Vec<&str> = missing.map(String::as_str).collect();
        ensure!(
            missing.is_empty(),
            "{} does not answer, only {names}: start it, or leave --node {} out (it takes the accounts from the others when it comes back)",
            missing.join(", "),
            missing.join(" --node "),
        );
        ensure!(
            pongs.len() >= known(&pongs),
            "{} of {} servers answer: {names}: wait until the others are back, or until they are forgotten",
            pongs.len(),
            known(&pongs),
        );
        let all = |told: &ByNode<Varz>| pongs.keys().all(|name| told.contains_key(name));
        let mut abouts = self.gather("$SYS.REQ.SERVER.PING.VARZ", all).await?;
        let node = |name: String| {
            let about = abouts.remove(&name);
            let about =
                about.with_context(|| format!("{name} does not say which operator it trusts"))?;
            let operators = about.data.trusted_operators_jwt.iter();
            Ok(Node {
                name,
                id: about.server.id,
                operators: operators
                    .filter_map(|jwt| Some(decode::<Operator>(jwt).ok()?.claims))
                    .collect(),
            })
        };
        pongs.keys().cloned().map(node).collect()
    }

    /// The public keys of all accounts that any node keeps.
    ///
    /// # Errors
    /// A node without a full resolver, by name.
    pub async fn list(&self, nodes: &[Node]) -> Result<Vec<String>> {
        let all =
            |told: &ByNode<Vec<String>>| nodes.iter().all(|node| told.contains_key(&node.name));
        let lists = self.gather("$SYS.REQ.CLAIMS.LIST", all).await?;
        let without = nodes.iter().filter(|node| !lists.contains_key(&node.name));
        let without: Vec<&str> = without.map(|node| node.name.as_str()).collect();
        ensure!(
            without.is_empty(),
            "{} keeps no accounts: set `resolver: {{ type: full }}` there (services.cim.fleet.operator does)",
            without.join(", ")
        );
        let mut keys: Vec<String> = lists.into_values().flat_map(|list| list.data).collect();
        keys.sort();
        keys.dedup();
        Ok(keys)
    }

    /// Answers to one question until `enough`, or until no other node has answered for as long as one may take. It is asked
    /// again and again: one that comes back just now has not heard it, and it can be lost where routes have just been made.
    async fn gather<T: DeserializeOwned>(
        &self,
        subject: &'static str,
        enough: impl Fn(&ByNode<T>) -> bool,
    ) -> Result<ByNode<T>> {
        let inbox = self.client.new_inbox();
        let mut replies = self.client.subscribe(inbox.clone()).await?;
        let mut told = ByNode::new();
        let mut again = Instant::now();
        let mut until = again + SILENCE;
        while !enough(&told) && Instant::now() < until {
            if Instant::now() >= again {
                let asking = self
                    .client
                    .publish_with_reply(subject, inbox.clone(), "".into());
                asking.await?;
                again = Instant::now() + AGAIN;
            }
            let look = again.min(Instant::now() + LOOK);
            let Ok(next) = timeout_at(look, replies.next()).await else {
                self.refusal()?;
                continue;
            };
            let message = next.context("the connection to the hub was lost")?;
            if nobody(&message) {
                break;
            }
            let answer: Told<T> = serde_json::from_slice(&message.payload)
                .with_context(|| format!("reading the answer to {subject}"))?;
            if told.insert(answer.server.name.clone(), answer).is_none() {
                until = Instant::now() + HELLO;
            }
        }
        Ok(told)
    }
}

fn nobody(message: &Message) -> bool {
    message.status == Some(async_nats::StatusCode::NO_RESPONDERS)
}
