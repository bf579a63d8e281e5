//! Transitions between specs: a new one is a new line here, and a row of `reload.json` without
//! one fails the test.

/// Changes that start from one golden spec.
pub struct Base {
    pub role: &'static str,
    pub case: &'static str,
    /// What the golden spec lacks.
    pub tweaks: &'static [(&'static str, &'static str)],
    pub changes: &'static [Change],
}

/// Values set at once; the value is JSON, or `-` for nothing.
pub struct Change {
    pub row: &'static str,
    pub sets: &'static [(&'static str, &'static str)],
}

const fn change(row: &'static str, sets: &'static [(&'static str, &'static str)]) -> Change {
    Change { row, sets }
}

const USER: &str = r#"{"nkey": "UDVYRKCDSNW6MDQSHMYWGLFGB2532YMH4JPQHZJW6GHQQSYDVZ6Q4CWK",
    "passwordHash": null, "permissions": {"allowResponses": true,
    "publish": {"allow": ["a.>"], "deny": ["a.b"]}, "subscribe": {"allow": [], "deny": []}}}"#;
const ACCOUNT: &str =
    r#"{"jetstream": {"enable": true, "maxFile": "1GiB", "maxMemory": "16MiB"}, "users": {}}"#;
const LEAF: &str = r#"{"account": "CIM", "certificate": "CN=new", "domain": "new", "exports": [],
    "imports": [{"subject": "a.>"}], "localAccount": "CIM", "nkey": null,
    "remotes": {"hub": {"hub": "hub"}}}"#;
const NODE: &str = r#"{"address": "new.example.com", "clusterPort": 6222, "leafnodesPort": 7422, "port": 4222}"#;
const CERT: &str = r#""/run/secrets/renewed.pem""#;
const KEY: &str = r#""/run/secrets/renewed.key""#;
const CA: &str = r#""/run/secrets/renewed-ca.pem""#;

/// Rows that hubs and leaves share, under each one's own name.
macro_rules! shared {
    ($role:literal, $($change:expr),* $(,)?) => {
        &[
            change(concat!($role, ".server.limits.maxConnections"), &[(concat!($role, ".server.limits.maxConnections"), "10")]),
            change(concat!($role, ".server.limits.maxPayload"), &[(concat!($role, ".server.limits.maxPayload"), r#""8MiB""#)]),
            change(concat!($role, ".server.limits.maxPayload"), &[(concat!($role, ".server.limits.maxPayload"), r#""64KiB""#)]),
            change(concat!($role, ".server.limits.maxControlLine"), &[(concat!($role, ".server.limits.maxControlLine"), r#""16KiB""#)]),
            change(concat!($role, ".server.limits.writeDeadline"), &[(concat!($role, ".server.limits.writeDeadline"), r#""3s""#)]),
            change(concat!($role, ".server.limits.pingInterval"), &[(concat!($role, ".server.limits.pingInterval"), r#""7s""#)]),
            change(concat!($role, ".server.limits.pingMax"), &[(concat!($role, ".server.limits.pingMax"), "5")]),
            change(concat!($role, ".server.logging"), &[(concat!($role, ".server.logging.debug"), "true")]),
            change(concat!($role, ".server.logging"), &[(concat!($role, ".server.logging.trace"), "true")]),
            change(concat!($role, ".server.logging"), &[(concat!($role, ".server.logging.logtime"), "true")]),
            change(concat!($role, ".server.logging"), &[(concat!($role, ".server.logging.connectErrorReports"), "7")]),
            change(concat!($role, ".server.logging"), &[(concat!($role, ".server.logging.reconnectErrorReports"), "7")]),
            change(concat!($role, ".server.tls.certFile"), &[(concat!($role, ".server.tls.certFile"), CERT)]),
            change(concat!($role, ".server.tls.keyFile"), &[(concat!($role, ".server.tls.keyFile"), KEY)]),
            change(concat!($role, ".server.tls.caFile"), &[(concat!($role, ".server.tls.caFile"), CA)]),
            change(concat!($role, ".server.tls.caFile"), &[(concat!($role, ".server.tls.caFile"), "null")]),
            $($change),*
        ]
    };
}

pub const BASES: &[Base] = &[
    Base {
        role: "hub",
        case: "hub-1",
        tweaks: &[],
        changes: shared!(
            "hub",
            change("fleet.accounts", &[("fleet.accounts.CIM.users.new", USER)]),
            change("fleet.accounts", &[("fleet.accounts.CIM.users.alchemist", "-")]),
            change("fleet.accounts", &[("fleet.accounts.CIM.users.alchemist.permissions.publish.allow", "[]")]),
            change("fleet.accounts", &[("fleet.accounts.CIM.users.alchemist.permissions.subscribe.deny", r#"["a.>"]"#)]),
            change("fleet.accounts", &[("fleet.accounts.SYS.users.new", USER)]),
            change("fleet.accounts", &[("fleet.accounts.NEW", ACCOUNT)]),
            change("fleet.accounts", &[("fleet.accounts.CIM.jetstream.maxFile", r#""16GiB""#)]),
            change("fleet.accounts", &[("fleet.accounts.CIM.jetstream.maxFile", r#""1GiB""#)]),
            change("fleet.accounts", &[("fleet.accounts.CIM.jetstream.maxFile", "null")]),
            change("fleet.accounts", &[("fleet.accounts.CIM.jetstream.maxMemory", r#""64MiB""#)]),
            change("fleet.accounts", &[("fleet.accounts.CIM.jetstream.enable", "false")]),
            change("fleet.leaves", &[("fleet.leaves.new", LEAF)]),
            change("fleet.leaves", &[("fleet.leaves.cim-dev-001", "-")]),
            change("fleet.leaves", &[("fleet.leaves.cim-dev-001.exports", r#"[{"subject": "other.>"}]"#)]),
            change("fleet.leaves", &[("fleet.leaves.cim-dev-001.imports", "[]")]),
            change("fleet.leaves", &[("fleet.leaves.cim-dev-001.domain", r#""other""#)]),
            change("fleet.leaves", &[("fleet.leaves.cim-dev-001.nkey", "null"), ("fleet.leaves.cim-dev-001.certificate", r#""CN=dev""#)]),
            change("fleet.leaves", &[("fleet.accounts.NEW", ACCOUNT), ("fleet.leaves.cim-dev-001.account", r#""NEW""#)]),
            change("hub.cluster.tls.certFile", &[("hub.cluster.tls.certFile", CERT)]),
            change("hub.cluster.tls.keyFile", &[("hub.cluster.tls.keyFile", KEY)]),
            change("hub.cluster.tls.caFile", &[("hub.cluster.tls.caFile", CA)]),
            change("hub.cluster.tls.caFile", &[("hub.cluster.tls.caFile", "null")]),
            change("hub.leafnodes.compression", &[("hub.leafnodes.compression", r#""off""#)]),
            change("hub.leafnodes.compression", &[("hub.leafnodes.compression", r#""accept""#)]),
            change("hub.leafnodes.compression", &[("hub.leafnodes.compression", r#""s2_best""#)]),
            change("hub.leafnodes.tls.certFile", &[("hub.leafnodes.tls.certFile", CERT)]),
            change("hub.leafnodes.tls.keyFile", &[("hub.leafnodes.tls.keyFile", KEY)]),
            change("hub.leafnodes.tls.caFile", &[("hub.leafnodes.tls.caFile", CA)]),
        ),
    },
    // On its own, its JetStream works: quotas are applied, not only read.
    Base {
        role: "hub",
        case: "hub-single",
        tweaks: &[],
        changes: &[
            change("fleet.accounts", &[("fleet.accounts.NEW", ACCOUNT)]),
            change("fleet.accounts", &[("fleet.accounts.CIM.jetstream.maxFile", r#""16GiB""#)]),
            change("fleet.accounts", &[("fleet.accounts.CIM.jetstream.maxFile", "null")]),
            change("fleet.accounts", &[("fleet.accounts.CIM.jetstream.maxMemory", r#""64MiB""#)]),
            change("fleet.accounts", &[("fleet.accounts.CIM.jetstream.enable", "false")]),
            change("fleet.accounts", &[("fleet.accounts.CIM.users.app", "-")]),
            change("hub.leafnodes.tls.caFile", &[("hub.leafnodes.tls.caFile", "null")]),
        ],
    },
    Base {
        role: "leaf",
        case: "cim-prod-001",
        tweaks: &[(
            "leaf.server.tls",
            r#"{"certFile": "/run/secrets/a.pem", "keyFile": "/run/secrets/a.key", "caFile": "/run/secrets/ca.pem"}"#,
        )],
        changes: shared!(
            "leaf",
            change("fleet.accounts", &[("fleet.accounts", r#"["CIM", "OTHER"]"#)]),
            change("fleet.hubs.*.nodes", &[("fleet.hubs.hub.nodes.hub-3", "-")]),
            change("fleet.hubs.*.nodes", &[("fleet.hubs.hub.nodes.hub-2.address", r#""new.example.com""#)]),
            change("fleet.hubs.*.nodes", &[("fleet.hubs.hub.nodes.hub-2.leafnodesPort", "7423")]),
            change("fleet.hubs.*.nodes", &[("fleet.hubs.hub.nodes.hub-0", NODE)]),
            change("fleet.leaf.account", &[("fleet.accounts", r#"["CIM", "OTHER"]"#), ("fleet.leaf.account", r#""OTHER""#)]),
            change("fleet.leaf.imports", &[("fleet.leaf.imports", r#"[{"subject": "other.>"}]"#)]),
            change("fleet.leaf.exports", &[("fleet.leaf.exports", "[]")]),
            change("leaf.accounts", &[("leaf.accounts.CIM.users.new", USER)]),
            change("leaf.accounts", &[("leaf.accounts.CIM.users.graph.permissions.publish.allow", r#"["a.>"]"#)]),
            change("leaf.accounts", &[("leaf.accounts.CIM.jetstream.maxFile", r#""1GiB""#)]),
            change("leaf.accounts", &[("leaf.accounts.CIM.jetstream.enable", "false")]),
            change("leaf.accounts", &[("leaf.accounts.NEW", ACCOUNT)]),
            change("leaf.nkeySeedFile", &[("leaf.nkeySeedFile", r#""/run/secrets/renewed.nk""#)]),
            change("leaf.remotes.*.compression", &[("leaf.remotes.hub.compression", r#""off""#)]),
            change("leaf.remotes.*.compression", &[("leaf.remotes.hub.compression", r#""s2_best""#)]),
            change("leaf.remotes.*.tls.certFile", &[("leaf.remotes.hub.tls.certFile", CERT)]),
            change("leaf.remotes.*.tls.keyFile", &[("leaf.remotes.hub.tls.keyFile", KEY)]),
            change("leaf.remotes.*.tls.caFile", &[("leaf.remotes.hub.tls.caFile", CA)]),
            change("leaf.remotes.*.tls.caFile", &[("leaf.remotes.hub.tls.caFile", "null")]),
        ),
    },
    Base {
        role: "leaf",
        case: "leaf-credentials",
        tweaks: &[],
        changes: &[
            change("leaf.remotes.*.credentialsFile", &[("leaf.remotes.primary.credentialsFile", r#""/run/secrets/renewed.creds""#)]),
            change("leaf.remotes.*.tls.certFile", &[("leaf.remotes.spare.tls.certFile", CERT), ("leaf.remotes.spare.tls.keyFile", KEY)]),
            change("leaf.remotes.*.tls.caFile", &[("leaf.remotes.spare.tls.caFile", CA)]),
            change("leaf.remotes.*.compression", &[("leaf.remotes.spare.compression", r#""s2_auto""#)]),
        ],
    },
];

/// Role, golden spec, path and value of changes that need a restart.
pub const COLD: &[(&str, &str, &str, &str)] = &[
    ("hub", "hub-1", "hub.server.limits.maxSubscriptions", "10000"),
    ("hub", "hub-1", "hub.server.lameDuck.duration", r#""60s""#),
    ("hub", "hub-1", "hub.server.jetstream.maxFileStore", r#""50GiB""#),
    ("hub", "hub-1", "hub.server.jetstream.syncInterval", r#""1m""#),
    ("hub", "hub-1", "fleet.hubs.hub.domain", r#""other""#),
    ("leaf", "cim-prod-001", "leaf.server.limits.maxPending", r#""128MiB""#),
    ("leaf", "cim-prod-001", "leaf.leafnodes.reconnect", r#""3s""#),
    ("leaf", "cim-prod-001", "fleet.leaf.domain", r#""other""#),
];
