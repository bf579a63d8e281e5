//! Streams of the stories, spoken to through a node of the hub.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use async_nats::jetstream::{self, stream};
use cim_lab::{Inside, until};

use crate::support::{PATIENCE, Scene};

/// How long a stream has for an answer.
const ANSWER: Duration = Duration::from_secs(3);

/// A stream, and the way to it.
pub struct Stored<'a> {
    inside: &'a Inside,
    context: jetstream::Context,
    config: stream::Config,
}

impl<'a> Stored<'a> {
    /// Makes a stream with so many copies, in files, of what is published below `commands.<name>`; speaks through `hub`.
    pub fn create(scene: &'a Scene, hub: &str, name: &str, copies: usize) -> Result<Self> {
        let subject = format!("commands.{}.>", name.to_lowercase());
        Self::of(scene, hub, name, copies, &subject)
    }

    /// As [`Stored::create`], of another subject.
    pub fn of(
        scene: &'a Scene,
        hub: &str,
        name: &str,
        copies: usize,
        subject: &str,
    ) -> Result<Self> {
        let stored = Self::to(scene, hub, name, copies, subject)?;
        until(&format!("stream {name} is made"), PATIENCE, || {
            let (context, config) = (stored.context.clone(), stored.config.clone());
            stored.inside.run(async move {
                let made = context.create_stream(config).await;
                made.map(drop).context("making a stream")
            })
        })?;
        Ok(stored)
    }

    /// The way to a stream that there is already.
    fn to(scene: &'a Scene, hub: &str, name: &str, copies: usize, subject: &str) -> Result<Self> {
        let client = scene.lab.client(hub, "alchemist")?;
        let inside = scene.host(hub)?.inside();
        let context = inside.run(async move {
            let mut context = jetstream::new(client);
            context.set_timeout(ANSWER);
            Ok(context)
        })?;
        let config = stream::Config {
            name: name.to_owned(),
            subjects: vec![subject.to_owned()],
            num_replicas: copies,
            ..Default::default()
        };
        Ok(Self {
            inside,
            context,
            config,
        })
    }

    /// The same stream through another node, or through the same one after it was away.
    pub fn through(&self, scene: &'a Scene, hub: &str) -> Result<Self> {
        let subject = self
            .config
            .subjects
            .first()
            .context("a stream stores something")?;
        Self::to(
            scene,
            hub,
            &self.config.name,
            self.config.num_replicas,
            subject,
        )
    }

    /// Publishes so many bytes and waits for the answer that they are stored; gives their number in the stream.
    pub fn store(&self, bytes: usize) -> Result<u64> {
        let subject = format!("commands.{}.one", self.config.name.to_lowercase());
        let context = self.context.clone();
        self.inside.run(async move {
            let sent = context.publish(subject, vec![b'x'; bytes].into()).await?;
            Ok(sent.await?.sequence)
        })
    }

    /// Stores until it works.
    pub fn stores(&self) -> Result<u64> {
        until("the stream stores", PATIENCE, || self.store(64))
    }

    /// What its leader tells.
    pub fn info(&self) -> Result<stream::Info> {
        let (context, name) = (self.context.clone(), self.config.name.clone());
        self.inside.run(async move {
            let stream = context.get_stream(name).await?;
            Ok(stream.cached_info().clone())
        })
    }

    /// The node that leads it.
    pub fn leader(&self) -> Result<String> {
        let cluster = self.info()?.cluster.context("a stream of a cluster")?;
        cluster.leader.context("a stream without a leader")
    }

    /// Waits until all other copies are current.
    pub fn current(&self) -> Result<()> {
        until("all replicas are current", PATIENCE, || {
            let cluster = self.info()?.cluster.context("a stream of a cluster")?;
            let current = cluster.replicas.iter().filter(|copy| copy.current).count();
            let wanted = self.config.num_replicas - 1;
            ensure!(current == wanted, "{current} of {wanted} are");
            Ok(())
        })
    }

    /// That every message which was answered is there, as it was sent.
    pub fn has_all(&self, stored: &[u64]) -> Result<()> {
        let since = Instant::now();
        for sequence in stored.iter().copied() {
            let (context, name) = (self.context.clone(), self.config.name.clone());
            let message = until(&format!("message {sequence} is read"), ANSWER * 2, || {
                let (context, name) = (context.clone(), name.clone());
                self.inside.run(async move {
                    let stream = context.get_stream(name).await?;
                    Ok(stream.get_raw_message(sequence).await?)
                })
            });
            let message = message.with_context(|| {
                format!("the stream answered that it stored message {sequence}, and it is lost")
            })?;
            ensure!(
                message.payload.iter().all(|byte| *byte == b'x'),
                "message {sequence} is another one"
            );
            ensure!(since.elapsed() < PATIENCE, "reading takes too long");
        }
        Ok(())
    }

    /// Removes it.
    pub fn delete(&self) -> Result<()> {
        until("the stream is removed", PATIENCE, || {
            let (context, name) = (self.context.clone(), self.config.name.clone());
            self.inside.run(async move {
                context.delete_stream(name).await?;
                Ok(())
            })
        })
    }
}
