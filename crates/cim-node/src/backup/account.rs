//! The account on the server: what it has, asked page by page.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Result;
use async_nats::Client;
use async_nats::connection::State;
use serde_json::{Value, json};

use super::contents::Contents;
use super::manifest;
use super::problem::{Level, Problem};
use crate::provision::api::{Api, Failure};
use crate::provision::connect::{self, Login};

/// An account's JetStream, and the connection to it.
#[derive(Debug, Clone)]
pub struct Account {
    /// The connection.
    pub client: Client,
    /// JetStream's API.
    pub api: Api,
    /// The domain that was asked for.
    pub domain: Option<String>,
}

impl Account {
    /// Connects.
    ///
    /// # Errors
    /// A server that cannot be reached, or files that cannot be read.
    pub async fn connect(login: &Login, domain: Option<&str>, patience: Duration) -> Result<Self> {
        let client = connect::connect(login, patience).await?;
        Ok(Self {
            api: Api::new(client.clone(), domain, patience),
            client,
            domain: domain.map(str::to_owned),
        })
    }

    /// Names of all streams; KV and object stores are streams too.
    ///
    /// # Errors
    /// A server that does not tell.
    pub async fn streams(&self) -> Result<Vec<String>, Problem> {
        let names = self.api.names("STREAM.NAMES", "streams").await;
        names.map_err(|failure| unasked("streams", &failure))
    }

    /// A stream's configuration, state and so on; `None`: it is not there.
    ///
    /// # Errors
    /// A server that does not tell.
    pub async fn stream(&self, name: &str) -> Result<Option<Value>, Problem> {
        let info = self
            .api
            .find(&format!("STREAM.INFO.{name}"), &Value::Null)
            .await;
        info.map_err(|failure| unasked(&place(name), &failure))
    }

    /// What a stream holds and where its consumers are.
    ///
    /// # Errors
    /// A server that does not tell.
    pub async fn told(&self, name: &str) -> Result<Contents, Problem> {
        let consumers = self.consumers(name).await?;
        let info = self.stream(name).await?.unwrap_or_default();
        let state = info.get("state").cloned().unwrap_or_default();
        Ok(Contents::told(&state, &consumers))
    }

    /// The configuration of each stream, by name. In a cluster one that does not answer just now is left out.
    ///
    /// # Errors
    /// A server that does not tell.
    pub async fn configs(&self) -> Result<BTreeMap<String, Value>, Problem> {
        let infos = self.pages("STREAM.LIST", "streams").await;
        let infos = infos.map_err(|failure| unasked("streams", &failure))?;
        let configs = infos.into_iter().filter_map(|mut info| {
            let config = info.get_mut("config")?.take();
            Some((config.get("name")?.as_str()?.to_owned(), config))
        });
        Ok(configs.collect())
    }

    /// All consumers of a stream.
    async fn consumers(&self, name: &str) -> Result<Vec<Value>, Problem> {
        let infos = self
            .pages(&format!("CONSUMER.LIST.{name}"), "consumers")
            .await;
        infos.map_err(|failure| unasked(&place(name), &failure))
    }

    /// The server gives 256 at a time.
    async fn pages(&self, subject: &str, list: &str) -> Result<Vec<Value>, Failure> {
        let (mut all, mut from) = (Vec::new(), 0);
        loop {
            let answer = self.api.ask(subject, &json!({ "offset": from })).await?;
            let number = |name| answer.get(name).and_then(Value::as_u64).unwrap_or_default();
            let page = answer.get(list).and_then(Value::as_array);
            all.extend(page.cloned().unwrap_or_default());
            // In a cluster a page may lack some that did not answer: what it covers counts, not what it has.
            from += number("limit").max(1);
            if from >= number("total") {
                return Ok(all);
            }
        }
    }

    /// How often the connection was made.
    pub fn connects(&self) -> u64 {
        self.client.statistics().connects.load(Ordering::Relaxed)
    }

    /// Whether it was lost since it had been made so often: what was under way does not go on.
    pub fn was_lost(&self, connects: u64) -> bool {
        self.client.connection_state() != State::Connected || self.connects() != connects
    }

    /// The server that we are connected to.
    pub fn server(&self) -> manifest::Server {
        let info = self.client.server_info();
        manifest::Server {
            name: info.server_name,
            version: info.version,
        }
    }

    /// The account's name; `None`: our user may not ask.
    pub async fn name(&self) -> Option<String> {
        let request = async_nats::Request::new().timeout(Some(Duration::from_secs(1)));
        let asked = self
            .client
            .send_request("$SYS.REQ.USER.INFO", request)
            .await;
        let answer: Value = serde_json::from_slice(&asked.ok()?.payload).ok()?;
        let name = answer.pointer("/data/account")?.as_str()?;
        Some(name.to_owned())
    }

    /// The largest chunk that may be sent and received: nats-server's own choice, or less where messages are smaller.
    pub fn chunk(&self) -> usize {
        const USUAL: usize = 128 * 1024;
        USUAL.min(self.client.server_info().max_payload).max(1024)
    }
}

/// How a stream is called in messages.
pub fn place(stream: &str) -> String {
    format!("streams/{stream}")
}

fn unasked(place: &str, failure: &Failure) -> Problem {
    let problem = Problem::new(
        place,
        failure.to_string(),
        "give a user of this account the rights that docs/backup.md lists, or wait until its JetStream answers",
    );
    match failure {
        Failure::Silent(_) => problem.level(Level::Unknown),
        Failure::Refused(_) | Failure::Otherwise(_) => problem,
    }
}
