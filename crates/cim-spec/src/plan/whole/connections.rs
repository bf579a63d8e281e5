//! Where a server's links lead, and what browsers may do.

use super::{find, text, texts};
use crate::field::SettingValue;
use crate::path::OptionPath;
use crate::plan::server::is_loopback;
use crate::plan::{Plan, Remote};
use crate::problem::{Problems, Rule, shown};
use crate::version::Version;

/// The first release that does not complain of a proxy in front of a link that is no WebSocket.
const PROXY_FOR_TCP: Version = Version(2, 15, 1);

pub(super) fn check(plan: &Plan, problems: &mut Problems) {
    for remote in plan.link.iter().flat_map(|link| &link.remotes) {
        to_itself(plan, remote, problems);
        proxy(plan, remote, problems);
    }
    browsers(plan, problems);
}

/// A leaf that dials its own listener waits half a minute after each try, for ever.
fn to_itself(plan: &Plan, remote: &Remote, problems: &mut Problems) {
    let sides = plan.websocket.iter().chain(&plan.mqtt);
    let own: Vec<u16> = [plan.client.port, plan.http_port]
        .into_iter()
        .chain(sides.map(|side| side.port))
        .collect();
    for node in &remote.nodes {
        if is_loopback(&node.host) && own.contains(&node.port) {
            problems.add(
                Rule::Loop,
                &plan.options.join("remotes").join(&remote.name),
                format!("leads to \"{}:{}\", which is this leaf itself", node.host, node.port),
                "give the hub the address where other machines reach it, and the leaf ports of its own",
            );
        }
    }
}

fn proxy(plan: &Plan, remote: &Remote, problems: &mut Problems) {
    let Some((setting, url)) = text(&remote.fields, "proxy.url") else {
        return;
    };
    let host = url.strip_prefix("http://").or(url.strip_prefix("https://"));
    if host.is_none_or(|host| host.is_empty() || host.starts_with([':', '/'])) {
        problems.add(
            Rule::Proxy,
            &setting.at,
            format!("{} is not the URL of a proxy", shown(url)),
            "write its scheme, host and port, for example \"http://proxy.example.com:3128\"",
        );
    }
    if !remote.websocket && plan.version < PROXY_FOR_TCP {
        let (Version(a, b, c), Version(x, y, z)) = (plan.version, PROXY_FOR_TCP);
        problems.add(
            Rule::Proxy,
            &setting.at,
            format!("is set on a link that is no WebSocket, which nats-server {a}.{b}.{c} does not take"),
            format!("use {x}.{y}.{z} or newer, or set websocket = true on the remote in services.cim.fleet.leaves"),
        );
    }
}

fn browsers(plan: &Plan, problems: &mut Problems) {
    let Some(listener) = &plan.websocket else {
        return;
    };
    for (at, origin) in texts(&listener.fields, "allowedOrigins") {
        let host = origin
            .strip_prefix("http://")
            .or(origin.strip_prefix("https://"));
        if host.is_none_or(|host| host.is_empty() || host.starts_with([':', '/'])) {
            problems.add(
                Rule::Websocket,
                &at,
                format!(
                    "{} is not an origin: nats-server would not start",
                    shown(origin)
                ),
                "write scheme and host, for example \"https://app.example.com\"",
            );
        }
    }
    let Some(setting) = find(&listener.fields, "headers") else {
        return;
    };
    let SettingValue::Map(headers) = &setting.value else {
        return;
    };
    for name in headers.keys() {
        header(name, &setting.at.join(name), problems);
    }
}

/// Headers of the handshake are nats-server's own.
fn header(name: &str, at: &OptionPath, problems: &mut Problems) {
    let lower = name.to_ascii_lowercase();
    let own = [
        "host",
        "content-length",
        "connection",
        "upgrade",
        "nats-no-masking",
    ];
    if own.contains(&lower.as_str()) || lower.starts_with("sec-websocket-") {
        problems.add(
            Rule::Websocket,
            at,
            format!("{name:?} is a header of the handshake, which nats-server writes itself: it would not start"),
            "leave it out",
        );
    }
}
