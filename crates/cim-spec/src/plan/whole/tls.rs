//! TLS fields that nats-server refuses, or that shut everybody out.

use super::{find, texts};
use crate::field::{Setting, SettingValue};
use crate::plan::{Plan, TlsFiles};
use crate::problem::{Problems, Rule, shown};

pub(super) fn check(plan: &Plan, problems: &mut Problems) {
    let sides = plan.websocket.iter().chain(&plan.mqtt);
    let asks = |tls: &TlsFiles| tls.verifies();
    let clients = plan.client.tls.iter();
    let clients = clients.chain(sides.flat_map(|side| &side.tls));
    for tls in clients {
        cipher_suites(tls, problems);
        pinned(tls, asks(tls), problems);
    }
    if let Some(listener) = &plan.leafnodes
        && let Some(tls) = &listener.tls
    {
        cipher_suites(tls, problems);
        pinned(tls, listener.verify || listener.verify_and_map, problems);
    }
    // Between servers, and towards a hub, the other side always shows a certificate.
    let cluster = plan.cluster.iter().flat_map(|cluster| &cluster.tls);
    let gateway = plan.gateway.iter().flat_map(|gateway| &gateway.tls);
    let remotes = plan.link.iter().flat_map(|link| &link.remotes);
    for tls in cluster
        .chain(gateway)
        .chain(remotes.flat_map(|remote| &remote.tls))
    {
        cipher_suites(tls, problems);
        pinned(tls, true, problems);
    }
}

fn cipher_suites(tls: &TlsFiles, problems: &mut Problems) {
    let allowed = find(&tls.fields, "allowInsecureCipherSuites").is_some_and(is_true);
    if allowed {
        return;
    }
    for (at, suite) in texts(&tls.fields, "cipherSuites") {
        if is_insecure(suite) {
            problems.add(
                Rule::CipherSuites,
                &at,
                format!("{suite:?} is known to be weak: nats-server would not start"),
                "leave it out, or say it out loud: allowInsecureCipherSuites = true",
            );
        }
    }
}

/// The suites that Go calls insecure: no forward secrecy, or a broken cipher or mode.
fn is_insecure(suite: &str) -> bool {
    suite.starts_with("TLS_RSA_")
        || suite.contains("_RC4_")
        || suite.contains("_3DES_")
        || suite.ends_with("_CBC_SHA256")
}

fn pinned(tls: &TlsFiles, asks: bool, problems: &mut Problems) {
    for (at, hash) in texts(&tls.fields, "pinnedCerts") {
        if hash.len() != 64 || !hash.chars().all(|c| c.is_ascii_hexdigit()) {
            problems.add(
                Rule::PinnedCerts,
                &at,
                format!("{} is not the SHA-256 of a public key", shown(hash)),
                "write the 64 hexadecimal digits that `openssl x509 -in cert.pem -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum` prints",
            );
        }
    }
    if let Some(setting) = find(&tls.fields, "pinnedCerts")
        && !asks
    {
        problems.add(
            Rule::PinnedCerts,
            &setting.at,
            "is set, but nobody is asked for a certificate: everybody would be refused",
            "set verify = true there (for leaves in services.cim.fleet.hubs.<name>.leafnodes), or leave it out",
        );
    }
}

fn is_true(setting: &Setting) -> bool {
    setting.value == SettingValue::Bool(true)
}
