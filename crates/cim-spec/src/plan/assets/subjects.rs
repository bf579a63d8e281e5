//! Subjects of an account's streams: each message is stored by one of them.

use super::{Asset, own_subjects};
use crate::path::OptionPath;
use crate::problem::{Problems, Rule};
use crate::subject::{self, overlap};

/// nats-server's own subjects, which only a stream that acknowledges nothing may store.
const SYSTEM: [&str; 4] = ["$JS.>", "$JSC.>", "$NRG.>", "$SYS.>"];

/// No two streams of an account store the same subject, nor one stream twice, nor NATS's own.
pub(super) fn apart(assets: &[Asset], problems: &mut Problems) {
    let mut seen: Vec<(OptionPath, String, String)> = Vec::new();
    for asset in assets {
        let name = asset.stream_name();
        if asset.stream().is_some()
            && let Some((at, ..)) = seen
                .iter()
                .find(|(at, _, other)| *other == name && *at != asset.at)
            && !at.as_str().starts_with(asset.at.as_str())
        {
            problems.add(
                Rule::AssetName,
                &asset.at,
                format!("is the stream {name:?} on the server, and so is {at}"),
                "give one of them another name",
            );
            continue;
        }
        for (at, subject) in own_subjects(asset) {
            if subject::check(&subject).is_err() {
                continue; // its own rule has said so
            }
            of_nats(asset, &at, &subject, problems);
            if let Some((first, theirs, _)) =
                seen.iter().find(|(_, theirs, _)| overlap(theirs, &subject))
            {
                problems.add(
                    Rule::SubjectOverlap,
                    &at,
                    format!("{subject:?} overlaps {theirs:?} of {first}: nats-server stores a message once"),
                    "let one of them have what both would store",
                );
            }
            seen.push((at, subject, name.clone()));
        }
    }
}

/// Publishers of what nats-server itself sends would get answers that they do not expect.
fn of_nats(asset: &Asset, at: &OptionPath, subject: &str, problems: &mut Problems) {
    let silent = asset
        .stream()
        .is_some_and(|stream| stream.no_ack == Some(true));
    let touches = SYSTEM.iter().any(|own| overlap(own, subject));
    if touches && !silent {
        problems.add(
            Rule::StreamSubjects,
            at,
            format!("{subject:?} is or covers NATS's own subjects ($JS, $SYS, …), whose messages a stream must not acknowledge"),
            "name the subjects of your applications, for example \"domain.>\", or set noAck = true",
        );
    }
}
