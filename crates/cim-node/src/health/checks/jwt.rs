//! JWTs of accounts that a hub in operator mode has loaded.

use cim_identity::{End, RENEW};
use cim_spec::artefact::WatchedJwt;
use time::OffsetDateTime;

use super::capacity::asked;
use super::expiry::left;
use crate::health::accounts::Jwt;
use crate::health::check::{Check, Context, Subjects};
use crate::health::finding::Verdict;

/// The subject that is no account.
const OPERATOR: &str = "operator";

pub const CHECKS: &[Check] = &[Check {
    name: "jwt",
    of: "account, and the operator",
    looks_at: "on a hub in operator mode the JWTs in `/accountz` and `/varz`: their own end, and those of the activations that an account imports by; of an account that nobody has used yet, what the server will load",
    states: "WARNING, CRITICAL: what is left of what ends first is no more than the level; CRITICAL: it has ended. UNKNOWN: there is no JWT of it, or it cannot be read; or the clock was just set.",
    option: "expiry",
    after: &["server"],
    gates: false,
    is_slow: false,
    meaning: "What the hub knows of an account. The moment it ends the hub cuts every client and leaf link of the account and refuses each further try; once an activation ends, what is imported by it stays away.",
    causes: [
        (
            "it was made elsewhere, with an end, and nobody renews it",
            "cim-admin expiry --plan FILE, at the desk",
        ),
        (
            "a new one was made and not pushed: a running hub goes on with what it has loaded",
            "cim-admin accounts diff --server URL, at the desk",
        ),
        (
            "the hub has no JWT of an account that was deployed, and not pushed",
            "ls /var/lib/{unit}/resolver; cim-admin accounts push --server URL, at the desk",
        ),
    ],
    subjects,
    judge,
}];

fn name(jwt: &WatchedJwt) -> String {
    format!("account {}", jwt.account)
}

fn subjects(context: &Context) -> Subjects {
    match &context.health.watch.jwts {
        None => Subjects::Nothing,
        Some(jwts) => {
            let accounts = jwts.accounts.iter().map(name);
            Subjects::these(accounts.chain([OPERATOR.to_owned()]))
        }
    }
}

fn judge(context: &Context) -> Vec<(String, Verdict)> {
    let accounts = &context.look.slow.accounts;
    let watched = context.health.watch.jwts.iter();
    let each = watched.flat_map(|jwts| &jwts.accounts).map(|wanted| {
        let verdict = accounts
            .jwts
            .get(&wanted.account)
            .map_or_else(|| Err(unseen()), |seen| asked_for(seen))
            .map(|jwt| account(context, jwt));
        (name(wanted), verdict.unwrap_or_else(|verdict| verdict))
    });
    let mut verdicts: Vec<_> = each.collect();
    let operator = accounts.operator.as_ref();
    let operator = operator.map_or_else(|| Err(unseen()), asked);
    let operator = operator.map(|ends| {
        let help = format!("at the desk: {RENEW}; then deploy every hub");
        first(context, ends, help).unwrap_or_else(|| Verdict::ok("does not end"))
    });
    let operator = operator.unwrap_or_else(|verdict| verdict);
    verdicts.push((OPERATOR.to_owned(), operator));
    verdicts
}

fn account(context: &Context, jwt: &Jwt) -> Verdict {
    let help = format!("at the desk: {RENEW}; then cim-admin accounts push --server URL");
    first(context, &jwt.ends, help).unwrap_or_else(|| match jwt.loaded {
        true => Verdict::ok("does not end"),
        false => Verdict::ok("does not end; the server loads it once somebody uses the account"),
    })
}

/// What is left of what ends first; `None`: nothing ends.
fn first(context: &Context, ends: &[End], help: String) -> Option<Verdict> {
    let end = ends.first()?;
    let Ok(moment) = OffsetDateTime::from_unix_timestamp(end.ends) else {
        let message = format!("{} ends at no moment: {}", end.what, end.ends);
        return Some(Verdict::unknown(message, help));
    };
    let mut verdict = left(context, moment, help);
    if verdict.because.is_none() {
        verdict.message = format!("{} {}", end.what, verdict.message);
    }
    Some(verdict)
}

fn asked_for(seen: &Result<Jwt, String>) -> Result<&Jwt, Verdict> {
    seen.as_ref().map_err(|why| {
        Verdict::unknown(
            why.clone(),
            "at the desk: cim-admin accounts diff --server URL says what the hub has, accounts push brings it",
        )
    })
}

fn unseen() -> Verdict {
    Verdict::unknown("it was not looked at yet", "look again")
}
