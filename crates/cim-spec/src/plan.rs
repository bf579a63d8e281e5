//! What a spec means once every rule holds: parsed values, resolved references, principals.
//!
//! A plan is neutral of files and of mechanism: where things stand is decided when it is
//! rendered, and principals become static users or JWTs there.

mod accounts;
mod allow;
mod callout;
mod cluster;
mod hub;
mod leaf;
mod listeners;
mod operator;
mod server;
mod sharing;
mod tls;
mod uplink;
mod whole;

use std::collections::BTreeMap;

pub(crate) use accounts::nkey;
pub use callout::Callout;
pub use listeners::{Gateway, SideListener};
pub use operator::{Operator, Resolver};
pub(crate) use server::is_loopback;
pub(crate) use sharing::renamed;
pub use sharing::{Export, Import, Shared};

use crate::duration::Duration;
use crate::field::{Setting, SettingValue};
use crate::file::File;
use crate::lint::{self, Lint};
use crate::path::OptionPath;
use crate::problem::{Problems, Rule};
use crate::settings::Value;
use crate::spec::{Flow, Mappings, Spec};
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

/// Files of one side of a TLS connection.
#[derive(Debug, Clone, Default)]
pub struct TlsFiles {
    /// Certificate chain and its key; both or neither.
    pub identity: Option<(File, File)>,
    /// Authorities; `None`: the system's.
    pub ca: Option<File>,
    /// Fields that pass straight through.
    pub fields: Vec<Setting>,
}

/// Bounds on connections and messages, in bytes where they are sizes.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Most clients at a time.
    pub max_connections: u64,
    /// Most subscriptions of one connection; `None`: no limit.
    pub max_subscriptions: Option<u64>,
    /// Largest message.
    pub max_payload: u64,
    /// Most bytes that wait for one connection.
    pub max_pending: u64,
    /// Longest protocol line.
    pub max_control_line: u64,
    /// How long a write may block.
    pub write_deadline: Duration,
    /// How often a silent peer is asked for life.
    pub ping_interval: Duration,
    /// Unanswered pings after which it is dead.
    pub ping_max: u64,
}

/// How a stop lets clients go.
#[derive(Debug, Clone, Copy)]
pub struct LameDuck {
    /// Over how long.
    pub duration: Duration,
    /// How long they may leave by themselves first.
    pub grace_period: Duration,
}

/// What is logged.
#[derive(Debug, Clone, Copy)]
pub struct Logging {
    /// `debug` lines.
    pub debug: bool,
    /// Protocol lines.
    pub trace: bool,
    /// Time stamps.
    pub logtime: bool,
    /// Every n-th failed first connect.
    pub connect_error_reports: u64,
    /// Every n-th failed reconnect.
    pub reconnect_error_reports: u64,
}

/// Persistence of one server.
#[derive(Debug, Clone)]
pub struct Jetstream {
    /// Directory of the store.
    pub store_dir: String,
    /// Domain, unique in the fleet.
    pub domain: String,
    /// Bytes of memory.
    pub max_memory_store: u64,
    /// Bytes of disk.
    pub max_file_store: u64,
    /// When data is forced to disk.
    pub sync_interval: Sync,
    /// Encryption of the store; `None`: none.
    pub encryption: Option<Encryption>,
}

/// Encryption of a store.
#[derive(Debug, Clone)]
pub struct Encryption {
    /// The key.
    pub key: File,
    /// The key before.
    pub prev_key: Option<File>,
    /// Cipher.
    pub cipher: String,
}

/// How one end of a connection compresses what it sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compression {
    /// Mode.
    pub mode: String,
    /// Round-trip times from which it compresses more; empty: nats-server's own.
    pub rtt_thresholds: Vec<Duration>,
}

/// When written data is forced to disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sync {
    /// Before each acknowledgement.
    Always,
    /// At intervals; a power cut can lose what was acknowledged since.
    Every(Duration),
}

/// A subject space and who may enter it.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// Who may log in.
    pub principals: Vec<Principal>,
    /// What it may store; `None`: nothing.
    pub jetstream: Option<Quota>,
    /// What other accounts may have.
    pub exports: Vec<Export>,
    /// What it has of others.
    pub imports: Vec<Import>,
    /// Where messages go instead.
    pub mappings: Mappings,
    /// What users may do who have no permissions of their own; `None`: everything.
    pub default_permissions: Option<Permissions>,
    /// Fields that pass straight through.
    pub fields: Vec<Setting>,
}

/// An account's share of a server's store, in bytes; `None`: no limit of its own.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quota {
    /// Memory.
    pub max_memory: Option<u64>,
    /// Disk.
    pub max_file: Option<u64>,
}

/// Somebody who may log in, whatever the mechanism.
#[derive(Debug, Clone)]
pub struct Principal {
    /// Name of the user or leaf.
    pub name: String,
    /// What may connect as this principal.
    pub kind: PrincipalKind,
    /// By which kinds of connection, in NATS's words.
    pub connections: &'static [&'static str],
    /// How it proves who it is.
    pub proof: Proof,
    /// What it may do; `None`: what the account says.
    pub permissions: Option<Permissions>,
    /// Fields that pass straight through.
    pub fields: Vec<Setting>,
}

/// What may connect as a principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrincipalKind {
    /// A client.
    User,
    /// A leaf node, and nothing else.
    Leaf,
}

/// How a principal proves who it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Proof {
    /// By signing with the key of this public nkey.
    Nkey(String),
    /// By a password with this bcrypt hash.
    Password(String),
    /// By a certificate with this name.
    Certificate(String),
    /// By a JWT that the account signed.
    Jwt,
}

/// What a principal may do. Empty allow lists allow nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permissions {
    /// Publishing.
    pub publish: Access,
    /// Subscribing.
    pub subscribe: Access,
    /// Answering requests wherever the reply goes; `None`: no more than `publish` says.
    pub allow_responses: Option<Responses>,
}

/// Answers to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Responses {
    /// How many.
    pub max: u64,
    /// How long after it.
    pub expires: Duration,
}

/// Subjects allowed, and exceptions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Allowed.
    pub allow: Vec<String>,
    /// Refused although allowed.
    pub deny: Vec<String>,
}

impl TlsFiles {
    /// Whether a listener asks the other side for a certificate.
    pub fn verifies(&self) -> bool {
        self.is_true("verify") || self.is_true("verifyAndMap")
    }

    /// Whether an option of the block is set to `true`.
    pub fn is_true(&self, option: &str) -> bool {
        self.fields.iter().any(|setting| {
            setting.field.option == option && setting.value == SettingValue::Bool(true)
        })
    }
}

impl Access {
    /// Whether nothing is held back.
    pub fn is_everything(&self) -> bool {
        self.deny.is_empty() && self.allow.iter().any(|subject| subject == ">")
    }
}

/// Routes between the nodes of a hub.
#[derive(Debug, Clone)]
pub struct Cluster {
    /// Cluster name: the hub's.
    pub name: String,
    /// Address to bind to.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// What the other nodes dial.
    pub advertise: Address,
    /// The other nodes.
    pub routes: Vec<Address>,
    /// Whether clients are told of the other nodes.
    pub advertises: bool,
    /// `None`: no TLS.
    pub tls: Option<TlsFiles>,
    /// How it compresses what it sends; `None`: nats-server's own.
    pub compression: Option<Compression>,
    /// Fields that pass straight through.
    pub fields: Vec<Setting>,
}

/// The listener for leaves.
#[derive(Debug, Clone)]
pub struct LeafListener {
    /// Address to bind to.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// What leaves are told to dial.
    pub advertise: Address,
    /// `None`: no TLS.
    pub tls: Option<TlsFiles>,
    /// Leaves must present a certificate.
    pub verify: bool,
    /// Leaves are known by their certificate.
    pub verify_and_map: bool,
    /// Leaves never learn of each other's interest.
    pub isolate_interest: bool,
    /// How it compresses what it sends.
    pub compression: Compression,
    /// Fields that pass straight through.
    pub fields: Vec<Setting>,
}

/// A leaf's links.
#[derive(Debug, Clone)]
pub struct Link {
    /// Delay before each redial.
    pub reconnect: Duration,
    /// One connection each.
    pub remotes: Vec<Remote>,
    /// What may come from the hub.
    pub imports: Vec<Flow>,
    /// What may go to the hub.
    pub exports: Vec<Flow>,
    /// Fields that pass straight through.
    pub fields: Vec<Setting>,
}

/// A link to one hub, through any of its nodes.
#[derive(Debug, Clone)]
pub struct Remote {
    /// Its name in the fleet.
    pub name: String,
    /// Nodes of the hub.
    pub nodes: Vec<Address>,
    /// The hub's JetStream domain.
    pub hub_domain: String,
    /// The hub's account it is bound to.
    pub hub_account: String,
    /// The leaf's account it is bound to.
    pub account: String,
    /// How the leaf logs in.
    pub login: Login,
    /// `None`: no TLS, as the fleet says out loud.
    pub tls: Option<TlsFiles>,
    /// How it compresses what it sends.
    pub compression: Compression,
    /// Whether it goes over WebSocket.
    pub websocket: bool,
    /// Fields that pass straight through.
    pub fields: Vec<Setting>,
}

/// How a leaf logs in at a hub.
#[derive(Debug, Clone)]
pub enum Login {
    /// With the seed in this file.
    NkeySeed(File),
    /// With the JWT and seed in this file.
    Credentials(File),
    /// With the certificate of its TLS.
    Certificate,
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
