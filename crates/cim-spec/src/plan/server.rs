//! The rules that every nats-server keeps, hub or leaf.

use std::collections::BTreeMap;

use super::{Compression, Encryption, Jetstream, LameDuck, Limits, Logging, Sync, TlsFiles};
use crate::duration::Duration;
use crate::field::{Block, Connection, Setting, SettingValue};
use crate::file::{self, File, FileKind};
use crate::path::OptionPath;
use crate::problem::{Problems, Rule};
use crate::spec::{
    EncryptionOptions, JetstreamOptions, LameDuckOptions, LimitOptions, ServerOptions, Tls,
};
use crate::version::{MINIMUM, Version};
use crate::{settings, size};

/// Compression modes of a leaf link: <https://docs.nats.io/running-a-nats-service/configuration/leafnodes>.
const COMPRESSION: &[&str] = &[
    "off",
    "accept",
    "s2_auto",
    "s2_fast",
    "s2_better",
    "s2_best",
    "s2_uncompressed",
];

pub(super) fn duration(text: &str, at: &OptionPath, problems: &mut Problems) -> Option<Duration> {
    problems.parsed(Rule::Duration, at, text, Duration::parse(text))
}

pub(super) fn size(text: &str, at: &OptionPath, problems: &mut Problems) -> Option<u64> {
    problems.parsed(Rule::Size, at, text, size::parse(text))
}

/// A size that nats-server keeps in 32 bits.
fn small_size(text: &str, at: &OptionPath, problems: &mut Problems) -> Option<u64> {
    let bytes = size(text, at, problems)?;
    if i32::try_from(bytes).is_err() {
        problems.add(
            Rule::Size,
            at,
            format!("{text:?} is too big for nats-server"),
            "write less than \"2GiB\"",
        );
    }
    Some(bytes)
}

pub(super) fn version(text: &str, at: &OptionPath, problems: &mut Problems) -> Option<Version> {
    let version = problems.parsed(
        Rule::ServerVersion,
        &at.join("package"),
        text,
        Version::parse(text),
    )?;
    if version < MINIMUM {
        let Version(major, minor, patch) = MINIMUM;
        problems.add(
            Rule::ServerVersion,
            &at.join("package"),
            format!("nats-server {text} is too old"),
            format!("use a nats-server package of {major}.{minor}.{patch} or newer, for example pkgs.nats-server of nixos-26.05"),
        );
    }
    Some(version)
}

pub(super) fn file(
    path: &str,
    kind: FileKind,
    at: &OptionPath,
    problems: &mut Problems,
) -> Option<File> {
    problems.parsed(Rule::File, at, path, file::check(path))?;
    Some(File {
        path: path.to_owned(),
        kind,
    })
}

/// The files of a `tls` block; all but the side that dials need a certificate of their own.
pub(super) fn tls(
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
    super::tls::check(&files, connection, at, problems);
    Some(files)
}

pub(super) fn limits(
    options: &LimitOptions,
    at: &OptionPath,
    problems: &mut Problems,
) -> Option<Limits> {
    for (name, count, what, help) in [
        (
            "maxConnections",
            Some(options.max_connections),
            "0 would let nobody connect",
            "write at least 1",
        ),
        (
            "maxSubscriptions",
            options.max_subscriptions,
            "0 is no limit to nats-server",
            "write null for no limit, or at least 1",
        ),
        (
            "pingMax",
            Some(options.ping_max),
            "0 is nats-server's own 2",
            "write at least 1",
        ),
    ] {
        if count == Some(0) {
            problems.add(Rule::Count, &at.join(name), what, help);
        }
    }
    let max_payload = small_size(&options.max_payload, &at.join("maxPayload"), problems);
    let max_pending = size(&options.max_pending, &at.join("maxPending"), problems);
    if let (Some(payload), Some(pending)) = (max_payload, max_pending)
        && payload > pending
    {
        problems.add(
            Rule::PayloadPending,
            &at.join("maxPayload"),
            format!(
                "{:?} is more than maxPending, {:?}: no such message could be delivered",
                options.max_payload, options.max_pending
            ),
            "write a size up to maxPending",
        );
    }
    let line = small_size(
        &options.max_control_line,
        &at.join("maxControlLine"),
        problems,
    );
    let deadline = duration(&options.write_deadline, &at.join("writeDeadline"), problems);
    let ping = duration(&options.ping_interval, &at.join("pingInterval"), problems);
    Some(Limits {
        max_connections: options.max_connections,
        max_subscriptions: options.max_subscriptions,
        max_payload: max_payload?,
        max_pending: max_pending?,
        max_control_line: line?,
        write_deadline: deadline?,
        ping_interval: ping?,
        ping_max: options.ping_max,
    })
}

pub(super) fn lame_duck(
    options: &LameDuckOptions,
    at: &OptionPath,
    problems: &mut Problems,
) -> Option<LameDuck> {
    let span = duration(&options.duration, &at.join("duration"), problems);
    let grace = duration(&options.grace_period, &at.join("gracePeriod"), problems);
    let lame_duck = LameDuck {
        duration: span?,
        grace_period: grace?,
    };
    if lame_duck.duration.as_millis() < 30_000 {
        problems.add(
            Rule::LameDuck,
            &at.join("duration"),
            format!(
                "{:?} is too short: nats-server takes no less than 30 s",
                options.duration
            ),
            "write at least \"30s\"",
        );
    } else if lame_duck.grace_period >= lame_duck.duration {
        problems.add(
            Rule::LameDuck,
            &at.join("gracePeriod"),
            format!(
                "{:?} is not shorter than duration, {:?}",
                options.grace_period, options.duration
            ),
            "write a shorter time, for example \"5s\"",
        );
    }
    Some(lame_duck)
}

/// nats-server turns `trace` on or off with each of these, in an order of its own.
const TRACE: [&str; 2] = ["logging.traceVerbose", "logging.traceHeaders"];

pub(super) fn logging(options: &ServerOptions) -> Logging {
    let also_traced = TRACE.iter().any(|option| options.fields.is_true(option));
    let options = &options.logging;
    Logging {
        debug: options.debug,
        trace: options.trace || also_traced,
        logtime: options.logtime,
        connect_error_reports: options.connect_error_reports,
        reconnect_error_reports: options.reconnect_error_reports,
    }
}

/// The fields right under an instance.
pub(super) fn fields(
    options: &ServerOptions,
    at: &OptionPath,
    problems: &mut Problems,
) -> Vec<Setting> {
    let mut settings = options.fields.plan(Block::Server, at, problems);
    let is_off = |setting: &Setting| setting.value == SettingValue::Bool(false);
    settings.retain(|setting| !(TRACE.contains(&setting.field.option) && is_off(setting)));
    settings
}

/// `None` where JetStream is off, or where a value was refused.
pub(super) fn jetstream(
    options: &JetstreamOptions,
    domain: &str,
    at: &OptionPath,
    problems: &mut Problems,
) -> Option<Jetstream> {
    if !options.enable {
        return None;
    }
    let memory = size(
        &options.max_memory_store,
        &at.join("maxMemoryStore"),
        problems,
    );
    let disk = size(&options.max_file_store, &at.join("maxFileStore"), problems);
    let store = problems.parsed(
        Rule::File,
        &at.join("storeDir"),
        &options.store_dir,
        file::check(&options.store_dir),
    );
    let sync = match options.sync_interval.as_str() {
        "always" => Some(Sync::Always),
        text => duration(text, &at.join("syncInterval"), problems).map(Sync::Every),
    };
    store?;
    let encryption = match &options.encryption {
        Some(options) => Some(encryption(options, &at.join("encryption"), problems)?),
        None => None,
    };
    Some(Jetstream {
        encryption,
        store_dir: options.store_dir.clone(),
        domain: domain.to_owned(),
        max_memory_store: memory?,
        max_file_store: disk?,
        sync_interval: sync?,
    })
}

/// Any `jetstream` block turns JetStream on, with its store in `/tmp`.
pub(super) fn jetstream_settings(
    options: &ServerOptions,
    at: &OptionPath,
    problems: &mut Problems,
) {
    if !options.jetstream.enable {
        settings::absent(
            &options.settings,
            "jetstream",
            at,
            &format!("{at}.jetstream.enable is false, and any such block turns JetStream on"),
            &format!("leave the block out, or set {at}.jetstream.enable = true"),
            problems,
        );
    }
}

/// A compression mode, and the round-trip times at which `s2_auto` changes its level.
pub(super) fn compression(
    mode: &str,
    rtt_thresholds: &[String],
    at: &OptionPath,
    problems: &mut Problems,
) -> Compression {
    if !COMPRESSION.contains(&mode) {
        problems.add(
            Rule::Compression,
            &at.join("compression"),
            format!("{mode:?} is not a compression mode"),
            format!("write one of {}", COMPRESSION.join(", ")),
        );
    }
    let at = at.join("rttThresholds");
    let durations = rtt_thresholds.iter().enumerate();
    let durations =
        durations.filter_map(|(index, text)| duration(text, &at.index(index), problems));
    let durations: Vec<Duration> = durations.collect();
    let ascending = durations.is_sorted_by(|one, next| one < next || one.as_millis() == 0);
    if !durations.is_empty() && (mode != "s2_auto" || durations.len() > 4 || !ascending) {
        problems.add(
            Rule::Compression,
            &at,
            format!("{} do not fit {mode:?}", rtt_thresholds.join(", ")),
            "write up to four durations, each longer than the one before, with compression \"s2_auto\": [ \"10ms\" \"50ms\" \"100ms\" ]",
        );
    }
    Compression {
        mode: mode.to_owned(),
        rtt_thresholds: durations,
    }
}

/// What may encrypt a store.
const CIPHERS: [&str; 2] = ["chachapoly", "aes"];

fn encryption(
    options: &EncryptionOptions,
    at: &OptionPath,
    problems: &mut Problems,
) -> Option<Encryption> {
    if !CIPHERS.contains(&options.cipher.as_str()) {
        problems.add(
            Rule::FieldValue,
            &at.join("cipher"),
            format!("{:?} is no cipher that nats-server knows", options.cipher),
            format!("write one of {}", CIPHERS.join(", ")),
        );
    }
    let mut key = |path: &str, name| file(path, FileKind::StoreKey, &at.join(name), problems);
    let own = key(&options.key_file, "keyFile");
    let before = match &options.prev_key_file {
        Some(path) => Some(key(path, "prevKeyFile")?),
        None => None,
    };
    Some(Encryption {
        key: own?,
        prev_key: before,
        cipher: options.cipher.clone(),
    })
}

/// What a listener without TLS must have said.
pub(super) struct Plaintext<'a> {
    /// The `tls` option.
    pub tls: (&'a OptionPath, bool),
    /// The option that says it out loud.
    pub said: (&'a OptionPath, bool),
    /// What travels in the open otherwise.
    pub what: &'a str,
}

impl Plaintext<'_> {
    /// TLS, or the option that says there is none: exactly one of them.
    pub fn check(&self, problems: &mut Problems) {
        let ((tls_at, has_tls), (said_at, said)) = (self.tls, self.said);
        if !has_tls && !said {
            problems.add(
                Rule::Plaintext,
                tls_at,
                format!("is null: {} would travel without TLS", self.what),
                format!("set certFile and keyFile, or say it out loud: {said_at} = true"),
            );
        }
        if has_tls && said {
            problems.add(
                Rule::Plaintext,
                said_at,
                format!("is true, but {tls_at} is set"),
                "choose one: remove the tls files, or write false",
            );
        }
    }
}

/// Whether a listener can be reached from this host only.
pub(crate) fn is_loopback(host: &str) -> bool {
    host == "localhost" || host == "::1" || host.starts_with("127.")
}

/// Each port of one server stands for one listener.
pub(super) fn ports(listeners: &[(OptionPath, u16)], problems: &mut Problems) {
    let mut seen: BTreeMap<u16, &OptionPath> = BTreeMap::new();
    for (at, port) in listeners {
        match seen.get(port) {
            Some(first) => problems.add(
                Rule::PortClash,
                at,
                format!("{port} is also {first}"),
                "two listeners cannot share a port: give one of them another",
            ),
            None => {
                seen.insert(*port, at);
            }
        }
    }
}

/// A name or address to bind to.
pub(super) fn bind(host: &str, at: &OptionPath, problems: &mut Problems) {
    crate::fleet::address(host, &at.join("host"), problems);
}
