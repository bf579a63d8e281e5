//! nats-server's monitoring listener: <https://docs.nats.io/running-a-nats-service/nats_admin/monitoring>.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// How long one answer may take.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Asks one server.
pub struct Monitor {
    agent: ureq::Agent,
    url: String,
}

/// What `/varz` tells about the running config and the loaded certificates.
#[derive(Debug, Clone, Deserialize)]
pub struct Varz {
    /// Server name.
    pub server_name: String,
    /// Digest of the running config.
    #[serde(default)]
    pub config_digest: String,
    /// When it was loaded.
    pub config_load_time: String,
    /// Expiry of the clients' certificate, RFC 3339.
    pub tls_cert_not_after: Option<String>,
    /// The cluster listener.
    #[serde(default)]
    pub cluster: Block,
    /// The leaf listener.
    #[serde(default)]
    pub leaf: Block,
    /// JetStream.
    #[serde(default)]
    pub jetstream: JetStream,
}

/// JetStream in `/varz`.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct JetStream {
    /// Its configuration; absent where it is off.
    #[serde(default)]
    pub config: JetStreamConfig,
}

/// JetStream's configuration in `/varz`.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct JetStreamConfig {
    /// Its domain; absent: it has none.
    pub domain: Option<String>,
}

/// A listener in `/varz`.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Block {
    /// Expiry of its certificate, RFC 3339.
    pub tls_cert_not_after: Option<String>,
}

impl Varz {
    /// Expiry of the certificate that a listener has loaded; `block` as in `health.json`.
    pub fn certificate_not_after(&self, block: &str) -> Option<&str> {
        match block {
            "cluster" => self.cluster.tls_cert_not_after.as_deref(),
            "leaf" => self.leaf.tls_cert_not_after.as_deref(),
            _ => self.tls_cert_not_after.as_deref(),
        }
    }
}

impl Monitor {
    /// The server behind `url`.
    pub fn new(url: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .http_status_as_error(false)
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
        let (_, body) = self.get("/varz")?;
        serde_json::from_str(&body).with_context(|| format!("reading {}/varz", self.url))
    }

    fn get(&self, path: &str) -> Result<(u16, String)> {
        let url = format!("{}{path}", self.url);
        let mut response = self
            .agent
            .get(&url)
            .call()
            .with_context(|| format!("asking {url}"))?;
        let body = response
            .body_mut()
            .read_to_string()
            .with_context(|| format!("reading {url}"))?;
        Ok((response.status().as_u16(), body))
    }
}
