//! Lints of one server.

use std::collections::BTreeMap;

use super::{Lint, Lints, advisories, assets, fleet, id};
use crate::field::{Setting, SettingValue};
use crate::path::OptionPath;
use crate::plan::{Account, Plan, PrincipalKind, Proof, SideListener, Sync, is_loopback};
use crate::spec::Spec;
use crate::version::Version;

/// nats-server says itself that it is not made for more.
const LARGE_PAYLOAD: u64 = 8 << 20;
/// 256 TiB: more than one host has.
const LARGE_STORE: u64 = 256 << 40;
/// After how long a dead hub is noticed late.
const PATIENCE_MILLIS: u64 = 120_000;

/// The lints of a plan, with what the instance acknowledges; a hub's node also tells those of what it sees of the fleet.
pub fn of_instance(spec: &Spec, plan: &Plan) -> Vec<Lint> {
    let (acknowledged, seen) = match spec {
        Spec::Hub(spec) => (&spec.hub.server.acknowledged, Some(&spec.fleet)),
        Spec::Leaf(spec) => (&spec.leaf.server.acknowledged, None),
    };
    let mut lints = of_plan(plan, acknowledged);
    // What the fleet acknowledges of other hubs' leaves is not stale.
    let seen = seen.into_iter().flat_map(fleet::of_fleet);
    lints.extend(seen.filter(|lint| lint.id != id::STALE));
    lints
}

fn of_plan(plan: &Plan, acknowledged: &BTreeMap<String, String>) -> Vec<Lint> {
    let mut lints = Lints::new(plan.options.join("acknowledged"), acknowledged);
    advisories::check(plan, &mut lints);
    store(plan, &mut lints);
    messages(plan, &mut lints);
    links(plan, &mut lints);
    strangers(plan, &mut lints);
    fields(plan, &mut lints);
    plaintext(plan, &mut lints);
    assets::of_plan(plan, &mut lints);
    if plan.link.is_some() {
        let at = plan.options.join("accounts");
        for account in &plan.accounts {
            passwords(account, &at, &mut lints);
        }
    }
    lints.settle()
}

fn store(plan: &Plan, lints: &mut Lints<'_>) {
    let Some(jetstream) = &plan.jetstream else {
        return;
    };
    let at = plan.options.join("jetstream");
    if let (Sync::Every(interval), None) = (jetstream.sync_interval, &plan.cluster) {
        lints.add(
            id::SYNC_INTERVAL,
            &at.join("syncInterval"),
            format!("\"{interval}\" on a server on its own: a power cut loses what it acknowledged since, and no other has it"),
            "write \"always\"",
        );
    }
    if jetstream.max_file_store > LARGE_STORE {
        lints.add(
            id::STORE_SIZE,
            &at.join("maxFileStore"),
            format!(
                "{} bytes are more than one host has: streams would grow until the disk is full",
                jetstream.max_file_store
            ),
            "write less than the disk holds, for example \"500GiB\"",
        );
    }
}

fn messages(plan: &Plan, lints: &mut Lints<'_>) {
    if plan.limits.max_payload > LARGE_PAYLOAD {
        lints.add(
            id::LARGE_PAYLOAD,
            &plan.options.join("limits").join("maxPayload"),
            format!(
                "{} bytes: messages of more than 8 MiB make every other wait",
                plan.limits.max_payload
            ),
            "write at most \"8MiB\", and keep what is larger in an object store",
        );
    }
    if plan.logging.trace {
        lints.add(
            id::TRACE,
            &plan.options.join("logging").join("trace"),
            "true writes every message with its payload into the journal",
            "write false; logging.traceHeaders shows subjects and headers only",
        );
    }
}

fn links(plan: &Plan, lints: &mut Lints<'_>) {
    let Some(link) = &plan.link else {
        return;
    };
    let silence = plan.limits.ping_interval.as_millis();
    let silence = silence.saturating_mul(plan.limits.ping_max.saturating_add(1));
    if silence > PATIENCE_MILLIS {
        lints.add(
            id::PING_INTERVAL,
            &plan.options.join("limits").join("pingInterval"),
            format!(
                "\"{}\", {} times over: a dead hub is noticed after {} s only",
                plan.limits.ping_interval,
                plan.limits.ping_max.saturating_add(1),
                silence / 1000
            ),
            "write \"10s\", with pingMax 2",
        );
    }
    for remote in &link.remotes {
        let at = plan.options.join("remotes").join(&remote.name);
        let far = remote.nodes.iter().any(|node| !is_near(&node.host));
        if remote.compression.mode == "off" && far {
            lints.add(
                id::UNCOMPRESSED_LINK,
                &at.join("compression"),
                "\"off\" on a link that leaves the site: a slow line carries every byte",
                "write \"s2_auto\", which compresses by what the round trip takes",
            );
        }
    }
}

/// Loopback and private addresses.
fn is_near(host: &str) -> bool {
    match host.parse::<std::net::IpAddr>() {
        Ok(std::net::IpAddr::V4(address)) => address.is_loopback() || address.is_private(),
        Ok(std::net::IpAddr::V6(address)) => address.is_loopback() || address.is_unique_local(),
        Err(_) => host == "localhost" || host.ends_with(".local"),
    }
}

fn strangers(plan: &Plan, lints: &mut Lints<'_>) {
    for setting in set(plan, "noAuthUser") {
        lints.add(
            id::ANONYMOUS,
            &setting.at,
            "lets in whoever connects, without a key or password",
            "give clients users of their own, and leave it out",
        );
        if plan.leafnodes.is_some() {
            lints.add(
                id::ANONYMOUS_AND_LEAVES,
                &setting.at,
                "stands where leaves connect too, and strangers got in as leaves by it before (advisory 2026-16)",
                "let strangers in on a server that no leaf dials",
            );
        }
    }
}

fn fields(plan: &Plan, lints: &mut Lints<'_>) {
    for (option, what, help) in [
        (
            "insecure",
            "true takes any certificate for the hub's: whoever is on the path can be the hub",
            "name the authority in caFile, and leave it out",
        ),
        (
            "allowInsecureCipherSuites",
            "true lets weak cipher suites be used",
            "leave it out, and the suites with it",
        ),
        (
            "ocspPeer.warnOnly",
            "true lets revoked certificates in",
            "leave it out",
        ),
        (
            "ocspPeer.unknownIsGood",
            "true lets in certificates that the responder does not know",
            "leave it out",
        ),
        (
            "ocspPeer.allowWhenCaUnreachable",
            "true lets revoked certificates in while the responder is down",
            "leave it out",
        ),
    ] {
        for setting in set(plan, option).filter(|setting| is_true(setting)) {
            lints.add(id::WEAK_TLS, &setting.at, what, help);
        }
    }
    for setting in set(plan, "disabled").filter(|setting| is_true(setting)) {
        lints.add(
            id::DISABLED_REMOTE,
            &setting.at,
            "true: the fleet has this leaf dial the hub, and it does not",
            "leave it out, or take the remote out of the fleet",
        );
    }
    let listener = plan.leafnodes.iter().flat_map(|listener| &listener.fields);
    let listener = listener.filter(|setting| setting.field.option == "noAdvertise");
    for setting in listener.filter(|setting| is_true(setting) && plan.version >= Version(2, 15, 0))
    {
        lints.add(
            id::NO_ADVERTISE,
            &setting.at,
            "true on nats-server 2.15: leaves of 2.14 and before cannot connect (nats-server#8367)",
            "leave it out: what leaves are told is the node's address in the fleet",
        );
    }
}

/// Every listener without TLS that other machines reach; a rule had the operator say so.
fn plaintext(plan: &Plan, lints: &mut Lints<'_>) {
    let far = |host: &str, open: bool| open && !is_loopback(host);
    let side = |side: &Option<SideListener>| {
        let side = side.as_ref();
        side.is_some_and(|side| far(&side.host, side.tls.is_none()))
    };
    let cluster = plan.cluster.as_ref();
    let gateway = plan.gateway.as_ref();
    for (block, open) in [
        (
            "plaintext",
            far(&plan.client.host, plan.client.tls.is_none()),
        ),
        ("websocket.plaintext", side(&plan.websocket)),
        ("mqtt.plaintext", side(&plan.mqtt)),
        (
            "cluster.plaintext",
            cluster.is_some_and(|cluster| cluster.tls.is_none()),
        ),
        (
            "gateway.plaintext",
            gateway.is_some_and(|gateway| gateway.tls.is_none()),
        ),
    ] {
        if open {
            lints.add(
                id::PLAINTEXT,
                &plan.options.descend(block),
                "true: whoever is on the path reads and changes messages, and sees passwords",
                "set certFile and keyFile in tls, and write false",
            );
        }
    }
}

/// Passwords of an account's users; `at` is where accounts are declared.
fn passwords(account: &Account, at: &OptionPath, lints: &mut Lints<'_>) {
    for user in &account.principals {
        if matches!(user.proof, Proof::Password(_)) && user.kind == PrincipalKind::User {
            lints.add(
                id::PASSWORD,
                &at.join(&account.name)
                    .join("users")
                    .join(&user.name)
                    .join("passwordHash"),
                "is set: a password crosses the wire at each login, an nkey never does",
                "write nkey, the public key of a seed that `nk -gen user` prints",
            );
        }
    }
}

fn set<'a>(plan: &'a Plan, option: &'a str) -> impl Iterator<Item = &'a Setting> {
    plan.all_fields()
        .filter(move |setting| setting.field.option == option)
}

fn is_true(setting: &Setting) -> bool {
    setting.value == SettingValue::Bool(true)
}
