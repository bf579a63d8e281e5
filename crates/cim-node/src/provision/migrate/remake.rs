//! A consumer is made again as declared, at the place where it was.

use anyhow::{Result, anyhow, ensure};
use serde_json::{Value, json};

use super::consumer::{Migration, Note};
use super::consumers::{info, kept, pause, position};
use super::note::{LABEL, closed, interim, trial};
use crate::provision::tree::Tree;

/// nats-server: it could not write a consumer's files.
const NO_FILES: &str = "(error 10104)";

impl Migration<'_> {
    /// Goes on until it is made again; its place.
    pub(super) async fn run(&self, mut note: Note, tell: &dyn Fn(&str)) -> Result<u64> {
        let held = info(self.api, self.stream, self.name).await?;
        let is_old = |held: &Value| held["created"] == note.created.as_str();
        if let Some(old) = held.filter(is_old) {
            if !self.queue {
                self.trial().await?;
                self.interim(&old, &note).await?;
            }
            tell("paused until it is made again");
            let (all, _) = kept(self.api, self.stream).await?;
            let this: Vec<_> = all
                .into_iter()
                .filter(|kept| kept.name == self.name)
                .collect();
            // Without its files it cannot be paused, nor used, and nats-server 2.15.1 keeps it so: a killed run had told it
            // to remove the consumer, and that met another request. What waits is held by the interim one.
            match pause(self.api, self.stream, &this).await {
                Err(error) if !format!("{error:#}").ends_with(NO_FILES) => return Err(error),
                _ => {}
            }
            let now = info(self.api, self.stream, self.name).await?;
            note.position = now.as_ref().map_or(note.position, position);
            if !self.queue {
                self.interim(&old, &note).await?;
            }
            ensure!(
                now.as_ref()
                    .is_some_and(|now| now["created"] == note.created.as_str()),
                "{} was made again meanwhile: run again",
                self.name
            );
            self.remove(self.name).await?;
        }
        let held = match info(self.api, self.stream, self.name).await? {
            Some(held) => held,
            None => {
                self.create(self.name, self.target.clone(), "create")
                    .await?
            }
        };
        if !self.queue && position(&held) < note.position {
            let body = json!({ "seq": note.position + 1 });
            let subject = format!("CONSUMER.RESET.{}.{}", self.stream, self.name);
            let reset = self.api.ask(&subject, &body).await;
            reset.map_err(|failure| anyhow!("putting {} at its place: {failure}", self.name))?;
        }
        self.remove(&interim(self.name)).await?;
        Ok(note.position)
    }

    /// The server takes what is declared, tried under another name.
    async fn trial(&self) -> Result<()> {
        let trial = trial(self.name);
        let mut config = self.target.clone();
        config.remove("name");
        config.insert("durable_name".to_owned(), json!(trial));
        if config.contains_key("deliver_subject") {
            config.insert("deliver_subject".to_owned(), json!(closed(&trial, "trial")));
        }
        self.remove(&trial).await?;
        let tried = self.create(&trial, config, "create").await;
        self.remove(&trial).await?;
        tried.map(drop).map_err(|error| {
            error.context("nothing was done, for the server would not take what is declared")
        })
    }

    /// The interim consumer: it wants what the old one wants, and has the note.
    async fn interim(&self, old: &Value, note: &Note) -> Result<()> {
        let name = interim(self.name);
        let mut config = Tree::new();
        for field in ["filter_subject", "filter_subjects", "num_replicas"] {
            if let Some(value) = old["config"].get(field) {
                config.insert(field.to_owned(), value.clone());
            }
        }
        config.insert("durable_name".to_owned(), json!(name));
        config.insert("ack_policy".to_owned(), json!("explicit"));
        config.insert(
            "metadata".to_owned(),
            json!({ LABEL: serde_json::to_string(note)? }),
        );
        self.create(&name, config, "").await.map(drop)
    }

    async fn create(&self, name: &str, config: Tree, action: &str) -> Result<Value> {
        let body = json!({ "stream_name": self.stream, "config": config, "action": action });
        let subject = format!("CONSUMER.CREATE.{}.{name}", self.stream);
        let made = self.api.ask(&subject, &body).await;
        made.map_err(|failure| anyhow!("making the consumer {name} of {}: {failure}", self.stream))
    }

    async fn remove(&self, name: &str) -> Result<()> {
        let subject = format!("CONSUMER.DELETE.{}.{name}", self.stream);
        let removed = self.api.find(&subject, &Value::Null).await;
        removed
            .map(drop)
            .map_err(|failure| anyhow!("removing the consumer {name}: {failure}"))
    }
}
