//! The fleet value that says what a store's JWTs say.

use std::fmt::Write;

use cim_creds::body::limits::{JetStreamLimits, NO_LIMIT};
use cim_creds::body::permissions::{Permission, Permissions, UserPermissionLimits};
use cim_creds::body::share::Export;

use super::items::{self, duration, exporter, imported, list, text};
use super::roles::shared;
use super::store::{Account, Store, User};

/// Nix, and what no option says.
pub struct Nix {
    /// The fleet value.
    pub text: String,
    /// What the JWTs say and the text does not.
    pub left_out: Vec<String>,
}

/// Writes the fleet value of a store.
pub fn nix(store: &Store) -> Nix {
    let mut out = Writer::default();
    out.line("# What nsc's store said, as the fleet's value; hubs and leaves, which nsc does not know, are yours to add.");
    out.open("{");
    out.line("identity = ./identity;");
    out.line("operator = { };");
    let system = &store.operator.nats.system_account;
    if let Some(account) = store
        .accounts
        .iter()
        .find(|account| account.claims.data.sub == *system)
    {
        out.line(&format!("systemAccount = {};", text(&account.name)));
    }
    let users = || store.accounts.iter().flat_map(|account| &account.users);
    if users().next().is_some() && users().all(|user| user.claims.data.exp == 0) {
        out.line("# None of nsc's users expired.");
        out.line("lifetimes.user = null;");
    }
    for account in &store.accounts {
        out.account(store, account, account.claims.data.sub == *system);
    }
    out.close("}");
    Nix {
        text: out.text,
        left_out: out.left_out,
    }
}

#[derive(Default)]
struct Writer {
    text: String,
    depth: usize,
    left_out: Vec<String>,
    /// Whose settings are written.
    of: String,
}

impl Writer {
    fn line(&mut self, line: &str) {
        // Writing to a text never fails.
        let _ = writeln!(self.text, "{}{line}", "  ".repeat(self.depth));
    }

    fn open(&mut self, line: &str) {
        self.line(line);
        self.depth += 1;
    }

    fn close(&mut self, line: &str) {
        self.depth -= 1;
        self.line(line);
    }

    fn left(&mut self, what: &str) {
        self.left_out.push(format!("{}: {what}", self.of));
    }

    fn account(&mut self, store: &Store, account: &Account, system: bool) {
        self.of = format!("account {}", account.name);
        let nats = &account.claims.nats;
        self.open(&format!("accounts.{} = {{", text(&account.name)));
        self.limits(account, system);
        self.lists(store, account, system);
        for (from, to) in &nats.mappings {
            let each = to.iter().map(|to| {
                let weight = if to.weight == 0 { 100 } else { to.weight };
                let cluster = match to.cluster.as_str() {
                    "" => String::new(),
                    cluster => format!(" cluster = {};", text(cluster)),
                };
                format!(
                    "{{ destination = {}; weight = {weight};{cluster} }}",
                    text(&to.subject)
                )
            });
            let each = each.collect::<Vec<_>>().join(" ");
            self.line(&format!("mappings.{} = [ {each} ];", text(from)));
        }
        let shared = shared(account).map(|scope| &scope.template);
        let default = shared.map_or(&nats.default_permissions, |template| &template.permissions);
        self.permissions("defaultPermissions", default);
        if let Some(trace) = &nats.trace {
            self.line(&format!("msgTrace.dest = {};", text(&trace.dest)));
            if trace.sampling != 0 {
                self.line(&format!("msgTrace.sampling = {};", trace.sampling));
            }
        }
        if !nats.authorization.auth_users.is_empty() {
            self.left("auth callout: set services.cim.fleet.authCallout");
        }
        for user in &account.users {
            self.user(account, user);
        }
        self.close("};");
    }

    fn limits(&mut self, account: &Account, system: bool) {
        let limits = &account.claims.nats.limits;
        for (option, value) in [
            ("maxConnections", limits.conn),
            ("maxSubscriptions", limits.subs),
            ("maxLeafnodes", limits.leaf),
        ] {
            if value != NO_LIMIT {
                self.line(&format!("limits.{option} = {value};"));
            }
        }
        if limits.payload != NO_LIMIT {
            self.line(&format!("limits.maxPayload = \"{}\";", limits.payload));
        }
        let unsaid = [
            (limits.imports != NO_LIMIT, "the limit of imports"),
            (limits.exports != NO_LIMIT, "the limit of exports"),
            (
                limits.data != NO_LIMIT,
                "the limit of data, which nats-server never enforced",
            ),
            (!limits.wildcards, "that exports have no wildcards"),
            (
                limits.disallow_bearer,
                "that bearer tokens are refused; none are made here",
            ),
            (!limits.tiered_limits.is_empty(), "JetStream limits by tier"),
        ];
        for (_, what) in unsaid.iter().filter(|(said, _)| *said) {
            self.left(what);
        }
        let jetstream = &limits.jetstream;
        let on = *jetstream != JetStreamLimits::default() || !limits.tiered_limits.is_empty();
        if on == system {
            self.line(&format!("jetstream.enable = {on};"));
        }
        if *jetstream == JetStreamLimits::default() {
            return;
        }
        for (option, value) in [
            ("maxMemory", jetstream.mem_storage),
            ("maxFile", jetstream.disk_storage),
        ] {
            if value != NO_LIMIT {
                self.line(&format!("jetstream.{option} = \"{value}\";"));
            }
        }
        for (option, value) in [
            ("maxStreams", jetstream.streams),
            ("maxConsumers", jetstream.consumer),
            ("maxAckPending", jetstream.max_ack_pending),
        ] {
            if value > 0 {
                self.line(&format!("jetstream.{option} = {value};"));
            }
        }
        for (option, value) in [
            ("memMaxStreamBytes", jetstream.mem_max_stream_bytes),
            ("diskMaxStreamBytes", jetstream.disk_max_stream_bytes),
        ] {
            if value > 0 {
                self.line(&format!("jetstream.{option} = \"{value}\";"));
            }
        }
        if jetstream.max_bytes_required {
            self.line("jetstream.maxBytesRequired = true;");
        }
    }

    fn lists(&mut self, store: &Store, account: &Account, system: bool) {
        let nats = &account.claims.nats;
        let own = |export: &&Export| !(system && export.subject.starts_with("$SYS."));
        let exports: Vec<&Export> = nats.exports.iter().filter(own).collect();
        if !exports.is_empty() {
            self.open("exports = [");
            for export in exports {
                let line = items::export(store, account, export);
                self.line(&line);
            }
            self.close("];");
        }
        if !nats.imports.is_empty() {
            self.open("imports = [");
            for import in &nats.imports {
                match exporter(store, import) {
                    Some(name) => {
                        let line = imported(import, name);
                        self.line(&line);
                    }
                    None => {
                        let what = format!(
                            "the import of {} from {}, which is in no account here",
                            import.subject, import.account
                        );
                        self.left(&what);
                    }
                }
            }
            self.close("];");
        }
    }

    fn user(&mut self, account: &Account, user: &User) {
        self.of = format!("user {}/{}", account.name, user.name);
        let scope = account
            .claims
            .nats
            .signing_keys
            .get(&user.claims.data.iss)
            .flatten();
        let shared = shared(account).is_some_and(|shared| shared.key == user.claims.data.iss);
        let limits = scope.map_or(&user.claims.nats.limits, |scope| &scope.template);
        self.unsaid(limits);
        let at = format!("users.{}", text(&user.name));
        let types = &limits.allowed_connection_types;
        if shared
            || (limits.permissions == Permissions::default()
                && types.is_empty()
                && !limits.proxy_required)
        {
            self.line(&format!("{at} = {{ }};"));
            if shared && !types.is_empty() {
                self.left("its role's connection types");
            }
            return;
        }
        self.open(&format!("{at} = {{"));
        // One that may do everything says so: otherwise the account's default would hold.
        self.permissions("permissions", &limits.permissions);
        if !types.is_empty() {
            self.line(&format!("allowedConnectionTypes = {};", list(types)));
        }
        if limits.proxy_required {
            self.line("proxyRequired = true;");
        }
        self.close("};");
    }

    fn unsaid(&mut self, limits: &UserPermissionLimits) {
        let unsaid = [
            (!limits.src.is_empty(), "addresses that it may come from"),
            (!limits.times.is_empty(), "times of the day"),
            (
                limits.subs > 0,
                "its own limit of subscriptions: set the account's",
            ),
            (
                limits.payload > 0,
                "its own limit of payload: set the account's",
            ),
            (limits.bearer_token, "that its JWT alone lets it in"),
        ];
        for (_, what) in unsaid.iter().filter(|(said, _)| *said) {
            self.left(what);
        }
    }

    fn permissions(&mut self, option: &str, permissions: &Permissions) {
        if *permissions == Permissions::default() {
            return;
        }
        self.open(&format!("{option} = {{"));
        for (name, permission) in [
            ("publish", &permissions.publish),
            ("subscribe", &permissions.subscribe),
        ] {
            let Permission { allow, deny } = permission;
            let nothing = allow.is_empty() && deny.len() == 1 && deny[0] == ">";
            if nothing {
                self.line(&format!("{name}.allow = [ ];"));
                continue;
            }
            if !allow.is_empty() {
                self.line(&format!("{name}.allow = {};", list(allow)));
            }
            if !deny.is_empty() {
                self.line(&format!("{name}.deny = {};", list(deny)));
            }
        }
        if let Some(answers) = permissions.resp {
            let mut set = String::new();
            if answers.max > 0 {
                let _ = write!(set, " max = {};", answers.max);
            } else if answers.max < 0 {
                self.left(
                    "that it answers any number of times: write how often in allowResponses.max",
                );
            }
            if answers.ttl > 0 {
                let _ = write!(set, " expires = \"{}\";", duration(answers.ttl));
            }
            self.line(&format!("allowResponses = {{{set} }};"));
        }
        self.close("};");
    }
}
