//! What the fields of a `tls` block need of each other.

use super::TlsFiles;
use crate::field::Connection;
use crate::path::OptionPath;
use crate::problem::{Problems, Rule};

/// Listeners whose `tls` says itself whether certificates are verified; for leaves, the fleet says it.
const VERIFIES_ITSELF: [Connection; 3] =
    [Connection::Client, Connection::Websocket, Connection::Mqtt];

/// Holds the fields of one block against its files.
pub(super) fn check(
    tls: &TlsFiles,
    connection: Connection,
    at: &OptionPath,
    problems: &mut Problems,
) {
    if !VERIFIES_ITSELF.contains(&connection) {
        return;
    }
    if tls.verifies() && tls.ca.is_none() {
        problems.add(
            Rule::VerifyNeedsCa,
            &at.join("caFile"),
            "is null, but the block has certificates verified",
            "name the file with the authority that signs them",
        );
    }
    ocsp(tls, tls.verifies(), "verify = true beside it", at, problems);
}

/// Only certificates that are asked for can be looked up; nats-server does not start otherwise.
pub(super) fn ocsp(
    tls: &TlsFiles,
    verifies: bool,
    how: &str,
    at: &OptionPath,
    problems: &mut Problems,
) {
    if !verifies && tls.is_true("ocspPeer.verify") {
        problems.add(
            Rule::OcspVerify,
            &at.descend("ocspPeer.verify"),
            "is true, but no certificate is asked for",
            format!("set {how}, or leave it out"),
        );
    }
}
