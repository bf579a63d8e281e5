//! What a spec means once every rule holds: parsed values, resolved references, principals.
//!
//! A plan is neutral of files and of mechanism: where things stand is decided when it is
//! rendered, and principals become static users or JWTs there.

mod accounts;
mod allow;
pub(crate) mod assets;
mod callout;
mod cluster;
mod compression;
mod health;
mod hub;
mod imports;
mod jetstream;
mod leaf;
mod leafnodes;
mod leaves;
mod link;
mod listeners;
mod operator;
mod principals;
mod server;
mod services;
mod sharing;
mod tls;
mod uplink;
mod whole;

use std::collections::BTreeMap;

pub(crate) use accounts::nkey;
pub use assets::{AccountAssets, Asset, Copied, Far, Made};
pub use callout::Callout;
pub use cluster::Cluster;
pub use compression::Compression;
pub use health::Watched;
pub use imports::Import;
pub use jetstream::{Encryption, Jetstream, Sync};
pub use leafnodes::LeafListener;
pub use link::{Link, Login, Remote};
pub use listeners::{Gateway, SideListener};
pub use operator::{Operator, Resolver};
pub use principals::{
    Access, Account, Permissions, Principal, PrincipalKind, Proof, Quota, Responses,
};
pub use server::{LameDuck, Limits, Logging};
pub(crate) use server::{duration, is_loopback};
pub use services::{HEALTH_LOGIN, accounts_of};
pub(crate) use sharing::renamed;
pub use sharing::{Export, Shared};
pub use tls::TlsFiles;

use crate::field::Setting;
use crate::lint::{self, Lint};
use crate::path::OptionPath;
use crate::problem::{Problems, Rule};
use crate::settings::Value;
use crate::spec::{Node, Spec};
use crate::version::Version;

/// One nats-server, ready to be rendered.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The instance's option path: `services.cim.hub` or `services.cim.leaves.<name>`.
    pub options: OptionPath,
    /// Unit, user and state directory: `cim-…`.
    pub unit: String,
    /// The instance's name: a node of a hub, or a leaf.
    pub name: String,
    /// Server name, unique in the fleet: the instance's, or a leaf's node's. NATS: `server_name`.
    pub server_name: String,
    /// The nats-server that will read the result.
    pub version: Version,
    /// Where clients connect.
    pub client: ClientListener,
    /// Monitoring port on loopback.
    pub http_port: u16,
    /// Bounds on connections and messages.
    pub limits: Limits,
    /// How a stop lets clients go.
    pub lame_duck: LameDuck,
    /// What is logged.
    pub logging: Logging,
    /// Persistence; `None`: none.
    pub jetstream: Option<Jetstream>,
    /// Accounts with who may log in.
    pub accounts: Vec<Account>,
    /// What the accounts hold in JetStream, where they hold something.
    pub assets: Vec<AccountAssets>,
    /// Who is asked about clients that no account knows; `None`: they are refused.
    pub callout: Option<Callout>,
    /// Operator mode; `None`: accounts and principals stand in nats.conf.
    pub operator: Option<Operator>,
    /// The account for server events; `None`: nats-server's own.
    pub system_account: Option<String>,
    /// Routes; `None`: a server on its own.
    pub cluster: Option<Cluster>,
    /// Where leaves connect; `None` on a leaf.
    pub leafnodes: Option<LeafListener>,
    /// Where WebSocket clients connect; `None`: nowhere.
    pub websocket: Option<SideListener>,
    /// Where MQTT clients connect; `None`: nowhere.
    pub mqtt: Option<SideListener>,
    /// Where other hubs connect; `None`: nowhere.
    pub gateway: Option<Gateway>,
    /// Links to hubs; `None` on a hub.
    pub link: Option<Link>,
    /// What `cim-health` watches.
    pub watched: Watched,
    /// Keys without an option of their own, checked.
    pub settings: BTreeMap<String, Value>,
    /// Things that work but should not stay.
    pub lints: Vec<Lint>,
    /// Fields that pass straight through.
    pub fields: Vec<Setting>,
}

/// `host:port` that another machine dials.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    /// Host name or IP address.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

impl Address {
    /// A port of a hub's node.
    fn of(node: &Node, port: u16) -> Self {
        Self {
            host: node.address.clone(),
            port,
        }
    }
}

/// The listener for clients.
#[derive(Debug, Clone)]
pub struct ClientListener {
    /// Address to bind to.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// What clients are told; `None`: the address they came by.
    pub advertise: Option<Address>,
    /// `None`: no TLS.
    pub tls: Option<TlsFiles>,
}

impl Plan {
    /// Applies every rule to a spec.
    ///
    /// # Errors
    /// All problems that were found, not the first.
    pub fn from_spec(spec: &Spec) -> Result<Self, Problems> {
        Self::from_spec_with(spec, Problems::new())
    }

    /// As [`Plan::from_spec`], without one rule: for the test that each rule bites.
    ///
    /// # Errors
    /// All problems that were found.
    pub fn from_spec_ignoring(spec: &Spec, rule: Rule) -> Result<Self, Problems> {
        Self::from_spec_with(spec, Problems::ignoring(rule))
    }

    /// Every field that passes straight through, wherever it stands.
    pub(crate) fn all_fields(&self) -> impl Iterator<Item = &Setting> {
        let cluster = self.cluster.iter();
        let leafnodes = self.leafnodes.iter();
        let remotes = self.link.iter().flat_map(|link| &link.remotes);
        let tls = self.client.tls.iter();
        let tls = tls.chain(cluster.clone().flat_map(|cluster| &cluster.tls));
        let tls = tls.chain(leafnodes.clone().flat_map(|listener| &listener.tls));
        let sides = self.websocket.iter().chain(&self.mqtt);
        let tls = tls.chain(sides.clone().flat_map(|side| &side.tls));
        let tls = tls.chain(self.gateway.iter().flat_map(|gateway| &gateway.tls));
        let tls = tls.chain(remotes.clone().flat_map(|remote| &remote.tls));
        let principals = self.accounts.iter().flat_map(|account| &account.principals);
        let fields = self.fields.iter();
        let fields = fields.chain(cluster.flat_map(|cluster| &cluster.fields));
        let fields = fields.chain(leafnodes.flat_map(|listener| &listener.fields));
        let fields = fields.chain(sides.flat_map(|side| &side.fields));
        let fields = fields.chain(self.gateway.iter().flat_map(|gateway| &gateway.fields));
        let fields = fields.chain(self.link.iter().flat_map(|link| &link.fields));
        let fields = fields.chain(remotes.flat_map(|remote| &remote.fields));
        let fields = fields.chain(tls.flat_map(|tls| &tls.fields));
        let fields = fields.chain(self.accounts.iter().flat_map(|account| &account.fields));
        fields.chain(principals.flat_map(|principal| &principal.fields))
    }

    fn from_spec_with(spec: &Spec, mut problems: Problems) -> Result<Self, Problems> {
        let plan = match spec {
            Spec::Hub(spec) => hub::plan(spec, &mut problems),
            Spec::Leaf(spec) => leaf::plan(spec, &mut problems),
        };
        if let Some(plan) = &plan {
            for setting in plan.all_fields() {
                setting.known_to(plan.version, &mut problems);
            }
            whole::check(plan, &mut problems);
        }
        match plan {
            Some(mut plan) if problems.is_empty() => {
                plan.lints = lint::of_instance(spec, &plan);
                Ok(plan)
            }
            _ => Err(problems),
        }
    }
}
