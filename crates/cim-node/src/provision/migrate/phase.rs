//! Where a migration stands, read from the server alone.

use anyhow::{Result, bail};

use super::note::{Note, Way, closed, label};
use crate::provision::found::FoundStream;
use crate::provision::tree::texts;

/// What comes next.
#[derive(Debug, PartialEq)]
pub enum Phase {
    /// Nothing was done: the interim stream is made, as a mirror of the old one.
    Begin,
    /// The interim stream copies; the old one takes messages.
    Copy(Note),
    /// Every message is in the interim stream: it takes the new ones, and the old one goes.
    Move(Note),
    /// The old stream needs no copy: it is closed and goes.
    Empty(Note),
    /// The old stream is gone: the new one is made.
    Make(Note),
    /// The new stream copies; the interim one takes messages.
    Back(Note),
    /// Every message is in the new stream: it takes the new ones, and consumers come back.
    Open(Note),
    /// Only the interim stream is left over.
    Clear(Note),
}

impl Phase {
    /// What its steps are called, for people.
    pub fn words(&self) -> &'static str {
        match self {
            Phase::Begin => "nothing was done",
            Phase::Copy(_) => "the interim stream copies the old one",
            Phase::Move(_) => {
                "the interim stream has every message and takes the new ones; the old one is still there"
            }
            Phase::Empty(_) => "the old stream is being closed",
            Phase::Make(_) => {
                "the interim stream has every message; the old one is gone, and the new one is not made yet"
            }
            Phase::Back(_) => "the new stream copies the interim one",
            Phase::Open(_) => "the new stream has every message; consumers come back",
            Phase::Clear(_) => "the new stream is in place; the interim one is left over",
        }
    }

    /// The note, where there is one.
    pub fn note(&self) -> Option<&Note> {
        match self {
            Phase::Begin => None,
            Phase::Copy(note)
            | Phase::Move(note)
            | Phase::Empty(note)
            | Phase::Make(note)
            | Phase::Back(note)
            | Phase::Open(note)
            | Phase::Clear(note) => Some(note),
        }
    }
}

/// What comes next for a stream, by what is there of it and of its interim stream.
///
/// # Errors
/// Streams that no migration leaves behind.
pub fn phase(
    name: &str,
    stream: Option<&FoundStream>,
    interim: Option<&FoundStream>,
) -> Result<Phase> {
    let Some(interim) = interim else {
        return match stream {
            Some(_) => Ok(Phase::Begin),
            None => bail!("the server has no stream {name}, and none was being migrated"),
        };
    };
    let Some(note) = Note::of(interim)? else {
        bail!(
            "there is a stream with the name of our interim stream of {name}, and no note of a migration on it: look what it is, and remove it by hand if it is nothing"
        );
    };
    let Some(stream) = stream else {
        return Ok(Phase::Make(note));
    };
    let mirror_of_interim = stream
        .config
        .get("mirror")
        .and_then(|mirror| mirror.get("name"))
        .is_some_and(|of| of == &interim.config["name"]);
    let copies = interim.config.contains_key("mirror");
    let ended = texts(&interim.config, "subjects") == [closed(name, "interim").as_str()];
    Ok(match note.way {
        Way::Refill if stream.created == note.created => Phase::Empty(note),
        _ if stream.created == note.created && copies => Phase::Copy(note),
        _ if stream.created == note.created => Phase::Move(note),
        _ if mirror_of_interim => Phase::Back(note),
        _ if label(&stream.config) == Some(note.id.as_str()) => Phase::Open(note),
        _ if ended => Phase::Clear(note),
        _ => bail!(
            "somebody made a stream {name} while it was being migrated: its messages are in {}; move the new one's elsewhere, remove it, and run again",
            interim.config["name"]
        ),
    })
}
