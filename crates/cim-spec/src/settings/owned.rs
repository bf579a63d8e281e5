//! Which keys of nats.conf belong to a typed option, and what to write for spellings that
//! look like NATS but are not.
//!
//! A table: one row a key. `a|b` are names that nats-server takes for the same key; `{i}` is
//! the instance, `services.cim.hub` or `services.cim.leaves.<name>`.

use super::Role;

/// A key that `settings` must not hold.
pub struct Owned {
    /// The key's path in nats.conf, from the top; list positions do not count.
    pub path: &'static [&'static str],
    /// What to use on a hub.
    pub hub: &'static str,
    /// What to use on a leaf.
    pub leaf: &'static str,
}

const fn both(path: &'static [&'static str], owner: &'static str) -> Owned {
    Owned {
        path,
        hub: owner,
        leaf: owner,
    }
}

const fn split(path: &'static [&'static str], hub: &'static str, leaf: &'static str) -> Owned {
    Owned { path, hub, leaf }
}

const REMOTES: &str =
    "leafnodes.remotes are made from services.cim.fleet.leaves.<name>.remotes and {i}.remotes";
const FLEET_ACCOUNTS: &str = "set services.cim.fleet.accounts";
const LEAF_ACCOUNTS: &str = "set {i}.accounts";
const LEAF_OPERATOR: &str =
    "a leaf's own accounts are {i}.accounts; its link uses {i}.remotes.<name>.credentialsFile";
const HUB_USERS: &str =
    "set services.cim.fleet.accounts.<name>.users.<name> with an nkey or a passwordHash";
const LEAF_USERS: &str = "set {i}.accounts.<name>.users.<name> with an nkey or a passwordHash";

/// The table.
#[rustfmt::skip] // a row a line
pub const OWNED: &[Owned] = &[
    split(&["server_name"], "the server name is {i}.node", "the server name is the leaf's name in services.cim.leaves"),
    split(&["listen"], "set {i}.host and services.cim.fleet.hubs.<name>.nodes.<name>.port", "set {i}.host and {i}.port"),
    both(&["host|net"], "set {i}.host"),
    split(&["port"], "set services.cim.fleet.hubs.<name>.nodes.<name>.port", "set {i}.port"),
    split(&["client_advertise"], "set services.cim.fleet.hubs.<name>.nodes.<name>.address", "clients of a leaf are local: leave it out"),
    both(&["tls"], "set {i}.tls"),
    both(&["http|http_port|monitor_port|https|https_port|monitoring"], "set {i}.httpPort; the monitoring listener is on loopback only"),
    both(&["max_connections|max_conn"], "set {i}.limits.maxConnections"),
    both(&["max_subscriptions|max_subs"], "set {i}.limits.maxSubscriptions"),
    both(&["max_payload"], "set {i}.limits.maxPayload"),
    both(&["max_pending"], "set {i}.limits.maxPending"),
    both(&["max_control_line"], "set {i}.limits.maxControlLine"),
    both(&["write_deadline"], "set {i}.limits.writeDeadline"),
    both(&["ping_interval"], "set {i}.limits.pingInterval"),
    both(&["ping_max"], "set {i}.limits.pingMax"),
    both(&["lame_duck_duration"], "set {i}.lameDuck.duration"),
    both(&["lame_duck_grace_period"], "set {i}.lameDuck.gracePeriod"),
    both(&["debug"], "set {i}.logging.debug"),
    both(&["trace"], "set {i}.logging.trace"),
    both(&["logtime"], "set {i}.logging.logtime"),
    both(&["log_file|logfile"], "the unit logs to the journal: read it with journalctl"),
    both(&["log_max_num|logfile_max_num"], "the unit logs to the journal, which rotates by itself"),
    both(&["log_size_limit|logfile_size_limit"], "the unit logs to the journal, which rotates by itself"),
    both(&["pid_file|pidfile"], "systemd knows the process: leave it out"),
    both(&["connect_error_reports"], "set {i}.logging.connectErrorReports"),
    both(&["reconnect_error_reports"], "set {i}.logging.reconnectErrorReports"),
    split(&["system_account|system"], "set services.cim.fleet.systemAccount", "a leaf keeps its own system account: leave it out"),
    both(&["store_dir|storedir"], "set {i}.jetstream.storeDir"),
    both(&["jetstream", "enabled|enable"], "set {i}.jetstream.enable"),
    both(&["jetstream", "store_dir|storedir|store"], "set {i}.jetstream.storeDir"),
    both(&["jetstream", "max_memory_store|max_mem_store|max_mem|memory_store"], "set {i}.jetstream.maxMemoryStore"),
    both(&["jetstream", "max_file_store|max_file|file_store"], "set {i}.jetstream.maxFileStore"),
    both(&["jetstream", "sync_interval|sync"], "set {i}.jetstream.syncInterval"),
    split(&["jetstream", "domain"], "set services.cim.fleet.hubs.<name>.domain", "set services.cim.fleet.leaves.<name>.domain"),
    both(&["jetstream", "key|ek|encryption_key"], "set {i}.jetstream.encryption.keyFile"),
    both(&["jetstream", "prev_key|prev_ek|prev_encryption_key"], "set {i}.jetstream.encryption.prevKeyFile"),
    both(&["jetstream", "cipher"], "set {i}.jetstream.encryption.cipher"),
    both(&["jetstream", "tpm"], "a key in a file does it, and can go with the store to another machine: set {i}.jetstream.encryption"),
    both(&["jetstream", "streams"], "nats.conf holds no streams: they are made over the JetStream API, for example by `nats stream add`"),
    both(&["jetstream", "compression"], "compression is a setting of each stream, not of the server"),
    both(&["jetstream", "block_size"], "nats-server chooses the block size: leave it out"),
    split(&["operator|operators|root|roots|root_operator|root_operators"], "set services.cim.fleet.operator.jwt", LEAF_OPERATOR),
    split(&["resolver|account_resolver|accounts_resolver"], "set services.cim.fleet.operator.resolver", LEAF_OPERATOR),
    split(&["resolver", "hard_delete"], "a deleted account's JWT stays on disk under another name, so that a mistake can be undone: leave it out", LEAF_OPERATOR),
    split(&["resolver_preload"], "set services.cim.fleet.accounts.<name>.jwt", LEAF_OPERATOR),
    split(&["accounts"], FLEET_ACCOUNTS, LEAF_ACCOUNTS),
    split(&["authorization", "users|user|username|password|pass|token|nkeys"], HUB_USERS, LEAF_USERS),
    split(&["authorization", "default_permissions|default_permission|permissions"], "set permissions on each user of services.cim.fleet.accounts", "set permissions on each user of {i}.accounts"),
    split(&["authorization", "auth_callout|auth_hook"], "set services.cim.fleet.authCallout", "set {i}.authCallout"),
    both(&["authorization", "auth_timeout"], "nats-server calls it authorization.timeout, in seconds"),
    both(&["authorization", "resolver"], "the resolver stands at the top of nats.conf: settings.resolver"),
    both(&["cluster", "name"], "the cluster's name is the hub's in services.cim.fleet.hubs"),
    both(&["cluster", "listen|host|net"], "set {i}.cluster.host"),
    both(&["cluster", "port"], "set services.cim.fleet.hubs.<name>.nodes.<name>.clusterPort"),
    both(&["cluster", "routes"], "routes are made from services.cim.fleet.hubs.<name>.nodes"),
    both(&["cluster", "tls"], "set {i}.cluster.tls"),
    both(&["cluster", "compression"], "set {i}.cluster.compression"),
    both(&["cluster", "advertise|cluster_advertise"], "set services.cim.fleet.hubs.<name>.nodes.<name>.address"),
    both(&["leafnodes", "listen|host|net"], "set {i}.leafnodes.host on the hub"),
    both(&["leafnodes", "port"], "set services.cim.fleet.hubs.<name>.nodes.<name>.leafnodesPort"),
    both(&["leafnodes", "advertise|leafnode_advertise"], "set services.cim.fleet.hubs.<name>.nodes.<name>.address"),
    both(&["leafnodes", "authorization", "user|username|password|pass|nkey|users|account"], "leaves are users of accounts: set services.cim.fleet.leaves.<name>.nkey or certificate"),
    both(&["leafnodes", "authorization", "proxy_required"], "it has no effect without users there: leave it out"),
    split(&["leafnodes", "tls"], "set {i}.leafnodes.tls", "set {i}.remotes.<name>.tls"),
    both(&["leafnodes", "tls", "verify"], "set services.cim.fleet.hubs.<name>.leafnodes.verify"),
    both(&["leafnodes", "tls", "verify_and_map"], "set services.cim.fleet.hubs.<name>.leafnodes.verifyAndMap"),
    split(&["leafnodes", "compression"], "set {i}.leafnodes.compression", "set {i}.remotes.<name>.compression"),
    split(&["leafnodes", "reconnect|reconnect_delay|reconnect_interval"], "the leaf redials: set services.cim.leaves.<name>.leafnodes.reconnect", "set {i}.leafnodes.reconnect"),
    both(&["leafnodes", "reconnect_buf_size"], "nats-server has no such buffer: what must survive a cut link goes through a stream on the leaf"),
    both(&["leafnodes", "remotes"], REMOTES),
    both(&["leafnodes", "remotes", "url|urls"], "set services.cim.fleet.hubs.<name>.nodes.<name>.address; all nodes of the hub become urls"),
    both(&["leafnodes", "remotes", "account|local"], "set services.cim.fleet.leaves.<name>.localAccount (its own side) and account (the hub's side)"),
    both(&["leafnodes", "remotes", "credentials|creds"], "set {i}.remotes.<name>.credentialsFile"),
    both(&["leafnodes", "remotes", "nkey|seed"], "set {i}.nkeySeedFile"),
    both(&["leafnodes", "remotes", "tls"], "set {i}.remotes.<name>.tls"),
    both(&["leafnodes", "remotes", "tls", "cert_file"], "set {i}.remotes.<name>.tls.certFile"),
    both(&["leafnodes", "remotes", "tls", "key_file"], "set {i}.remotes.<name>.tls.keyFile"),
    both(&["leafnodes", "remotes", "tls", "ca_file"], "set {i}.remotes.<name>.tls.caFile"),
    both(&["leafnodes", "remotes", "tls", "verify"], "a leaf always verifies its hub: leave it out; for the hub to verify leaves set services.cim.fleet.hubs.<name>.leafnodes.verify"),
    both(&["leafnodes", "remotes", "tls", "verify_and_map"], "the hub maps certificates: set services.cim.fleet.hubs.<name>.leafnodes.verifyAndMap"),
    both(&["leafnodes", "remotes", "compression"], "set {i}.remotes.<name>.compression"),
    both(&["leafnodes", "remotes", "import|imports"], "set services.cim.fleet.leaves.<name>.imports"),
    both(&["leafnodes", "remotes", "export|exports"], "set services.cim.fleet.leaves.<name>.exports"),
    both(&["leafnodes", "remotes", "connection", "compression"], "set {i}.remotes.<name>.compression"),
    both(&["leafnodes", "remotes", "connection"], "nats-server has no such block: name, TLS and compression of a link have options under {i}.remotes.<name>"),
    both(&["leafnodes", "remotes", "connections"], "a remote is one connection: leave it out"),
    both(&["leafnodes", "remotes", "proxy", "username|password|tls"], "nats-server takes a proxy's password only inline: let the proxy admit the leaf by its address"),
    both(&["leafnodes", "remotes", "no_delay"], "nats-server does not tune TCP: leave it out"),
    both(&["leafnodes", "remotes", "write_deadline"], "set {i}.limits.writeDeadline"),
    both(&["leafnodes", "remotes", "pending_size"], "set {i}.limits.maxPending"),
    both(&["leafnodes", "remotes", "verbose"], "set {i}.logging.debug"),
    both(&["leafnodes", "remotes", "headers"], "a link carries no headers of its own: leave it out"),
    both(&["leafnodes", "isolate_leafnode_interest|isolate"], "set services.cim.fleet.hubs.<name>.leafnodes.isolateInterest"),
    both(&["websocket", "listen|host|net"], "set {i}.websocket.host"),
    split(&["websocket", "port"], "set services.cim.fleet.hubs.<name>.nodes.<name>.websocketPort", "set {i}.websocket.port"),
    both(&["websocket", "tls"], "set {i}.websocket.tls"),
    both(&["websocket", "no_tls"], "set {i}.websocket.plaintext"),
    both(&["websocket", "advertise"], "set services.cim.fleet.hubs.<name>.nodes.<name>.address"),
    both(&["websocket", "authorization|authentication", "user|username|password|pass|token"], "it would stand in for all users on this listener: use an account's users, with allowedConnectionTypes"),
    both(&["mqtt", "listen|host|net"], "set {i}.mqtt.host"),
    both(&["mqtt", "port"], "set {i}.mqtt.port"),
    both(&["mqtt", "tls"], "set {i}.mqtt.tls"),
    both(&["mqtt", "authorization|authentication", "user|username|password|pass|token"], "it would stand in for all users on this listener: use an account's users, with allowedConnectionTypes"),
    split(&["gateway", "name"], "the gateway's name is the hub's in services.cim.fleet.hubs", "a leaf has no gateway: leave it out"),
    split(&["gateway", "listen|host|net"], "set {i}.gateway.host", "a leaf has no gateway: leave it out"),
    split(&["gateway", "port"], "set services.cim.fleet.hubs.<name>.nodes.<name>.gatewayPort", "a leaf has no gateway: leave it out"),
    split(&["gateway", "gateways"], "the other hubs are those of services.cim.fleet.hubs whose nodes have a gatewayPort", "a leaf has no gateway: leave it out"),
    split(&["gateway", "tls"], "set {i}.gateway.tls", "a leaf has no gateway: leave it out"),
    split(&["gateway", "advertise"], "set services.cim.fleet.hubs.<name>.nodes.<name>.address", "a leaf has no gateway: leave it out"),
    split(&["users|user|username|password|pass|token|nkeys"], HUB_USERS, LEAF_USERS),
    both(&["syslog|remote_syslog"], "the unit logs to the journal, which would then stay empty: forward the journal"),
    both(&["prof_port"], "it serves profiles to anyone, without authentication: leave it out"),
    both(&["prof_block_rate"], "it is of use only with prof_port, which is refused: leave it out"),
    both(&["allow_non_tls"], "clients without TLS would be let in on a TLS listener: leave it out"),
    both(&["no_header_support"], "JetStream and tracing need headers: leave it out"),
    both(&["no_system_account|no_system|no_sys_acc"], "health and events need the system account: leave it out"),
    both(&["http_base_path"], "node tools read the monitoring listener at `/`: put the path into the proxy in front of it"),
    both(&["mappings|maps"], "it maps subjects of an account that no user is in: set an account's mappings"),
    both(&["ocsp", "urls"], "nats-server cannot read this list: write one in {i}.ocsp.url"),
    both(&["cluster", "authorization", "user|username|password|pass"], "nodes know each other by their certificates: set {i}.cluster.tls"),
    both(&["cluster", "authorization", "token|users|nkey|nkeys|auth_callout|auth_hook"], "nats-server does not take it here: leave it out"),
    both(&["cluster", "authorization", "default_permissions|default_permission|permissions|proxy_required"], "it has no effect on routes: leave it out"),
    both(&["cluster", "permissions", "allow_responses|publish_allow_responses"], "routes have no answers of their own: leave it out"),
    both(&["gateway", "authorization", "user|username|password|pass"], "hubs know each other by their certificates: set {i}.gateway.tls"),
    both(&["gateway", "authorization", "token|users|nkey|nkeys|auth_callout|auth_hook"], "nats-server does not take it here: leave it out"),
    both(&["gateway", "authorization", "default_permissions|default_permission|permissions|proxy_required"], "it has no effect on gateways: leave it out"),
    both(&["mqtt", "consumer_replicas"], "nats-server ignores it: leave it out"),
    both(&["ports_file_dir"], "nats-server's ports are those of the options: leave it out"),
    both(&["cim_leaf_nkey"], "set {i}.nkeySeedFile"),
    both(&["include"], "nats.conf has one writer: write the keys of that file into {i}.settings"),
];

/// Fields of any `tls` block that has no option for them, and why.
#[rustfmt::skip] // a row a line
pub const TLS: &[(&str, &str)] = &[
    ("cert_store|cert_match_by|cert_match|ca_certs_match|cert_match_skip_invalid", "it is for the certificate store of Windows: name files in the tls options"),
    ("certs", "one certificate can hold all names of a server: leave it out"),
    ("insecure", "this end dials nobody: leave it out"),
    ("verify", "both ends of this connection are verified already: leave it out"),
    ("verify_and_map", "servers are not users here: leave it out"),
    ("verify_cert_and_check_known_urls", "it is for routes and gateways, whose two ends dial each other: leave it out"),
    ("connection_rate_limit", "nats-server heeds it for clients only: leave it out"),
    ("handshake_first|first|immediate", "nats-server heeds it for clients and leaves only: leave it out"),
    ("pinned_certs", "nats-server heeds it where others dial in, and not here: leave it out"),
    ("ocsp_peer", "nats-server looks up certificates of clients and leaf links only: leave it out"),
    ("timeout", "the whole handshake of WebSocket has one limit: {i}.websocket.handshakeTimeout"),
];

/// The reason for which a field of some `tls` block has no option.
pub fn tls(keys: &[&str]) -> Option<(usize, &'static str)> {
    let block = keys
        .iter()
        .position(|key| key.eq_ignore_ascii_case("tls"))?;
    let key = keys.get(block + 1)?;
    let row = TLS
        .iter()
        .find(|(names, _)| names.split('|').any(|name| name.eq_ignore_ascii_case(key)))?;
    Some((block + 2, row.1))
}

impl Owned {
    /// What to use instead.
    pub fn owner(&self, role: Role) -> String {
        match role {
            Role::Hub => self.hub.to_owned(),
            Role::Leaf => self.leaf.to_owned(),
        }
    }

    /// Whether this row speaks for `keys`: they begin with its path.
    pub fn covers(&self, keys: &[&str]) -> bool {
        self.path.len() <= keys.len() && self.agrees(keys)
    }

    /// Whether this row speaks for something inside `keys`.
    pub fn is_inside(&self, keys: &[&str]) -> bool {
        self.path.len() > keys.len() && self.agrees(keys)
    }

    fn agrees(&self, keys: &[&str]) -> bool {
        self.path
            .iter()
            .zip(keys)
            .all(|(names, key)| names.split('|').any(|name| name.eq_ignore_ascii_case(key)))
    }
}
