//! nats-server's monitoring listener: <https://docs.nats.io/running-a-nats-service/nats_admin/monitoring>.

pub mod duration;
pub mod jsz;
pub mod links;
pub mod varz;

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::de::DeserializeOwned;

pub use jsz::Jsz;
pub use links::{Connz, Leafz, Routez};
pub use varz::Varz;

/// How long one answer may take.
const TIMEOUT: Duration = Duration::from_secs(3);

/// The longest answer that is read: 10,000 streams with all that belongs to them have some 50 MiB.
const LONGEST: u64 = 64 * 1024 * 1024;

/// Asks one server.
pub struct Monitor {
    agent: ureq::Agent,
    url: String,
}

impl Monitor {
    /// The server behind `url`.
    pub fn new(url: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .http_status_as_error(false)
            // A connection that is kept is dead when the server starts again.
            .max_idle_connections(0)
            // nats-server never sends anybody elsewhere.
            .max_redirects(0)
            .build();
        Self {
            agent: config.into(),
            url: url.to_owned(),
        }
    }

    /// Whether the server itself is ready, whatever its cluster does.
    ///
    /// # Errors
    /// What the server says against itself, or that it does not answer.
    pub fn ready(&self) -> Result<()> {
        let (status, body) = self.get("/healthz?js-server-only=true")?;
        ensure!(status == 200, "{} says {status}: {}", self.url, body.trim());
        Ok(())
    }

    /// Whether the server is ready with everything: each stream and consumer that it should have.
    ///
    /// # Errors
    /// What the server says against itself, or that it does not answer.
    pub fn healthy(&self) -> Result<()> {
        let (status, body) = self.get("/healthz")?;
        ensure!(
            status == 200,
            "{}/healthz says {status}: {}",
            self.url,
            body.trim()
        );
        Ok(())
    }

    /// `/varz`.
    ///
    /// # Errors
    /// A server that does not answer, or not as nats-server does.
    pub fn varz(&self) -> Result<Varz> {
        self.ask("/varz")
    }

    /// `/leafz`.
    ///
    /// # Errors
    /// As [`Monitor::varz`].
    pub fn leafz(&self) -> Result<Leafz> {
        self.ask("/leafz")
    }

    /// `/routez`.
    ///
    /// # Errors
    /// As [`Monitor::varz`].
    pub fn routez(&self) -> Result<Routez> {
        self.ask("/routez")
    }

    /// `/connz`: the one connection that has most subscriptions.
    ///
    /// # Errors
    /// As [`Monitor::varz`].
    pub fn most_subscriptions(&self) -> Result<Connz> {
        self.ask("/connz?sort=subs&limit=1")
    }

    /// `/jsz` with everything that JetStream holds.
    ///
    /// # Errors
    /// As [`Monitor::varz`].
    pub fn jsz(&self) -> Result<Jsz> {
        self.ask("/jsz?accounts=true&streams=true&consumers=true&config=true")
    }

    /// `/healthz`: `None` where the server says that all is well, else its words.
    ///
    /// # Errors
    /// A server that does not answer, or not as nats-server does.
    pub fn complaint(&self) -> Result<Option<String>> {
        let (status, body) = self.get("/healthz")?;
        let said: Healthz = read(&format!("{}/healthz", self.url), &body)?;
        match (status, said) {
            (200, Healthz { status, .. }) if status == "ok" => Ok(None),
            (_, Healthz { status, error }) => Ok(Some(error.unwrap_or(status))),
        }
    }

    pub(crate) fn ask<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let (status, body) = self.get(path)?;
        let url = format!("{}{path}", self.url);
        ensure!(
            status == 200,
            "{url} says {status}: {}",
            shortened(body.trim())
        );
        read(&url, &body)
    }

    fn get(&self, path: &str) -> Result<(u16, String)> {
        let url = format!("{}{path}", self.url);
        let mut response = self
            .agent
            .get(&url)
            .call()
            .with_context(|| format!("asking {url}"))?;
        let body = response.body_mut().with_config().limit(LONGEST);
        let body = body
            .read_to_string()
            .with_context(|| format!("reading {url}"))?;
        Ok((response.status().as_u16(), body))
    }
}

/// `/healthz`.
#[derive(serde::Deserialize)]
struct Healthz {
    status: String,
    error: Option<String>,
}

/// Reads an answer.
fn read<T: DeserializeOwned>(url: &str, body: &str) -> Result<T> {
    serde_json::from_str(body).with_context(|| {
        format!(
            "{url} does not answer as nats-server does: {:?}",
            shortened(body)
        )
    })
}

/// The beginning of an answer, enough to see what it is.
fn shortened(text: &str) -> String {
    text.chars().take(60).collect()
}
