//! JetStream's API as it is: JSON to `$JS.API.…`, asked again while the server cannot answer yet.
//!
//! The typed client would drop fields that it does not know, so it is not used here.

use std::fmt;
use std::time::Duration;

use async_nats::{Client, Request, RequestErrorKind};
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_json::{Value, json};
use tokio::time::Instant;

/// How long one answer may take. In a cluster the leader gives up after 4 s.
const ANSWER: Duration = Duration::from_secs(6);

/// The pause before the second try; each further one doubles it.
const PAUSE: Duration = Duration::from_millis(50);

/// The longest pause.
const LONGEST: Duration = Duration::from_secs(2);

/// An account's JetStream.
#[derive(Debug, Clone)]
pub struct Api {
    client: Client,
    prefix: String,
    patience: Duration,
}

/// The server's own words against a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP-like status.
    pub status: u64,
    /// nats-server's error number (`err_code`).
    pub code: u64,
    /// Its words.
    pub words: String,
}

/// Why there is no answer that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The server said no.
    Refused(Refusal),
    /// Nobody answered, or nobody who could, for as long as we waited.
    Silent(String),
    /// The server did something else than it was asked for.
    Otherwise(String),
}

impl Refusal {
    /// What an answer says instead of what was asked for.
    fn of(answer: &[u8]) -> Option<Self> {
        // Hardly any does, and a plan reads thousands: what cannot be one is not read twice.
        let may_be = str::from_utf8(answer).is_ok_and(|text| text.contains("\"error\""));
        if !may_be {
            return None;
        }
        let answer: Value = serde_json::from_slice(answer).ok()?;
        let error = answer.get("error")?;
        let number = |name| error.get(name).and_then(Value::as_u64).unwrap_or_default();
        let words = error.get("description").and_then(Value::as_str);
        Some(Self {
            status: number("code"),
            code: number("err_code"),
            words: words.unwrap_or("no reason").to_owned(),
        })
    }

    /// No such stream or consumer.
    pub fn is_absent(&self) -> bool {
        matches!(self.code, 10059 | 10014)
    }

    /// The cluster has no leader, the server is starting, or the stream is moving: it may answer later.
    fn is_for_now(&self) -> bool {
        matches!(
            self.code,
            10004 | 10007 | 10008 | 10009 | 10041 | 10124 | 10226
        ) || matches!(self.status, 408 | 429)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nats-server says: {} (error {})", self.words, self.code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Refused(refusal) => refusal.fmt(f),
            Failure::Silent(why) | Failure::Otherwise(why) => f.write_str(why),
        }
    }
}

impl Api {
    /// The JetStream of the client's account; of a domain, where one is named.
    pub fn new(client: Client, domain: Option<&str>, patience: Duration) -> Self {
        Self {
            client,
            prefix: match domain {
                Some(domain) => format!("$JS.{domain}.API"),
                None => "$JS.API".to_owned(),
            },
            patience,
        }
    }

    /// The server that the client is connected to.
    pub fn server(&self) -> String {
        self.client.server_info().version
    }

    /// Whether the client is connected to a node of a cluster.
    pub fn is_clustered(&self) -> bool {
        self.client.server_info().cluster.is_some()
    }

    /// How long it is asked again.
    pub fn patience(&self) -> Duration {
        self.patience
    }

    /// Asks until there is an answer: for what changes nothing.
    ///
    /// # Errors
    /// The server's refusal, or what stood in the way when the time was over.
    pub async fn ask(&self, subject: &str, body: &Value) -> Result<Value, Failure> {
        self.ask_for(subject, body).await
    }

    async fn ask_for<T: DeserializeOwned>(
        &self,
        subject: &str,
        body: &Value,
    ) -> Result<T, Failure> {
        let mut pauses = Pauses::new(self.patience);
        loop {
            match self.once_for(subject, body).await {
                Err(Failure::Silent(_)) if pauses.next().await => {}
                answer => return answer,
            }
        }
    }

    /// Asks once. What the server cannot answer yet counts as silence: it may have acted or not.
    ///
    /// # Errors
    /// The server's refusal, or silence.
    pub async fn once(&self, subject: &str, body: &Value) -> Result<Value, Failure> {
        self.once_for(subject, body).await
    }

    async fn once_for<T: DeserializeOwned>(
        &self,
        subject: &str,
        body: &Value,
    ) -> Result<T, Failure> {
        // Some questions take no body at all.
        let payload = match body {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        let request = Request::new().payload(payload.into()).timeout(Some(ANSWER));
        let subject = format!("{}.{subject}", self.prefix);
        let answer = self.client.send_request(subject.clone(), request).await;
        let answer = answer.map_err(|error| {
            Failure::Silent(match error.kind() {
                RequestErrorKind::NoResponders => {
                    format!("nobody answers {subject}: no JetStream there, or no right to ask")
                }
                RequestErrorKind::TimedOut => {
                    format!(
                        "no answer on {subject} in {} s: the server is busy, or this user may not ask",
                        ANSWER.as_secs()
                    )
                }
                _ => format!("asking {subject}: {error}"),
            })
        })?;
        match Refusal::of(&answer.payload) {
            Some(refusal) if refusal.is_for_now() => {
                return Err(Failure::Silent(refusal.to_string()));
            }
            Some(refusal) => return Err(Failure::Refused(refusal)),
            None => {}
        }
        serde_json::from_slice(&answer.payload).map_err(|error| match error.classify() {
            Category::Data => Failure::Otherwise(format!(
                "the answer of {subject} is another than expected: {error}"
            )),
            _ => Failure::Silent(format!("the answer of {subject} is no JSON: {error}")),
        })
    }

    /// Sends a request and waits for whatever comes, for as long as `time`: a pull keeps its consumer alive.
    pub async fn wait(&self, subject: &str, time: Duration) {
        let body =
            json!({ "expires": u64::try_from(time.as_nanos()).unwrap_or_default(), "batch": 1 });
        let longer = time + Duration::from_secs(1);
        let request = Request::new()
            .payload(body.to_string().into())
            .timeout(Some(longer));
        let subject = format!("{}.{subject}", self.prefix);
        if self.client.send_request(subject, request).await.is_err() {
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Publishes into a stream, and waits until it is stored.
    ///
    /// # Errors
    /// The stream's refusal, or silence.
    pub async fn store(&self, subject: &str) -> Result<(), Failure> {
        let request = Request::new().timeout(Some(ANSWER));
        let answer = self.client.send_request(subject.to_owned(), request).await;
        let answer =
            answer.map_err(|error| Failure::Silent(format!("publishing to {subject}: {error}")))?;
        let answer: Value = serde_json::from_slice(&answer.payload)
            .map_err(|error| Failure::Silent(format!("the answer of {subject}: {error}")))?;
        match answer.get("error") {
            None => Ok(()),
            Some(error) => Err(Failure::Otherwise(format!(
                "publishing to {subject}: {error}"
            ))),
        }
    }

    /// Publishes what a stream is too small for, until the stream has refused it.
    ///
    /// # Errors
    /// It was stored, or nobody said anything for as long as we wait.
    pub async fn refused(&self, subject: &str) -> Result<(), Failure> {
        let mut pauses = Pauses::new(self.patience);
        loop {
            let request = Request::new()
                .payload("for nobody".into())
                .timeout(Some(ANSWER));
            let answer = self.client.send_request(subject.to_owned(), request).await;
            let why = match answer {
                Ok(answer) => match serde_json::from_slice::<Value>(&answer.payload) {
                    Ok(answer) if answer["error"].is_object() => return Ok(()),
                    _ => return Err(Failure::Otherwise(format!("{subject} took a message"))),
                },
                // In a cluster a node may not have heard yet that there is somebody.
                Err(error) => format!("publishing to {subject}: {error}"),
            };
            if !pauses.next().await {
                return Err(Failure::Silent(why));
            }
        }
    }

    /// Asks for something that may not be there.
    ///
    /// # Errors
    /// As [`Api::ask`], but for absence.
    pub async fn find(&self, subject: &str, body: &Value) -> Result<Option<Value>, Failure> {
        self.find_as(subject, body).await
    }

    /// As [`Api::find`], and reads of the answer only what `T` has: a plan reads thousands.
    ///
    /// # Errors
    /// As [`Api::find`], and an answer that is no `T`.
    pub async fn find_as<T: DeserializeOwned>(
        &self,
        subject: &str,
        body: &Value,
    ) -> Result<Option<T>, Failure> {
        match self.ask_for(subject, body).await {
            Ok(answer) => Ok(Some(answer)),
            Err(Failure::Refused(refusal)) if refusal.is_absent() => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// All pages of names, in their order: `STREAM.NAMES`, `CONSUMER.NAMES.<stream>`.
    ///
    /// # Errors
    /// As [`Api::ask`].
    pub async fn names(&self, subject: &str, list: &str) -> Result<Vec<String>, Failure> {
        let mut names = Vec::new();
        loop {
            let answer = self.ask(subject, &json!({ "offset": names.len() })).await?;
            let page = answer.get(list).and_then(Value::as_array);
            let page: Vec<_> = page
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            names.extend(page.iter().map(|name| (*name).to_owned()));
            let total = answer
                .get("total")
                .and_then(Value::as_u64)
                .unwrap_or_default();
            if page.is_empty() || u64::try_from(names.len()).is_ok_and(|have| have >= total) {
                names.sort();
                return Ok(names);
            }
        }
    }
}

/// Pauses that grow, until the time is over.
pub struct Pauses {
    until: Instant,
    pause: Duration,
}

impl Pauses {
    /// From now on, for as long as `patience`.
    pub fn new(patience: Duration) -> Self {
        Self {
            until: Instant::now() + patience,
            pause: PAUSE,
        }
    }

    /// Waits; whether there is time for another try.
    pub async fn next(&mut self) -> bool {
        let now = Instant::now();
        if now >= self.until {
            return false;
        }
        tokio::time::sleep_until((now + self.pause).min(self.until)).await;
        self.pause = (self.pause * 2).min(LONGEST);
        true
    }
}
