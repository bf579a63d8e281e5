//! Where the outside world stands for one rendering: the host, or a throwaway copy of it.

use cim_spec::file::File;
use cim_spec::plan::{Address, Plan};

/// Which listener an address is for; a copy maps each to a port of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Listener {
    /// Clients.
    Client,
    /// Leaf nodes.
    Leafnodes,
    /// Routes.
    Cluster,
    /// Monitoring.
    Monitor,
    /// WebSocket clients, and leaves that come that way.
    Websocket,
    /// MQTT clients.
    Mqtt,
    /// Other hubs.
    Gateway,
}

/// Maps everything in a plan that is real only on its host.
pub trait Places {
    /// The path that nats-server opens.
    fn file(&self, file: &File) -> String;
    /// The path of a file or folder that nats-server makes or reads by itself.
    fn path(&self, configured: &str) -> String;
    /// What a listener binds to.
    fn listen(&self, listener: Listener, bind: Address) -> Address;
    /// Where another server is reached.
    fn dial(&self, listener: Listener, peer: &Address) -> Address;
    /// The public nkey that stands for a principal.
    fn nkey(&self, public: &str) -> String;
    /// The path of the secrets file, relative to the config's folder.
    fn secrets_include(&self, plan: &Plan) -> String;
    /// Where nats-server writes the ports it took; `None`: nowhere.
    fn ports_file_dir(&self) -> Option<String>;
}

/// The host itself: everything stands where the options say.
pub struct Host;

/// The folder of an instance's config on its host; stable, so that a change can be reloaded.
pub fn config_dir(plan: &Plan) -> String {
    format!("/etc/cim/{}", plan.name)
}

/// The file with the secrets that nats-server takes only inline.
pub fn secrets_file(plan: &Plan) -> String {
    format!("/run/{}/secrets.conf", plan.unit)
}

/// The file with the seed of a key that the host makes.
pub fn host_key_file(plan: &Plan, key: &str) -> String {
    format!("/run/{}/{}.nk", plan.unit, file_name(key))
}

/// The file in which the backup's unit tells how an account's backups are.
pub fn backup_status(plan: &Plan, account: &str) -> String {
    format!("/var/lib/{}-backup/{}.json", plan.unit, file_name(account))
}

/// An account's name may hold what no file's may.
fn file_name(account: &str) -> String {
    account.replace('%', "%25").replace('/', "%2F")
}

impl Places for Host {
    fn file(&self, file: &File) -> String {
        file.path.clone()
    }

    fn path(&self, configured: &str) -> String {
        configured.to_owned()
    }

    fn listen(&self, _: Listener, bind: Address) -> Address {
        bind
    }

    fn dial(&self, _: Listener, peer: &Address) -> Address {
        peer.clone()
    }

    fn nkey(&self, public: &str) -> String {
        public.to_owned()
    }

    fn secrets_include(&self, plan: &Plan) -> String {
        // nats-server joins every include to the config's folder, absolute paths too.
        format!("../../..{}", secrets_file(plan))
    }

    fn ports_file_dir(&self) -> Option<String> {
        None
    }
}

/// `host:port`, with the brackets that an IPv6 address needs.
pub fn host_port(address: &Address) -> String {
    if address.host.contains(':') {
        format!("[{}]:{}", address.host, address.port)
    } else {
        format!("{}:{}", address.host, address.port)
    }
}
