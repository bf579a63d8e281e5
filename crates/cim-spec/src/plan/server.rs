//! The rules that every nats-server keeps, hub or leaf.

use std::collections::BTreeMap;

use crate::duration::Duration;
use crate::field::{Block, Setting, SettingValue};
use crate::file::{self, File, FileKind};
use crate::path::OptionPath;
use crate::problem::{Problems, Rule};
use crate::size;
use crate::spec::{LameDuckOptions, LimitOptions, ServerOptions};
use crate::version::{MINIMUM, Version};

pub(crate) fn duration(text: &str, at: &OptionPath, problems: &mut Problems) -> Option<Duration> {
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

/// Bounds on connections and messages, in bytes where they are sizes.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Most clients at a time.
    pub max_connections: u64,
    /// Most subscriptions of one connection; `None`: no limit.
    pub max_subscriptions: Option<u64>,
    /// Largest message.
    pub max_payload: u64,
    /// Most bytes that wait for one connection.
    pub max_pending: u64,
    /// Longest protocol line.
    pub max_control_line: u64,
    /// How long a write may block.
    pub write_deadline: Duration,
    /// How often a silent peer is asked for life.
    pub ping_interval: Duration,
    /// Unanswered pings after which it is dead.
    pub ping_max: u64,
}

/// How a stop lets clients go.
#[derive(Debug, Clone, Copy)]
pub struct LameDuck {
    /// Over how long.
    pub duration: Duration,
    /// How long they may leave by themselves first.
    pub grace_period: Duration,
}

/// What is logged.
#[derive(Debug, Clone, Copy)]
pub struct Logging {
    /// `debug` lines.
    pub debug: bool,
    /// Protocol lines.
    pub trace: bool,
    /// Time stamps.
    pub logtime: bool,
    /// Every n-th failed first connect.
    pub connect_error_reports: u64,
    /// Every n-th failed reconnect.
    pub reconnect_error_reports: u64,
}
