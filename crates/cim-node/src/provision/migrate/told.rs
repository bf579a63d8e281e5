//! What a migration says: its steps before it is consented to, and what came of it.

use serde_json::{Value, json};

use super::again::Again;
use super::note::{Note, Way, interim};
use super::phase::Phase;
use super::stream::Done;
use crate::provision::plan::{Means, Step};
use crate::provision::report::Exit;
use crate::provision::tree::text;
use crate::provision::words;

/// For people and for programs.
#[derive(Debug)]
pub struct Told {
    lines: Vec<String>,
    json: Value,
    exit: Exit,
}

/// How much there is to carry.
#[derive(Debug, Default)]
pub struct Size {
    /// Messages of the old stream; of one under way, not known.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Consumers that are not durable.
    pub others: usize,
}

impl Size {
    /// Of a migration under way nothing is asked.
    pub fn of_note(_: &Note) -> Self {
        Self::default()
    }
}

impl Told {
    /// Nothing is done; why, and what to do.
    pub fn refused(what: String, help: &str) -> Self {
        let line = format!("error: {what}\n  help: {help}");
        Self {
            json: json!({ "exit": Exit::Critical as u8, "refusals": [format!("{what}\n  help: {help}")] }),
            lines: vec![line],
            exit: Exit::Critical,
        }
    }

    /// Steps that wait for consent.
    pub fn waiting(lines: Vec<String>, json: Value) -> Self {
        Self {
            lines,
            json,
            exit: Exit::Warning,
        }
    }

    /// Done.
    pub fn over(lines: Vec<String>, json: Value) -> Self {
        Self {
            lines,
            json,
            exit: Exit::Ok,
        }
    }

    /// What a stream's migration does.
    pub fn steps(step: &Step, phase: &Phase, note: &Note, size: &Size, again: &Again) -> Self {
        let asset = &step.asset;
        let mut lines = Vec::new();
        match phase {
            Phase::Begin => {
                lines.push(format!(
                    "migrate {asset}: {} messages in {} bytes, {} durable consumers",
                    size.messages,
                    size.bytes,
                    note.consumers.len()
                ));
                lines.extend(step.changes.iter().map(|changed| {
                    let how = match &changed.means {
                        Means::Impossible(why) => format!(" ({why})"),
                        _ => String::new(),
                    };
                    format!("    {}: {}{how}", changed.field, words::change(changed))
                }));
                lines.extend(said(step, note, size));
                if !again.is_none() {
                    lines.push(format!(
                        "  its {} messages come a second time to {}: nats-server takes the new {} for another stream (mirrors go on where they are); with --copied-again only",
                        size.messages,
                        again.words(),
                        asset.stream()
                    ));
                }
            }
            phase => lines.push(format!("migrate {asset}: is under way: {}", phase.words())),
        }
        lines.push(format!(
            "to {} it, run again with --confirm {}",
            if *phase == Phase::Begin {
                "begin"
            } else {
                "go on with"
            },
            note.id
        ));
        let consumers: Vec<_> = note
            .consumers
            .iter()
            .map(|kept| json!({ "name": kept.name, "position": kept.position }))
            .collect();
        let json = json!({
            "exit": Exit::Warning as u8,
            "asset": asset.to_string(),
            "id": note.id,
            "phase": phase.words(),
            "way": note.way,
            "messages": size.messages,
            "bytes": size.bytes,
            "consumers": consumers,
            "copiedAgain": { "here": again.here, "there": again.there },
            "done": false,
        });
        Self::waiting(lines, json)
    }

    /// What came of it.
    pub fn done(self, done: &Done) -> Self {
        let mut lines = Vec::new();
        for (what, compared) in [
            ("old stream and interim", &done.out),
            ("interim stream and new", &done.back),
        ] {
            if let Some(compared) = compared {
                lines.push(format!(
                    "{what}: {} messages are the same, sequence by sequence (digest {})",
                    compared.messages,
                    compared.short()
                ));
            }
        }
        let silent: Vec<u128> = done
            .silent
            .iter()
            .map(std::time::Duration::as_millis)
            .collect();
        if !silent.is_empty() {
            let silent: Vec<_> = silent.iter().map(|ms| format!("{ms} ms")).collect();
            lines.push(format!(
                "publishers had no acknowledgement for {}",
                silent.join(", then ")
            ));
        }
        lines.push(format!(
            "done: {} consumers are back at their place",
            done.consumers
        ));
        let mut json = self.json;
        json["exit"] = json!(Exit::Ok as u8);
        json["done"] = json!(true);
        json["silentMilliseconds"] = json!(silent);
        json["compared"] = json!([
            done.out.as_ref().map(|compared| compared.messages),
            done.back.as_ref().map(|compared| compared.messages)
        ]);
        Self::over(lines, json)
    }

    /// For people.
    pub fn text(&self) -> String {
        self.lines.join("\n") + "\n"
    }

    /// For programs.
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// How it ended.
    pub fn exit(&self) -> Exit {
        self.exit
    }
}

/// What a stream's migration does, step by step.
pub fn steps(old: &str, way: Way) -> Vec<String> {
    let copy = interim(old);
    let steps = match way {
        Way::Copy => vec![
            format!("a stream {copy} mirrors {old}, and every message is compared"),
            format!(
                "consumers of {old} are paused; {old} takes no more messages, the rest is copied, {copy} takes what is published to the subjects of {old}, and the rest is compared"
            ),
            format!(
                "{old} is removed and made again as declared, as a mirror of {copy}, and every message is compared"
            ),
            format!(
                "{copy} takes no more messages, the rest is copied, and {old} takes what is published"
            ),
            format!(
                "the consumers come back at their place, the rest is compared, and {copy} is removed"
            ),
        ],
        Way::Refill => vec![
            format!("a stream {copy} is made, which only notes where this stands"),
            format!(
                "{old} takes no more messages, and is looked at once more: nothing may be lost with it"
            ),
            format!("{old} is removed and made again as declared"),
            format!("the consumers come back at their place, and {copy} is removed"),
        ],
    };
    (1..)
        .zip(steps)
        .map(|(number, step)| format!("  {number}. {step}"))
        .collect()
}

/// The steps, and what clients see of them.
fn said(step: &Step, note: &Note, size: &Size) -> Vec<String> {
    let old = step.asset.stream();
    let mut lines = steps(&old, note.way);
    lines.push("  publishers get no acknowledgement for a moment in steps 2 and, where there is one, 4 (`no responders`): they have to publish again, as after any lost acknowledgement".to_owned());
    if note.way == Way::Copy {
        lines.push("  nats-server forgets the Nats-Msg-Ids of a stream that is copied: what is published again across such a moment, having been stored before, is stored twice".to_owned());
        lines.push("  sequences, times and headers stay as they are".to_owned());
        lines.push(format!(
            "  it needs room for {} bytes more while it lasts",
            size.bytes
        ));
    }
    lines.push(format!("  who reads {old} or its consumers finds none between steps 3 and the last; what was delivered and not acknowledged is delivered again"));
    if size.others > 0 {
        lines.push(format!(
            "  {} consumers that are not durable go: their clients have to make them again",
            size.others
        ));
    }
    if text(&step.full, "retention") == "workqueue" {
        lines.push(
            "  messages that were acknowledged before stay stored, and are not delivered again"
                .to_owned(),
        );
    }
    lines
}
