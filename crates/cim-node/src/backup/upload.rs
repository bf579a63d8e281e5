//! Gives one snapshot back over `$JS.API.STREAM.RESTORE` (nats-server: `server/jetstream_api.go`, processStreamRestore).
//!
//! The server answers each chunk once it is stored; after 5 s without one it gives up and keeps the stream half restored
//! (since 2.15), as it does when the upload or the server itself dies.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use async_nats::Request;
use serde_json::{Value, json};

use super::account::Account;
use crate::provision::api::Failure;

/// How long the server may store one chunk.
const CHUNK: Duration = Duration::from_secs(60);

/// How long it may make the stream from all of them: before 2.15 that is when it does all the work.
const LAST: Duration = Duration::from_secs(3600);

/// How often we look whether the connection was lost meanwhile.
const LOOK: Duration = Duration::from_secs(1);

/// Restores a stream; `progress` is told of bytes as they go.
///
/// # Errors
/// What the server, the connection or the disk says against it.
pub async fn give(
    account: &Account,
    stream: &str,
    body: &Value,
    path: &Path,
    progress: &mut dyn FnMut(u64),
) -> Result<(), String> {
    let connects = account.connects();
    let answer = account
        .api
        .once(&format!("STREAM.RESTORE.{stream}"), body)
        .await;
    let answer = answer.map_err(|failure: Failure| failure.to_string())?;
    let subject = answer.get("deliver_subject").and_then(Value::as_str);
    let subject = subject.ok_or("the server named no subject to send to")?;
    let reading = |error: std::io::Error| format!("reading {}: {error}", path.display());
    let mut file = File::open(path).map_err(reading)?;
    loop {
        let size = u64::try_from(account.chunk()).unwrap_or_default();
        let read = tokio::task::spawn_blocking(move || {
            let mut chunk = Vec::new();
            let read = (&mut file).take(size).read_to_end(&mut chunk);
            read.map(|_| (file, chunk))
        });
        let (back, chunk) = read
            .await
            .map_err(|error| error.to_string())?
            .map_err(reading)?;
        file = back;
        let last = chunk.is_empty();
        let count = u64::try_from(chunk.len()).unwrap_or_default();
        let answer = ask(
            account,
            connects,
            subject,
            chunk,
            if last { LAST } else { CHUNK },
        )
        .await?;
        progress(count);
        refused(&answer)?;
        if last {
            return match answer.is_empty() {
                true => Err("the server did not say how it ended".to_owned()),
                false => Ok(()),
            };
        }
    }
}

/// An answer with an error in it.
fn refused(answer: &[u8]) -> Result<(), String> {
    let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
    let Some(error) = answer.get("error") else {
        return Ok(());
    };
    let words = error.get("description").and_then(Value::as_str);
    let code = error
        .get("err_code")
        .and_then(Value::as_u64)
        .unwrap_or_default();
    let words = words.unwrap_or("no reason");
    Err(format!("nats-server says: {words} (error {code})"))
}

async fn ask(
    account: &Account,
    connects: u64,
    subject: &str,
    chunk: Vec<u8>,
    patience: Duration,
) -> Result<Vec<u8>, String> {
    let request = Request::new().payload(chunk.into()).timeout(Some(patience));
    let answer = account.client.send_request(subject.to_owned(), request);
    let mut answer = std::pin::pin!(answer);
    loop {
        match tokio::time::timeout(LOOK, &mut answer).await {
            Ok(Ok(message)) => return Ok(message.payload.to_vec()),
            Ok(Err(error)) => return Err(format!("sending to {subject}: {error}")),
            Err(_) if account.was_lost(connects) => {
                return Err("the connection was lost meanwhile".to_owned());
            }
            Err(_) => {}
        }
    }
}

/// What `STREAM.RESTORE` is asked with.
pub fn body(config: &Value, state: &Value) -> Value {
    json!({ "config": config, "state": state })
}
