//! Differences as the asset's file names them, and fields that the server does not know yet.

use cim_spec::asset::{Change, Consumer, Field, Kind, Stream};
use cim_spec::version::Version;

use super::asset::Asset;
use super::declared::Wanted;
use super::difference::Difference;
use super::plan::{Action, Changed, Means};
use super::tree::canonical;

/// A limit and what goes beyond it are one loss, told at the limit.
pub fn counted_once(changes: &mut [Changed]) {
    let limited = changes.iter().any(|change| {
        matches!(change.difference.field, "max_msgs" | "max_bytes")
            && matches!(change.means, Means::Lossy(_))
    });
    let discard = changes
        .iter_mut()
        .find(|change| change.difference.field == "discard");
    if let (true, Some(discard)) = (limited, discard) {
        discard.means = Means::InPlace;
    }
}

/// Pull or push decides whether there is a `max_waiting`.
pub fn without_consequences(differences: &mut Vec<Difference>) {
    let turns =
        |d: &Difference| d.field == "deliver_subject" && (d.from.is_null() || d.to.is_null());
    if differences.iter().any(turns) {
        differences.retain(|difference| difference.field != "max_waiting");
    }
}

/// A difference with what it means, by the name that the asset's file has for it.
pub fn changed(
    wanted: &Wanted,
    fields: &'static [Field],
    difference: Difference,
    means: Means,
) -> Changed {
    let field = fields.iter().find(|field| field.name == difference.field);
    Changed {
        field: named(wanted, difference.field),
        kind: field.map_or(Kind::Text, |field| field.kind),
        difference,
        means,
    }
}

/// What the file of an asset calls a field of the server's.
fn named(wanted: &Wanted, name: &'static str) -> &'static str {
    if name == "filter_subjects" && wanted.said.contains_key("filter_subject") {
        return "filter_subject";
    }
    let same = |field: &&Field| field.change == Change::Stream(name);
    wanted
        .fields
        .iter()
        .find(same)
        .map_or(name, |field| field.name)
}

/// Refuses fields that a server of this version does not know; `None`: it knows all.
pub fn too_new(asset: &Asset, wanted: &Wanted, server: Version) -> Option<Action> {
    let fields = match asset {
        Asset::Consumer { .. } => Consumer::FIELDS,
        _ => Stream::FIELDS,
    };
    let mut new = fields
        .iter()
        .filter(|field| field.since > server)
        .peekable();
    // Mostly there is none, and a plan has thousands of assets.
    new.peek()?;
    let said = canonical(fields, &wanted.config);
    let refused: Vec<_> = new
        .filter(|field| said.contains_key(field.name))
        .map(|field| {
            let what = format!(
                "{} needs nats-server {}, and this is {}",
                named(wanted, field.name),
                dotted(field.since),
                dotted(server)
            );
            (what, "leave it out, or upgrade the server first".to_owned())
        })
        .collect();
    (!refused.is_empty()).then_some(Action::Refused(refused))
}

fn dotted(Version(major, minor, patch): Version) -> String {
    format!("{major}.{minor}.{patch}")
}

#[cfg(test)]
mod tests {
    use cim_spec::asset::KeyValue;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_field_newer_than_the_server_is_named_as_the_file_does() {
        let said = json!({"bucket": "x", "limit_marker_ttl": 1_000_000_000});
        let bucket: KeyValue = serde_json::from_value(said.clone()).unwrap();
        let tree = |value: Value| value.as_object().cloned().unwrap();
        let wanted = Wanted {
            said: tree(said),
            config: tree(serde_json::to_value(bucket.stream()).unwrap()),
            fields: KeyValue::FIELDS,
        };
        let asset = Asset::KeyValue("x".to_owned());
        let Some(Action::Refused(refused)) = too_new(&asset, &wanted, Version(2, 10, 7)) else {
            panic!("it was not refused");
        };
        assert!(
            refused
                .iter()
                .any(|(what, _)| what
                    == "limit_marker_ttl needs nats-server 2.11.0, and this is 2.10.7"),
            "{refused:?}"
        );
        assert_eq!(too_new(&asset, &wanted, Version(2, 12, 0)), None);
    }
}
