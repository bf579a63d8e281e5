//! Streams that copy a restored one.

use super::account::{Account, place};
use super::contents::Format;
use super::manifest::Manifest;
use super::order;
use super::problem::{Level, Problem};

/// Streams of the account that have a restored one as their source: nats-server (2.15.1) knows a stream by the moment at which
/// it was made, which a snapshot does not hold.
///
/// # Errors
/// A server that does not tell.
pub async fn again(
    account: &Account,
    manifest: &Manifest,
    restored: &[String],
) -> Result<Vec<Problem>, Problem> {
    let mut problems = Vec::new();
    if restored.is_empty() {
        return Ok(problems);
    }
    let configs = account.configs().await?;
    for (name, config) in &configs {
        for origin in order::sources(config)
            .iter()
            .filter(|origin| restored.contains(origin))
        {
            let contents = manifest.streams.get(origin).map(|stream| &stream.contents);
            let Some(contents) =
                contents.filter(|one| one.format == Format::Archive && one.messages > 0)
            else {
                continue;
            };
            let what = format!(
                "has the restored stream {origin} as a source; nats-server takes that for a new one and copies its {} messages again",
                contents.messages
            );
            let help = "nothing is lost; clients of this stream get those messages twice, so look whether they can take that before they go on";
            problems.push(Problem::new(place(name), what, help).level(Level::Warning));
        }
    }
    Ok(problems)
}
