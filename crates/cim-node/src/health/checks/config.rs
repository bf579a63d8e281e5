//! The server runs the config that was deployed.

use crate::health::check::{Check, Context, Subjects, one};
use crate::health::finding::{Finding, State, Verdict};

pub const CHECKS: &[Check] = &[Check {
    name: "config",
    of: "",
    looks_at: "`config_digest` of `/varz` beside the digest that the build computed, or, where the config holds secrets, `nats-server -t` on the host",
    states: "OK: they are the same. CRITICAL: the server runs another config. UNKNOWN: the config on the host cannot be read.",
    option: "",
    after: &["server"],
    gates: true,
    is_slow: false,
    meaning: "What runs is what was deployed. A reload that nats-server refused leaves the old config running, and `systemctl reload` says success.",
    causes: [
        (
            "nats-server refused a reload",
            "journalctl -u {unit} -g 'Failed to reload'; systemctl restart {unit}",
        ),
        (
            "a secret was renewed and the server was not told",
            "systemctl reload {unit}",
        ),
        (
            "somebody signalled the server while files were being replaced, or runs it with others",
            "systemctl show {unit} -p ExecStart; ls -l {config}",
        ),
    ],
    subjects: |_| Subjects::instance(true),
    judge: |context| one(config(context)),
}];

/// A certificate that `nats-server -t` could not read either. One that ends soon is no obstacle, so that this is no check
/// to wait for.
fn unreadable<'a>(context: &'a Context) -> Option<&'a Finding> {
    context
        .found
        .iter()
        .find(|finding| finding.check == "tls" && finding.verdict.state == State::Unknown)
}

fn config(context: &Context) -> Result<Verdict, Verdict> {
    let varz = context.varz()?;
    let health = context.health;
    let wanted = context.look.slow.digest.as_ref().map_err(|why| {
        if let Some(tls) = unreadable(context) {
            return Verdict::because(&tls.name());
        }
        Verdict::unknown(
            why.clone(),
            format!(
                "run it as a user who may read {} and what it includes, and name the server's own nats-server: --nats-server FILE",
                health.config
            ),
        )
    })?;
    if varz.config_digest.is_empty() {
        return Err(Verdict::unknown(
            format!(
                "nats-server {} does not tell its config's digest",
                varz.version
            ),
            "use nats-server 2.11 or later",
        ));
    }
    if *wanted == varz.config_digest {
        return Ok(Verdict::ok(format!(
            "runs {}, loaded {}",
            health.config, varz.config_load_time
        )));
    }
    Ok(Verdict::critical(
        format!(
            "runs another config than {}: {}, not {wanted}; loaded {}",
            health.config, varz.config_digest, varz.config_load_time
        ),
        format!(
            "systemctl reload {0}; where that is refused: systemctl restart {0}",
            health.unit
        ),
    ))
}
