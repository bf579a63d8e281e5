//! Whether what is committed of a fleet's identity says what its options say, and what of it ends soon.

use anyhow::{Context, Result, bail, ensure};
use cim_identity::{Committed, Expiring, Plan, RENEW_ROOT, check_hub, expiring};
use cim_spec::{Problems, Spec, fleet, plan};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Holds the JWTs in a hub's spec against its options; of other specs there is nothing to hold.
///
/// # Errors
/// Every difference, each naming the option.
pub fn of_instance(spec: &Spec, plan: &plan::Plan) -> Result<()> {
    let Spec::Hub(spec) = spec else {
        return Ok(());
    };
    let mut problems = Problems::new();
    check_hub(&spec.fleet, plan.limits.max_payload, &mut problems);
    refuse(&problems)
}

/// Holds the folder `identity/` against its fleet, and against what the hosts need.
///
/// # Errors
/// Every difference, each naming the option.
pub fn whole(plan: &Plan, committed: &Committed) -> Result<()> {
    let mut problems = Problems::new();
    let wishes = plan.certificates()?;
    cim_identity::check(&plan.fleet, &wishes, committed, &mut problems);
    refuse(&problems)
}

fn refuse(problems: &Problems) -> Result<()> {
    ensure!(
        problems.is_empty(),
        "what is committed is not what the options say:\n{problems}"
    );
    Ok(())
}

/// Fails where something ends within the fleet's horizon of `at`, in seconds since 1970.
///
/// # Errors
/// Each thing that ends, with its host, its file and the command that renews it; what cannot be read.
pub fn expiry(plan: &Plan, committed: &Committed, at: i64) -> Result<()> {
    let mut problems = Problems::new();
    let lifetimes = fleet::lifetimes(&plan.fleet, &mut problems);
    ensure!(problems.is_empty(), "the fleet cannot work:\n{problems}");
    let lifetimes = lifetimes.context("this is a bug in cim: a whole fleet has lifetimes")?;
    let horizon = i64::try_from(lifetimes.horizon.as_millis() / 1000)?;
    let wishes = plan.certificates()?;
    let ending = match expiring(&plan.fleet, &wishes, committed, at, horizon) {
        Ok(ending) => ending,
        Err(unread) => bail!("cannot be read:\n{}", unread.join("\n")),
    };
    ensure!(
        ending.is_empty(),
        "these end within {} (services.cim.fleet.expiryHorizon) of {}:\n{}",
        lifetimes.horizon,
        date(at),
        ending.iter().map(line).collect::<Vec<_>>().join("\n")
    );
    Ok(())
}

fn line(one: &Expiring) -> String {
    let host = one.host.as_ref();
    let of = host.map_or_else(String::new, |host| format!(" of {host}"));
    let then = match host {
        Some(host) => format!(", and deploy {host}"),
        // Everybody has it, and its command says in which order it is replaced.
        None if one.renew == Some(RENEW_ROOT) => {
            ", deploy every host, and go on as it says".to_owned()
        }
        None => String::new(),
    };
    let help = match one.renew {
        Some(command) => format!("run `{command}`, commit identity/ and secrets/{then}"),
        None => format!("have it issued again where it comes from, commit identity/{then}"),
    };
    let (file, what, ends) = (&one.file, &one.what, date(one.ends));
    format!("{file}: {what}{of} ends at {ends}\n  help: {help}")
}

/// As people read it.
fn date(seconds: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp(seconds).ok();
    time.and_then(|time| time.format(&Rfc3339).ok())
        .unwrap_or_else(|| format!("second {seconds}"))
}
