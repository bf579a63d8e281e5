//! Whether what is committed of a fleet's identity says what its options say, and what of it ends soon.

use anyhow::{Context, Result, bail, ensure};
use cim_identity::{Committed, Expiring, check_hub, expiring};
use cim_spec::spec::Fleet;
use cim_spec::{Plan, Problems, Spec, fleet};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Holds the JWTs in a hub's spec against its options; of other specs there is nothing to hold.
///
/// # Errors
/// Every difference, each naming the option.
pub fn of_instance(spec: &Spec, plan: &Plan) -> Result<()> {
    let Spec::Hub(spec) = spec else {
        return Ok(());
    };
    let mut problems = Problems::new();
    check_hub(&spec.fleet, plan.limits.max_payload, &mut problems);
    refuse(&problems)
}

/// Holds the folder `identity/` against its fleet.
///
/// # Errors
/// Every difference, each naming the option.
pub fn whole(fleet: &Fleet, committed: &Committed) -> Result<()> {
    let mut problems = Problems::new();
    cim_identity::check(fleet, committed, &mut problems);
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
pub fn expiry(fleet: &Fleet, committed: &Committed, at: i64) -> Result<()> {
    let mut problems = Problems::new();
    let lifetimes = fleet::lifetimes(fleet, &mut problems);
    ensure!(problems.is_empty(), "the fleet cannot work:\n{problems}");
    let lifetimes = lifetimes.context("this is a bug in cim: a whole fleet has lifetimes")?;
    let horizon = i64::try_from(lifetimes.horizon.as_millis() / 1000)?;
    let ending = match expiring(fleet, committed, at, horizon) {
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
    let deploy = host.map_or_else(String::new, |host| format!(", and deploy {host}"));
    format!(
        "{}: {}{of} ends at {}\n  help: run `{}`, commit identity/ and secrets/{deploy}",
        one.file,
        one.what,
        date(one.ends),
        one.renew
    )
}

/// As people read it.
fn date(seconds: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp(seconds).ok();
    time.and_then(|time| time.format(&Rfc3339).ok())
        .unwrap_or_else(|| format!("second {seconds}"))
}
