//! What is on the server under the name of a stream that is to be restored.

use std::time::Duration;

use serde_json::Value;

use super::account::{Account, place};
use super::packed::Packed;
use super::problem::Problem;
use super::restore::MARK;
use super::status;

/// nats-server ends a restore that got nothing for 5 s: what has not moved for longer is nobody's any more.
const STILL: Duration = Duration::from_secs(6);

/// How often it may have moved: of a restore that was just killed the server still stores what it has.
const LOOKS: u32 = 3;

/// What is there.
#[derive(Debug)]
pub enum Existing {
    /// Nothing.
    Absent,
    /// What an earlier restore of this very backup left behind, and nothing else.
    Half,
    /// Something that must not be lost; why.
    Other(Problem),
}

/// Looks; nothing is changed.
///
/// # Errors
/// A server that does not tell.
pub async fn look(account: &Account, one: &Packed<'_>, backup: &str) -> Result<Existing, Problem> {
    let Some(found) = account.stream(one.name).await? else {
        return Ok(Existing::Absent);
    };
    let mark = found
        .pointer("/config/metadata")
        .and_then(|all| all.get(MARK)?.as_str());
    let Some(mark) = mark else {
        let what = format!(
            "the account has a stream of this name, with {} messages, and a restore never replaces one",
            number(&found, "messages")
        );
        return Ok(other(
            one,
            what,
            format!(
                "restore the others with --missing; or restore this one into another account or server; or, once you are sure that nobody needs what it holds, back it up, remove it with `nats stream rm {}` and run again",
                one.name
            ),
        ));
    };
    if mark != backup {
        let what = format!("a restore of another backup, {mark:?}, was never finished");
        return Ok(other(
            one,
            what,
            format!(
                "restore {mark} again, which begins anew; or remove the stream with `nats stream rm {}`",
                one.name
            ),
        ));
    }
    if is_newer(&found, &one.state) {
        let what = format!(
            "an earlier restore was never finished, and clients have stored messages since, up to sequence {}",
            number(&found, "last_seq")
        );
        return Ok(other(
            one,
            what,
            format!(
                "look at them with `nats stream view {0}`, publish again what counts once the stream is back, remove it with `nats stream rm {0}` and run again",
                one.name
            ),
        ));
    }
    let mut before = found;
    for _ in 0..LOOKS {
        tokio::time::sleep(STILL).await;
        let Some(now) = account.stream(one.name).await? else {
            return Ok(Existing::Absent);
        };
        if now.get("state") == before.get("state") {
            return Ok(Existing::Half);
        }
        before = now;
    }
    let what = "somebody else is restoring it now";
    let help = "wait until that has ended";
    Ok(other(one, what.to_owned(), help.to_owned()))
}

/// Removes what a restore left behind.
///
/// # Errors
/// The server's words.
pub async fn remove(account: &Account, one: &Packed<'_>) -> Result<(), String> {
    let found = account
        .stream(one.name)
        .await
        .map_err(|problem| problem.what)?;
    // The last look before it goes: somebody may have published meanwhile.
    if found.is_some_and(|found| is_newer(&found, &one.state)) {
        return Err("clients have stored messages in it meanwhile".to_owned());
    }
    let removed = account
        .api
        .find(&format!("STREAM.DELETE.{}", one.name), &Value::Null)
        .await;
    removed.map(drop).map_err(|failure| failure.to_string())
}

/// Whether it holds something that the backup does not: all that a restore puts there is as old as it was.
fn is_newer(found: &Value, packed: &Value) -> bool {
    let last = |state: Option<&Value>| {
        let time = state.and_then(|state| state.get("last_ts")?.as_str());
        time.and_then(status::moment)
    };
    let later = match (last(found.get("state")), last(Some(packed))) {
        (Some(found), Some(packed)) => found > packed,
        _ => true,
    };
    let sequence = packed
        .get("last_seq")
        .and_then(Value::as_u64)
        .unwrap_or_default();
    number(found, "last_seq") > sequence || (later && number(found, "messages") > 0)
}

fn number(info: &Value, name: &str) -> u64 {
    let state = info.get("state").and_then(|state| state.get(name));
    state.and_then(Value::as_u64).unwrap_or_default()
}

fn other(one: &Packed<'_>, what: String, help: String) -> Existing {
    Existing::Other(Problem::new(place(one.name), what, help))
}
