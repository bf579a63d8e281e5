//! Takes one stream's snapshot over `$JS.API.STREAM.SNAPSHOT` (nats-server: `server/jetstream_api.go`, streamSnapshot).
//!
//! The server sends chunks and stops once 8 MiB of them are not acknowledged; after 5 s without an acknowledgement it gives
//! up. A chunk is acknowledged when it is written, so that a slow disk slows the server down and fills nobody's memory.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use async_nats::{Message, Subscriber};
use futures_util::StreamExt;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::time::{Instant, timeout};

use super::account::Account;
use super::manifest::Digested;
use super::{folder, hex};
use crate::provision::api::Failure;

/// For how long the server may say nothing: it gives up sooner itself, unless it is gone.
const SILENCE: Duration = Duration::from_secs(30);

/// How often we look whether the connection was lost meanwhile.
const LOOK: Duration = Duration::from_secs(1);

/// A snapshot that is on the disk.
#[derive(Debug)]
pub struct Taken {
    /// The stream's configuration, by the server's answer.
    pub config: Value,
    /// Its state when the snapshot began, by the same answer.
    pub state: Value,
    /// Chunks that it came in.
    pub chunks: u64,
    /// The file.
    pub file: Digested,
}

/// Why there is none.
#[derive(Debug)]
pub enum Fault {
    /// The server said no.
    Refused(Failure),
    /// It broke off, and may work the next time.
    Broken(String),
    /// Our own disk.
    Disk(anyhow::Error),
}

/// Takes one; `progress` is told of bytes as they come.
///
/// # Errors
/// What the server, the connection or the disk says against it.
pub async fn take(
    account: &Account,
    stream: &str,
    path: &Path,
    progress: &mut dyn FnMut(u64),
) -> Result<Taken, Fault> {
    let connects = account.connects();
    let inbox = account.client.new_inbox();
    let chunks = account.client.subscribe(inbox.clone()).await;
    let mut chunks = chunks.map_err(|error| Fault::Broken(format!("subscribing: {error}")))?;
    let body = json!({ "deliver_subject": inbox, "chunk_size": account.chunk(), "jsck": true });
    let answer = account
        .api
        .once(&format!("STREAM.SNAPSHOT.{stream}"), &body)
        .await;
    let answer = answer.map_err(|failure| match failure {
        Failure::Silent(why) => Fault::Broken(why),
        refused => Fault::Refused(refused),
    })?;
    let mut sink = Some(Sink::new(path).map_err(Fault::Disk)?);
    let mut count = 0;
    loop {
        let message = next(account, connects, &mut chunks).await?;
        if message.payload.is_empty() {
            ended(&message)?;
            break;
        }
        count += 1;
        in_order(&message, count)?;
        progress(u64::try_from(message.payload.len()).unwrap_or_default());
        let mut writing = sink
            .take()
            .ok_or_else(|| Fault::Broken("it ended".to_owned()))?;
        let payload = message.payload;
        let written =
            tokio::task::spawn_blocking(move || writing.write(&payload).map(|()| writing)).await;
        let written = written.map_err(|error| Fault::Broken(error.to_string()))?;
        sink = Some(written.map_err(|error| on_disk(path, error))?);
        if let Some(reply) = message.reply {
            let sent = account.client.publish(reply, Vec::new().into()).await;
            sent.map_err(|error| Fault::Broken(format!("acknowledging: {error}")))?;
        }
    }
    let sink = sink.ok_or_else(|| Fault::Broken("it ended".to_owned()))?;
    Ok(Taken {
        config: answer.get("config").cloned().unwrap_or_default(),
        state: answer.get("state").cloned().unwrap_or_default(),
        chunks: count,
        file: sink.close(),
    })
}

async fn next(account: &Account, connects: u64, chunks: &mut Subscriber) -> Result<Message, Fault> {
    let until = Instant::now() + SILENCE;
    loop {
        match timeout(LOOK, chunks.next()).await {
            Ok(Some(message)) => return Ok(message),
            Ok(None) => return Err(Fault::Broken("the connection ended".to_owned())),
            Err(_) if account.was_lost(connects) => {
                return Err(Fault::Broken(
                    "the connection was lost meanwhile".to_owned(),
                ));
            }
            Err(_) if Instant::now() >= until => {
                let why = format!("the server sent nothing for {} s", SILENCE.as_secs());
                return Err(Fault::Broken(why));
            }
            Err(_) => {}
        }
    }
}

/// The last message is empty: without a status, or with 204, it is the end; with any other the reason why it broke off.
fn ended(message: &Message) -> Result<(), Fault> {
    match message.status {
        None => Ok(()),
        Some(status) if status.as_u16() == 204 => Ok(()),
        Some(status) => {
            let words = message.description.as_deref().unwrap_or("no reason");
            let why = format!("the server broke off: {} {words}", status.as_u16());
            Err(Fault::Broken(why))
        }
    }
}

/// A chunk's reply ends in its length and number (the last one has none): a lost one is not passed over.
fn in_order(message: &Message, count: u64) -> Result<(), Fault> {
    let Some(reply) = &message.reply else {
        return Ok(());
    };
    let mut tokens = reply.as_str().rsplit('.');
    let number = tokens.next().and_then(|token| token.parse::<u64>().ok());
    let length = tokens.next().and_then(|token| token.parse::<usize>().ok());
    if number == Some(count) && length == Some(message.payload.len()) {
        return Ok(());
    }
    let why = format!("chunk {count} was lost on the way: {reply} came in its place");
    Err(Fault::Broken(why))
}

/// A file that is hashed while it is written.
struct Sink {
    file: File,
    hash: Sha256,
    size: u64,
}

impl Sink {
    fn new(path: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            file: folder::new(
                path,
                OpenOptions::new().write(true).create(true).truncate(true),
            )?,
            hash: Sha256::new(),
            size: 0,
        })
    }

    fn write(&mut self, chunk: &[u8]) -> std::io::Result<()> {
        self.file.write_all(chunk)?;
        self.hash.update(chunk);
        self.size += u64::try_from(chunk.len()).unwrap_or_default();
        Ok(())
    }

    fn close(self) -> Digested {
        Digested {
            size: self.size,
            sha256: hex(&self.hash.finalize()),
        }
    }
}

fn on_disk(path: &Path, error: std::io::Error) -> Fault {
    Fault::Disk(anyhow::Error::new(error).context(format!("writing {}", path.display())))
}
