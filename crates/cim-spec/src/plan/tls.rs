//! Files of one side of a TLS connection, and what the fields of its block need of each other.

use super::server::file;
use crate::field::{Block, Connection, Setting, SettingValue};
use crate::file::{File, FileKind};
use crate::path::OptionPath;
use crate::problem::{Problems, Rule};
use crate::spec::Tls;

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

/// Files of one side of a TLS connection.
#[derive(Debug, Clone, Default)]
pub struct TlsFiles {
    /// Certificate chain and its key; both or neither.
    pub identity: Option<(File, File)>,
    /// Authorities; `None`: the system's.
    pub ca: Option<File>,
    /// Fields that pass straight through.
    pub fields: Vec<Setting>,
}

impl TlsFiles {
    /// Whether a listener asks the other side for a certificate.
    pub fn verifies(&self) -> bool {
        self.is_true("verify") || self.is_true("verifyAndMap")
    }

    /// Whether an option of the block is set to `true`.
    pub fn is_true(&self, option: &str) -> bool {
        self.fields.iter().any(|setting| {
            setting.field.option == option && setting.value == SettingValue::Bool(true)
        })
    }
}

/// The files of a `tls` block; all but the side that dials need a certificate of their own.
pub(super) fn plan(
    tls: &Tls,
    connection: Connection,
    at: &OptionPath,
    problems: &mut Problems,
) -> Option<TlsFiles> {
    let mut read = |path: &Option<String>, kind, name: &str| match path {
        Some(path) => file(path, kind, &at.join(name), problems),
        None => None,
    };
    let cert = read(&tls.cert_file, FileKind::Certificate, "certFile");
    let key = read(&tls.key_file, FileKind::Key, "keyFile");
    let ca = read(&tls.ca_file, FileKind::Ca, "caFile");
    let missing = match (&tls.cert_file, &tls.key_file) {
        (Some(_), None) => Some("keyFile"),
        (None, Some(_)) => Some("certFile"),
        (None, None) if connection != Connection::Remote => Some("certFile"),
        _ => None,
    };
    if let Some(missing) = missing {
        problems.add(
            Rule::File,
            &at.join(missing),
            "is null: a certificate and its key come together, and a listener needs both",
            "set certFile and keyFile, for example \"/run/secrets/server.pem\" and \"/run/secrets/server.key\"",
        );
        return None;
    }
    let files = TlsFiles {
        identity: cert.zip(key),
        ca,
        fields: tls.fields.plan(Block::Tls(connection), at, problems),
    };
    check(&files, connection, at, problems);
    Some(files)
}
