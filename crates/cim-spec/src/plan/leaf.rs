//! A leaf's plan: its links to hubs, how it logs in, and its own accounts.

use std::collections::BTreeMap;

use super::assets::{self, Others};
use super::cluster::{self, Members};
use super::server;
use super::{
    Account, AccountAssets, Address, Cluster, Jetstream, Plan, accounts, callout, health,
    jetstream, link, listeners, services, uplink,
};
use crate::path::OptionPath;
use crate::problem::{Problems, Rule};
use crate::settings::{self, Role};
use crate::spec::{Leaf, LeafNode, LeafSpec};
use crate::version::Version;
use crate::{durable, fleet, name};

pub(super) fn plan(spec: &LeafSpec, problems: &mut Problems) -> Option<Plan> {
    let at = OptionPath::new("services.cim.leaves").join(&spec.name);
    let options = &spec.leaf.server;
    problems.parsed(Rule::Name, &at, &spec.name, name::check(&spec.name));
    settings::check(&options.settings, &at, Role::Leaf, problems);
    jetstream::settings_agree(options, &at, problems);
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

    let member = member(spec, &at, problems)?;
    let jetstream = jetstream::plan(
        &options.jetstream,
        &member.domain,
        &at.join("jetstream"),
        problems,
    );
    let accounts_at = at.join("accounts");
    let mut accounts = accounts::plan(
        &spec.leaf.accounts,
        accounts::Store::Of(jetstream.as_ref()),
        &accounts_at,
        false,
        problems,
    );
    accounts::unique_proofs(&accounts, &accounts_at, problems);
    has_local_account(spec, member, &accounts_at, problems);
    services::add_local(&BTreeMap::new(), &mut accounts);

    let callout = spec.leaf.auth_callout.as_ref();
    let callout_at = at.join("authCallout");
    let callout = callout.map(|options| callout::plan(options, &accounts, &callout_at, problems));
    let client = listeners::client(options, spec.leaf.port, advertise(spec), &at, problems);
    let link = link::plan(spec, member, &at, problems);
    let websocket_at = at.join("websocket");
    let port = options.websocket.port;
    let websocket = listeners::websocket(&options.websocket, port, None, &websocket_at, problems);
    let mqtt_at = at.join("mqtt");
    let mqtt = listeners::mqtt(&options.mqtt, options.jetstream.enable, &mqtt_at, problems);
    let cluster = cluster(spec, member, &at, problems);
    ports(spec, &at, problems);
    let watched = health::of_leaf(spec, &at.join("health"), problems);

    let version = version?;
    let assets = assets(
        spec,
        member,
        version,
        jetstream.as_ref(),
        &accounts,
        problems,
    );
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
        assets,
        callout,
        operator: None,
        system_account: None,
        cluster,
        leafnodes: None,
        websocket,
        mqtt,
        gateway: None,
        link: Some(link?),
        watched: watched?,
        fields: server::fields(options, &at, problems),
        settings: options.settings.clone(),
        lints: Vec::new(), // found once the plan holds
        version,
        options: at,
    };
    uplink::install(&mut plan, member, problems);
    if let Some(link) = &plan.link {
        services::add_to_link(&spec.name, member, link, &mut plan.accounts);
    }
    Some(plan)
}

/// What the fleet says of the leaf, checked with the hubs that it dials.
fn member<'a>(spec: &'a LeafSpec, at: &OptionPath, problems: &mut Problems) -> Option<&'a Leaf> {
    let Some(member) = &spec.fleet.leaf else {
        problems.add(
            Rule::KnownLeaf,
            at,
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
    durable::ends(&spec.name, member, problems);
    for (hub_name, hub) in &spec.fleet.hubs {
        fleet::hub(hub_name, hub, problems);
        fleet::leaf_of_hub(&spec.name, member, hub_name, hub, problems);
    }
    Some(member)
}

/// Where clients reach the leaf; `None`: by the address they came by.
fn advertise(spec: &LeafSpec) -> Option<Address> {
    let node = spec.own_node()?;
    let reached = !server::is_loopback(&spec.leaf.server.host);
    reached.then(|| Address {
        host: node.address.clone(),
        port: spec.leaf.port,
    })
}

fn ports(spec: &LeafSpec, at: &OptionPath, problems: &mut Problems) {
    let options = &spec.leaf.server;
    let mut taken = vec![
        (at.join("port"), spec.leaf.port),
        (at.join("httpPort"), options.http_port),
    ];
    let side = [
        (at.join("websocket").join("port"), options.websocket.port),
        (at.join("mqtt").join("port"), options.mqtt.port),
    ];
    taken.extend(side.into_iter().filter_map(|(at, port)| Some((at, port?))));
    server::ports(&taken, problems);
}

/// What the leaf holds.
fn assets(
    spec: &LeafSpec,
    member: &Leaf,
    version: Version,
    jetstream: Option<&Jetstream>,
    accounts: &[Account],
    problems: &mut Problems,
) -> Vec<AccountAssets> {
    let others = Others::OfLeaf {
        name: &spec.name,
        member,
        hubs: &spec.fleet.hubs,
    };
    let server = assets::Server {
        at: OptionPath::new("services.cim.leaves")
            .join(&spec.name)
            .join("accounts"),
        version,
        jetstream,
        servers: member.nodes.len().max(1),
        cluster: (!member.nodes.is_empty()).then_some(spec.name.as_str()),
        accounts,
        others,
    };
    durable::apart_on_leaf(&spec.name, member, &spec.leaf.assets, problems);
    let held = durable::at_leaf(&spec.name, member, &spec.leaf.assets);
    assets::plan(&held, &server, problems)
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

pub(super) fn names<'a>(names: impl Iterator<Item = &'a String>) -> String {
    names.map(String::as_str).collect::<Vec<_>>().join(", ")
}
