//! A hub server's plan: its node of the fleet, its cluster, and what each leaf may do.

use super::assets::{self, Others};
use super::cluster::{self, Members};
use super::server;
use super::{
    Account, AccountAssets, Address, Cluster, Jetstream, Plan, PrincipalKind, accounts, callout,
    health, jetstream, leafnodes, leaves, listeners, operator, services,
};
use crate::path::OptionPath;
use crate::problem::{Problems, Rule};
use crate::settings::{self, Role};
use crate::spec::{Fleet, Hub, HubSpec, Node};
use crate::version::Version;
use crate::{fleet, name};

pub(super) fn plan(spec: &HubSpec, problems: &mut Problems) -> Option<Plan> {
    let at = OptionPath::new("services.cim.hub");
    let fleet_at = OptionPath::new("services.cim.fleet");
    let options = &spec.hub.server;
    fleet::check(&spec.fleet, problems);
    settings::check(&options.settings, &at, Role::Hub, problems);
    jetstream::settings_agree(options, &at, problems);
    let version = server::version(&spec.nats_server_version, &at, problems);
    let limits = server::limits(&options.limits, &at.join("limits"), problems);
    let lame_duck = server::lame_duck(&options.lame_duck, &at.join("lameDuck"), problems);

    let (hub_name, hub, node) = find(spec, &at, problems)?;
    let jetstream = jetstream::plan(
        &options.jetstream,
        &hub.domain,
        &at.join("jetstream"),
        problems,
    );
    let mut accounts = with_leaves(&spec.fleet, jetstream.as_ref(), &fleet_at, problems);
    if spec.fleet.operator.is_none() {
        services::add_local(&spec.fleet.leaves, &mut accounts);
    }

    let operator = operator::plan(&spec.fleet, &name::unit(&spec.node), problems);
    let callout = spec
        .fleet
        .auth_callout
        .as_ref()
        .filter(|_| operator.is_none());
    let callout_at = fleet_at.join("authCallout");
    let callout = callout.map(|options| callout::plan(options, &accounts, &callout_at, problems));
    let advertise = Some(Address::of(node, node.port));
    let client = listeners::client(options, node.port, advertise, &at, problems);
    let leafnodes = leafnodes::plan(spec, hub_name, hub, node, &at.join("leafnodes"), problems);
    let cluster = hub_cluster(spec, hub_name, hub, node, &at.join("cluster"), problems);
    let websocket_at = at.join("websocket");
    let advertise = node.websocket_port.map(|port| Address::of(node, port));
    let websocket = listeners::websocket(
        &options.websocket,
        node.websocket_port,
        advertise,
        &websocket_at,
        problems,
    );
    let mqtt_at = at.join("mqtt");
    let mqtt = listeners::mqtt(&options.mqtt, options.jetstream.enable, &mqtt_at, problems);
    let gateway = listeners::gateway(spec, hub_name, node, &at.join("gateway"), problems);
    ports(spec, hub_name, hub, node, &at, problems);
    let watched = health::of_hub(spec, hub_name, &at.join("health"), problems);

    let version = version?;
    let assets = assets(
        spec,
        hub_name,
        hub,
        version,
        jetstream.as_ref(),
        &accounts,
        problems,
    );
    Some(Plan {
        unit: name::unit(&spec.node),
        name: spec.node.clone(),
        server_name: spec.node.clone(),
        client,
        http_port: options.http_port,
        limits: limits?,
        lame_duck: lame_duck?,
        logging: server::logging(options),
        jetstream,
        accounts,
        assets,
        callout,
        operator,
        system_account: Some(spec.fleet.system_account.clone()),
        cluster,
        leafnodes,
        websocket,
        mqtt,
        gateway,
        link: None,
        watched: watched?,
        fields: server::fields(options, &at, problems),
        settings: options.settings.clone(),
        lints: Vec::new(), // found once the plan holds
        version,
        options: at,
    })
}

/// The hub that the node is of, by its name, and what the fleet says of both.
fn find<'a>(
    spec: &'a HubSpec,
    at: &OptionPath,
    problems: &mut Problems,
) -> Option<(&'a str, &'a Hub, &'a Node)> {
    let found = spec.fleet.hubs.iter().find_map(|(name, hub)| {
        let node = hub.nodes.get(&spec.node)?;
        Some((name.as_str(), hub, node))
    });
    if found.is_none() {
        problems.add(
            Rule::KnownNode,
            &at.join("node"),
            format!("{:?} is not a node of any hub in the fleet", spec.node),
            format!("declare it: services.cim.fleet.hubs.<name>.nodes.{} = {{ address = …; }}, or name one that is there", spec.node),
        );
    }
    found
}

/// The fleet's accounts, with their leaves and services.
fn with_leaves(
    fleet: &Fleet,
    jetstream: Option<&Jetstream>,
    at: &OptionPath,
    problems: &mut Problems,
) -> Vec<Account> {
    let accounts_at = at.join("accounts");
    let mut accounts = accounts::plan(
        &fleet.accounts,
        accounts::Store::Of(jetstream),
        &accounts_at,
        fleet.operator.is_some(),
        problems,
    );
    leaves::principals(fleet, &mut accounts, problems);
    services::add(fleet, &mut accounts);
    accounts::unique_proofs(&accounts, &accounts_at, problems);
    system_account(fleet, &accounts, at, problems);
    someone_can_log_in(fleet, &accounts, &accounts_at, problems);
    accounts
}

/// What the hub holds.
fn assets(
    spec: &HubSpec,
    hub_name: &str,
    hub: &Hub,
    version: Version,
    jetstream: Option<&Jetstream>,
    accounts: &[Account],
    problems: &mut Problems,
) -> Vec<AccountAssets> {
    let declared = fleet::assets_of(&spec.fleet, hub_name);
    let others = Others::OfHub {
        name: hub_name,
        leaves: &spec.fleet.leaves,
    };
    let server = assets::Server {
        at: OptionPath::new("services.cim.fleet.accounts"),
        version,
        jetstream,
        servers: hub.nodes.len(),
        cluster: (hub.nodes.len() > 1).then_some(hub_name),
        accounts,
        others,
    };
    assets::plan(&declared, &server, problems)
}

/// Routes to the hub's other nodes; `None` for a hub of one.
fn hub_cluster(
    spec: &HubSpec,
    hub_name: &str,
    hub: &Hub,
    node: &Node,
    at: &OptionPath,
    problems: &mut Problems,
) -> Option<Cluster> {
    if hub.nodes.len() < 2 {
        settings::absent(
            &spec.hub.server.settings,
            "cluster",
            &OptionPath::new("services.cim.hub"),
            &format!("hub {hub_name:?} has one node, and so no cluster"),
            "leave the block out, or declare more nodes in the fleet",
            problems,
        );
        return None;
    }
    let others = hub.nodes.iter().filter(|(name, _)| **name != spec.node);
    let members = Members {
        name: hub_name,
        own: Address::of(node, node.cluster_port),
        others: others
            .map(|(_, other)| Address::of(other, other.cluster_port))
            .collect(),
        reached: true,
        what: "routes between hub nodes",
    };
    cluster::plan(members, &spec.hub.cluster, at, problems)
}

fn ports(
    spec: &HubSpec,
    hub_name: &str,
    hub: &Hub,
    node: &Node,
    at: &OptionPath,
    problems: &mut Problems,
) {
    let node_at = OptionPath::new("services.cim.fleet.hubs")
        .join(hub_name)
        .join("nodes")
        .join(&spec.node);
    let mut taken = vec![
        (node_at.join("port"), node.port),
        (node_at.join("leafnodesPort"), node.leafnodes_port),
        (at.join("httpPort"), spec.hub.server.http_port),
    ];
    if hub.nodes.len() > 1 {
        taken.push((node_at.join("clusterPort"), node.cluster_port));
    }
    let side = [
        (node_at.join("websocketPort"), node.websocket_port),
        (node_at.join("gatewayPort"), node.gateway_port),
        (at.join("mqtt").join("port"), spec.hub.server.mqtt.port),
    ];
    taken.extend(side.into_iter().filter_map(|(at, port)| Some((at, port?))));
    server::ports(&taken, problems);
}

fn system_account(fleet: &Fleet, accounts: &[Account], at: &OptionPath, problems: &mut Problems) {
    let name = &fleet.system_account;
    match fleet.accounts.get(name) {
        None => problems.add(
            Rule::KnownAccount,
            &at.join("systemAccount"),
            format!("{name:?} is not an account of the fleet"),
            format!("declare services.cim.fleet.accounts.{name}, or name one that is there"),
        ),
        Some(account) if account.jetstream.enable => problems.add(
            Rule::SystemJetstream,
            &at.join("accounts")
                .join(name)
                .join("jetstream")
                .join("enable"),
            "true on the system account, which cannot have JetStream",
            "write false, or make another account the systemAccount",
        ),
        Some(_) => {}
    }
    let leaf = accounts
        .iter()
        .filter(|account| &account.name == name)
        .flat_map(|account| &account.principals)
        .find(|principal| principal.kind == PrincipalKind::Leaf);
    if let Some(leaf) = leaf {
        problems.add(
            Rule::SystemSubject,
            &at.join("leaves").join(&leaf.name).join("account"),
            format!("{name:?} is the system account, which is never bridged to a leaf"),
            "name an account for applications",
        );
    }
}

/// Without a user outside the system account, nats-server lets anonymous clients in.
fn someone_can_log_in(
    fleet: &Fleet,
    accounts: &[Account],
    at: &OptionPath,
    problems: &mut Problems,
) {
    let nobody = accounts
        .iter()
        .filter(|account| account.name != fleet.system_account)
        .all(|account| account.principals.is_empty());
    if problems.is_empty() && nobody && fleet.operator.is_none() {
        problems.add(
            Rule::NoUser,
            at,
            "has no user outside the system account: nats-server would let anonymous clients in",
            "add users.<name> with an nkey or a passwordHash to an account for applications",
        );
    }
}
