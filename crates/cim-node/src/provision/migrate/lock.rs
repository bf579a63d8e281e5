//! One migration of a stream at a time, on whatever host: who works holds a consumer of the interim stream, which
//! nats-server removes by itself once the holder is gone.

use std::time::Duration;

use anyhow::{Result, bail};
use serde_json::{Value, json};

use crate::provision::api::{Api, Failure};

/// For how long a dead holder's lock stays.
const FREE_AFTER: Duration = Duration::from_secs(4);

/// How long one pull waits; then the next one is sent.
const PULL: Duration = Duration::from_secs(2);

const NAME: &str = "holder";

/// nats-server: consumer already exists.
const EXISTS: [u64; 3] = [10148, 10105, 10013];

/// A lock that is held for as long as this lives and the connection stands.
pub struct Lock {
    api: Api,
    stream: String,
    mine: String,
    pulls: tokio::task::JoinHandle<()>,
}

impl Lock {
    /// Takes the lock of an interim stream.
    ///
    /// # Errors
    /// Somebody else holds it, or the server's refusal.
    pub async fn take(api: &Api, stream: &str) -> Result<Self> {
        let mine = nkeys::KeyPair::new_user().public_key();
        create(api, stream, &mine).await?;
        let subject = format!("CONSUMER.MSG.NEXT.{stream}.{NAME}");
        let pull = api.clone();
        let pulls = tokio::spawn(async move {
            loop {
                pull.wait(&subject, PULL).await;
            }
        });
        Ok(Self {
            api: api.clone(),
            stream: stream.to_owned(),
            mine,
            pulls,
        })
    }

    /// Holds before something is done that cannot be taken back.
    ///
    /// # Errors
    /// The lock went: the connection was away for too long.
    pub async fn held(&self) -> Result<()> {
        let subject = format!("CONSUMER.INFO.{}.{NAME}", self.stream);
        let info = self.api.find(&subject, &Value::Null).await;
        let info = info.map_err(|failure| anyhow::anyhow!("asking for the lock: {failure}"))?;
        match info {
            Some(info) if info["config"]["metadata"]["by"] == self.mine.as_str() => Ok(()),
            _ => bail!(
                "the lock of this migration was lost, the connection was away for too long: run again"
            ),
        }
    }

    /// Has it still, or again: a server that was not heard of for some seconds has removed it, and nobody else took it.
    ///
    /// # Errors
    /// Somebody else took it, or the server's refusal.
    pub async fn kept(&self) -> Result<()> {
        create(&self.api, &self.stream, &self.mine).await
    }

    /// Gives it back.
    pub async fn free(self) {
        self.pulls.abort();
        let subject = format!("CONSUMER.DELETE.{}.{NAME}", self.stream);
        // One that stays goes by itself.
        let _ = self.api.once(&subject, &Value::Null).await;
    }
}

/// Makes the holder's consumer; one that is `mine` already may stay.
async fn create(api: &Api, stream: &str, mine: &str) -> Result<()> {
    // It starts beyond what any stream holds, so its pulls wait.
    let config = json!({
        "name": NAME, "ack_policy": "none", "deliver_policy": "by_start_sequence",
        "opt_start_seq": u64::MAX / 2, "mem_storage": true, "num_replicas": 1,
        "inactive_threshold": u64::try_from(FREE_AFTER.as_nanos())?,
        "metadata": { "by": mine },
    });
    let body = json!({ "stream_name": stream, "config": config, "action": "create" });
    match api
        .ask(&format!("CONSUMER.CREATE.{stream}.{NAME}"), &body)
        .await
    {
        Ok(_) => Ok(()),
        Err(Failure::Refused(refusal)) if EXISTS.contains(&refusal.code) => bail!(
            "another run is at work on this migration (it holds the consumer {NAME} of {stream}); if it died, it is free {} s later: run again then",
            FREE_AFTER.as_secs()
        ),
        Err(failure) => bail!("taking the lock of {stream}: {failure}"),
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.pulls.abort();
    }
}
