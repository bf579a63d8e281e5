//! What nats-server tells on a host's loopback.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use cim_spec::Plan;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::Host;

/// One link, as `/leafz` of either end tells.
#[derive(Debug, Clone, Deserialize)]
pub struct Link {
    /// The server at the other end.
    pub name: String,
}

#[derive(Deserialize)]
struct Leafz {
    #[serde(default)]
    leafs: Option<Vec<Link>>,
}

/// A part of `/varz`.
#[derive(Debug, Clone, Deserialize)]
pub struct Varz {
    /// Server name.
    pub server_name: String,
    /// Digest of the running config.
    pub config_digest: String,
    /// When the config was loaded.
    pub config_load_time: String,
    /// When the server started.
    pub start: String,
    /// Clients.
    pub connections: u64,
    /// Routes to other nodes of the hub.
    #[serde(default)]
    pub routes: u64,
}

impl Host {
    /// The plan of an instance.
    ///
    /// # Errors
    /// A name that no instance here has.
    pub fn plan(&self, instance: &str) -> Result<&Plan> {
        let found = self.plans.iter().find(|plan| plan.server_name == instance);
        found.with_context(|| format!("{} has no instance {instance}", self.name))
    }

    /// Asks an instance for a page.
    ///
    /// # Errors
    /// A server that does not answer with 200.
    pub fn get<T: DeserializeOwned + Send>(&self, instance: &str, page: &str) -> Result<T> {
        let url = format!("http://127.0.0.1:{}{page}", self.plan(instance)?.http_port);
        let doing = format!("asking {} for {page}", self.name);
        let text = self.net.within(|| {
            let config = ureq::Agent::config_builder()
                .timeout_global(Some(Duration::from_secs(2)))
                .build();
            let mut response = ureq::Agent::from(config).get(&url).call()?;
            Ok(response.body_mut().read_to_string()?)
        });
        let text = text.with_context(|| doing.clone())?;
        serde_json::from_str(&text).context(doing)
    }

    /// `/varz` of an instance.
    ///
    /// # Errors
    /// A server that does not answer.
    pub fn varz(&self, instance: &str) -> Result<Varz> {
        self.get(instance, "/varz")
    }

    /// The links of an instance to leaves or hubs.
    ///
    /// # Errors
    /// A server that does not answer.
    pub fn links(&self, instance: &str) -> Result<Vec<Link>> {
        Ok(self
            .get::<Leafz>(instance, "/leafz")?
            .leafs
            .unwrap_or_default())
    }

    /// The hub node that a leaf hangs on; an error where there is none.
    ///
    /// # Errors
    /// A leaf without a link.
    pub fn hub(&self, instance: &str) -> Result<String> {
        let links = self.links(instance)?;
        let link = links.first();
        link.map(|link| link.name.clone())
            .with_context(|| format!("{instance} has no link"))
    }

    /// That a leaf has noticed that its link is gone.
    ///
    /// # Errors
    /// A leaf that has a link.
    pub fn unlinked(&self, instance: &str) -> Result<()> {
        let links = self.links(instance)?;
        ensure!(links.is_empty(), "{instance} still has the link {links:?}");
        Ok(())
    }
}
