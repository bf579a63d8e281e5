//! A leaf's plan: its links to hubs, how it logs in, and its own accounts.

use super::cluster::{self, Members};
use super::server::{self, Plaintext};
use super::{
    Address, ClientListener, Cluster, Link, Login, Plan, Remote, accounts, callout, listeners,
    uplink,
};
use crate::field::{Block, Connection};
use crate::file::FileKind;
use crate::path::OptionPath;
use crate::problem::{Problems, Rule};
use crate::settings::{self, Role};
use crate::spec::{self, Hub, Leaf, LeafNode, LeafSpec, RemoteOptions};
use crate::{fleet, name};

pub(super) fn plan(spec: &LeafSpec, problems: &mut Problems) -> Option<Plan> {
    let at = OptionPath::new("services.cim.leaves").join(&spec.name);
    let options = &spec.leaf.server;
    problems.parsed(Rule::Name, &at, &spec.name, name::check(&spec.name));
    settings::check(&options.settings, &at, Role::Leaf, problems);
    server::jetstream_settings(options, &at, problems);
    settings::absent(
        &options.settings,
        "gateway",
        &at,
        "a leaf has no gateway",
        "leave the block out",
        problems,
    );
    let version = server::version(&spec.nats_server_version, &at, problems);
    let limits = server::limits(&options.limits, &at.join("limits"), problems);
    let lame_duck = server::lame_duck(&options.lame_duck, &at.join("lameDuck"), problems);

    let Some(member) = &spec.fleet.leaf else {
        problems.add(
            Rule::KnownLeaf,
            &at,
            format!("{:?} is not a leaf of the fleet", spec.name),
            format!("declare it: services.cim.fleet.leaves.{} = {{ account = …; }}, or use the name that is there", spec.name),
        );
        return None;
    };
    fleet::leaf(
        &spec.name,
        member,
        &spec.fleet.accounts,
        &spec.fleet.hubs,
        problems,
    );
    for (hub_name, hub) in &spec.fleet.hubs {
        fleet::hub(hub_name, hub, problems);
        fleet::leaf_of_hub(&spec.name, member, hub_name, hub, problems);
    }

    let jetstream = server::jetstream(
        &options.jetstream,
        &member.domain,
        &at.join("jetstream"),
        problems,
    );
    let accounts_at = at.join("accounts");
    let accounts = accounts::plan(
        &spec.leaf.accounts,
        jetstream.as_ref(),
        &accounts_at,
        false,
        problems,
    );
    accounts::unique_proofs(&accounts, &accounts_at, problems);
    has_local_account(spec, member, &accounts_at, problems);

    let callout = spec.leaf.auth_callout.as_ref();
    let callout_at = at.join("authCallout");
    let callout = callout.map(|options| callout::plan(options, &accounts, &callout_at, problems));
    let client = client(spec, &at, problems);
    let link = link(spec, member, &at, problems);
    let websocket_at = at.join("websocket");
    let port = options.websocket.port;
    let websocket = listeners::websocket(&options.websocket, port, None, &websocket_at, problems);
    let mqtt_at = at.join("mqtt");
    let mqtt = listeners::mqtt(&options.mqtt, options.jetstream.enable, &mqtt_at, problems);
    let cluster = cluster(spec, member, &at, problems);
    let mut taken = vec![
        (at.join("port"), spec.leaf.port),
        (at.join("httpPort"), options.http_port),
    ];
    let side = [
        (websocket_at.join("port"), options.websocket.port),
        (mqtt_at.join("port"), options.mqtt.port),
    ];
    taken.extend(side.into_iter().filter_map(|(at, port)| Some((at, port?))));
    let free = settings::listeners(&options.settings, &at.join("settings"));
    taken.extend(
        free.into_iter()
            .map(|listener| (listener.at, listener.port)),
    );
    server::ports(&taken, problems);

    let mut plan = Plan {
        unit: name::unit(&spec.name),
        name: spec.name.clone(),
        server_name: spec.leaf.node.clone().unwrap_or_else(|| spec.name.clone()),
        client,
        http_port: options.http_port,
        limits: limits?,
        lame_duck: lame_duck?,
        logging: server::logging(options),
        jetstream,
        accounts,
        callout,
        operator: None,
        system_account: None,
        cluster,
        leafnodes: None,
        websocket,
        mqtt,
        gateway: None,
        link: Some(link?),
        fields: server::fields(options, &at, problems),
        settings: options.settings.clone(),
        lints: Vec::new(), // found once the plan holds
        version: version?,
        options: at,
    };
    uplink::install(&mut plan, member, problems);
    Some(plan)
}

/// The cluster that the leaf is, if it is one; the host says which of its nodes it is.
fn cluster(
    spec: &LeafSpec,
    member: &Leaf,
    at: &OptionPath,
    problems: &mut Problems,
) -> Option<Cluster> {
    let names = names(member.nodes.keys());
    let (what, help) = match &spec.leaf.node {
        None if member.nodes.is_empty() => {
            let why = "the leaf is one server";
            let help = "leave the block out, or declare the leaf's nodes in the fleet";
            settings::absent(
                &spec.leaf.server.settings,
                "cluster",
                at,
                why,
                help,
                problems,
            );
            return None;
        }
        None => (
            format!("is null, but the leaf is a cluster of {names}"),
            format!("say which of them this host is: one of {names}"),
        ),
        Some(node) => match member.nodes.get(node) {
            Some(own) => {
                let address = |node: &LeafNode| Address {
                    host: node.address.clone(),
                    port: node.cluster_port,
                };
                let others = member.nodes.iter().filter(|(name, _)| *name != node);
                let members = Members {
                    name: &spec.name,
                    own: address(own),
                    others: others.map(|(_, other)| address(other)).collect(),
                    reached: !server::is_loopback(&spec.leaf.server.host),
                    what: "routes between the leaf's nodes",
                };
                return cluster::plan(members, &spec.leaf.cluster, &at.join("cluster"), problems);
            }
            None => (
                format!("{node:?} is not a node of the leaf"),
                format!(
                    "declare services.cim.fleet.leaves.{}.nodes.{node} = {{ address = …; }}, or name one that is there",
                    spec.name
                ),
            ),
        },
    };
    problems.add(Rule::KnownNode, &at.join("node"), what, help);
    None
}

fn client(spec: &LeafSpec, at: &OptionPath, problems: &mut Problems) -> ClientListener {
    let options = &spec.leaf.server;
    server::bind(&options.host, at, problems);
    let tls_at = at.join("tls");
    if !server::is_loopback(&options.host) {
        Plaintext {
            tls: (&tls_at, options.tls.is_some()),
            said: (&at.join("plaintext"), options.plaintext),
            what: "client connections",
        }
        .check(problems);
    }
    ClientListener {
        host: options.host.clone(),
        port: spec.leaf.port,
        advertise: spec
            .own_node()
            .filter(|_| !server::is_loopback(&options.host))
            .map(|node| Address {
                host: node.address.clone(),
                port: spec.leaf.port,
            }),
        tls: options
            .tls
            .as_ref()
            .and_then(|tls| server::tls(tls, Connection::Client, &tls_at, problems)),
    }
}

/// The account that the link is bound to exists here, and some client can log in.
fn has_local_account(spec: &LeafSpec, member: &Leaf, at: &OptionPath, problems: &mut Problems) {
    if !spec.leaf.accounts.contains_key(&member.local_account) {
        problems.add(
            Rule::KnownAccount,
            at,
            format!(
                "has no {:?}, the localAccount that the fleet binds this leaf's link to",
                member.local_account
            ),
            format!("declare {at}.{} with its users", member.local_account),
        );
    }
    if spec
        .leaf
        .accounts
        .values()
        .all(|account| account.users.is_empty())
    {
        problems.add(
            Rule::NoUser,
            at,
            "has no user: no local client could log in, and nats-server would let anonymous ones in",
            format!("add {at}.{}.users.<name> with an nkey or a passwordHash", member.local_account),
        );
    }
}

fn link(spec: &LeafSpec, member: &Leaf, at: &OptionPath, problems: &mut Problems) -> Option<Link> {
    let remotes_at = at.join("remotes");
    for name in spec.leaf.remotes.keys() {
        if !member.remotes.contains_key(name) {
            problems.add(
                Rule::KnownRemote,
                &remotes_at.join(name),
                format!("the fleet gives leaf {:?} no remote {name:?}", spec.name),
                format!("use one of: {}", names(member.remotes.keys())),
            );
        }
    }
    let mut remotes = Vec::new();
    for (name, remote) in &member.remotes {
        let at = remotes_at.join(name);
        let Some(options) = spec.leaf.remotes.get(name) else {
            problems.add(
                Rule::KnownRemote,
                &at,
                format!(
                    "is not set, but the fleet has leaf {:?} dial hub {:?} by it",
                    spec.name, remote.hub
                ),
                format!("declare it: {at}.tls.caFile = \"/etc/ssl/certs/cim-ca.pem\", for example"),
            );
            continue;
        };
        let Some(hub) = spec.fleet.hubs.get(&remote.hub) else {
            continue; // the fleet's own rule has said so
        };
        remotes.extend(plan_remote(
            name, spec, member, hub, remote, options, problems,
        ));
    }
    let reconnect = server::duration(
        &spec.leaf.leafnodes.reconnect,
        &at.join("leafnodes").join("reconnect"),
        problems,
    )?;
    Some(Link {
        reconnect,
        remotes,
        imports: member.imports.clone(),
        exports: member.exports.clone(),
        fields: spec
            .leaf
            .leafnodes
            .fields
            .plan(Block::Link, &at.join("leafnodes"), problems),
    })
}

fn plan_remote(
    name: &str,
    spec: &LeafSpec,
    member: &Leaf,
    hub: &Hub,
    remote: &spec::Remote,
    options: &RemoteOptions,
    problems: &mut Problems,
) -> Option<Remote> {
    let hub_name = remote.hub.as_str();
    let fleet_at = OptionPath::new("services.cim.fleet.leaves");
    let fleet_at = fleet_at.join(&spec.name).join("remotes").join(name);
    let leaf_at = OptionPath::new("services.cim.leaves").join(&spec.name);
    let at = leaf_at.join("remotes").join(name);
    let compression =
        server::compression(&options.compression, &options.rtt_thresholds, &at, problems);
    let tls_at = at.join("tls");
    let agreed = OptionPath::new("services.cim.fleet.hubs")
        .join(hub_name)
        .join("leafnodes");
    Plaintext {
        tls: (&tls_at, options.tls.is_some()),
        said: (&agreed.join("plaintext"), hub.leafnodes.plaintext),
        what: "the leaf link",
    }
    .check(problems);
    let tls = options
        .tls
        .as_ref()
        .map(|tls| server::tls(tls, Connection::Remote, &tls_at, problems));
    let presents = options
        .tls
        .as_ref()
        .is_some_and(|tls| tls.cert_file.is_some());
    let verifies = hub.leafnodes.verify || hub.leafnodes.verify_and_map;
    if (verifies || member.certificate.is_some()) && !presents {
        problems.add(
            Rule::ClientCertificate,
            &tls_at.join("certFile"),
            format!("is null, but hub {hub_name:?} asks this leaf for a certificate"),
            "set certFile and keyFile, for example \"/run/secrets/leaf.pem\" and \"/run/secrets/leaf.key\"",
        );
    }
    let login = login(spec, member, options, &leaf_at, &at, problems)?;
    let tls = match tls {
        Some(files) => Some(files?), // what is wrong with them has been said
        None => None,
    };
    Some(Remote {
        name: name.to_owned(),
        nodes: nodes(hub, hub_name, remote, &fleet_at, problems),
        hub_domain: hub.domain.clone(),
        hub_account: member.account.clone(),
        account: member.local_account.clone(),
        login,
        tls,
        compression,
        websocket: remote.websocket,
        fields: options.fields.plan(Block::Remote, &at, problems),
    })
}

/// The addresses of a hub that a remote dials.
fn nodes(
    hub: &Hub,
    hub_name: &str,
    remote: &spec::Remote,
    at: &OptionPath,
    problems: &mut Problems,
) -> Vec<Address> {
    let mut addresses = Vec::new();
    for (name, node) in &hub.nodes {
        let port = match remote.websocket {
            true => node.websocket_port,
            false => Some(node.leafnodes_port),
        };
        let Some(port) = port else {
            problems.add(
                Rule::RemotePort,
                &at.join("websocket"),
                format!("is true, but node {name:?} of hub {hub_name:?} has no WebSocket port"),
                format!("set services.cim.fleet.hubs.{hub_name}.nodes.{name}.websocketPort, for example to 443"),
            );
            continue;
        };
        addresses.push(Address {
            host: node.address.clone(),
            port,
        });
    }
    addresses
}

/// The files on this host must fit the identity that the fleet gives the leaf.
fn login(
    spec: &LeafSpec,
    member: &Leaf,
    options: &RemoteOptions,
    leaf_at: &OptionPath,
    at: &OptionPath,
    problems: &mut Problems,
) -> Option<Login> {
    let seed_at = leaf_at.join("nkeySeedFile");
    let creds_at = at.join("credentialsFile");
    let seed = spec.leaf.nkey_seed_file.as_deref();
    let creds = options.credentials_file.as_deref();
    let fleet_says = |what: &str| format!("services.cim.fleet.leaves.{} {what}", spec.name);
    let mut refuse = |at: &OptionPath, what: String, help: &str| {
        problems.add(Rule::LinkIdentity, at, what, help);
    };
    match (&member.nkey, &member.certificate) {
        (Some(_), _) => {
            if creds.is_some() {
                refuse(
                    &creds_at,
                    format!("is set, but {}", fleet_says("is known by its nkey")),
                    "leave it out, or remove nkey from the fleet",
                );
            }
            let Some(seed) = seed else {
                refuse(
                    &seed_at,
                    format!("is null, but {}", fleet_says("has an nkey")),
                    "name the file that holds its seed, for example \"/run/secrets/leaf.nk\"",
                );
                return None;
            };
            server::file(seed, FileKind::NkeySeed, &seed_at, problems).map(Login::NkeySeed)
        }
        (None, certificate) => {
            if let Some(seed) = seed {
                refuse(
                    &seed_at,
                    format!("{seed:?} is set, but {}", fleet_says("has no nkey")),
                    "put the public nkey into the fleet, or leave it out",
                );
            }
            match (creds, certificate) {
                (Some(_), Some(_)) => {
                    refuse(
                        &creds_at,
                        format!("is set, but {}", fleet_says("is known by its certificate")),
                        "leave it out, or remove certificate from the fleet",
                    );
                    None
                }
                (Some(creds), None) => {
                    server::file(creds, FileKind::Credentials, &creds_at, problems)
                        .map(Login::Credentials)
                }
                (None, Some(_)) => Some(Login::Certificate),
                (None, None) if spec.fleet.operator => {
                    refuse(
                        &creds_at,
                        "is null, but the hubs are in operator mode, where a leaf is known by its JWT".to_owned(),
                        "name the .creds file, for example \"/run/secrets/leaf.creds\"",
                    );
                    None
                }
                (None, None) => {
                    refuse(
                        &creds_at,
                        format!(
                            "is null, and {}",
                            fleet_says("has neither nkey nor certificate")
                        ),
                        "name a .creds file, or give the leaf an nkey or a certificate in the fleet",
                    );
                    None
                }
            }
        }
    }
}

fn names<'a>(names: impl Iterator<Item = &'a String>) -> String {
    names.map(String::as_str).collect::<Vec<_>>().join(", ")
}
