//! Consent: the id of one lossy difference, what it covers, and consent that has nothing to consent to.
//!
//! An id ends with the two numbers that an operator was told: how many messages were at stake, and the stream's last
//! sequence then. So it outlives messages that come in between planning and applying, and covers no other loss; once
//! used, it is noted on the server, and the same difference later has another id.

use cim_spec::asset::CONSENT_LABEL;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::asset::Asset;
use super::plan::{Action, Changed, Means, Settings, Step};
use super::tree::Tree;

/// An asset as the server has it, as far as consent goes.
#[derive(Debug, Clone, Copy)]
pub struct There<'a> {
    /// When it was made: another one of that name has another moment.
    pub created: &'a str,
    /// Its configuration, with the label that notes the consent last used.
    pub config: &'a Tree,
    /// The last sequence of its stream.
    pub last: u64,
}

/// The id of exactly this difference: the asset as it was made, each field from what to what, the consent that was
/// used last, how many messages are at stake, and up to which sequence.
pub fn plan_id(asset: &Asset, there: &There<'_>, changes: &[Changed]) -> String {
    id(asset, there, changes, stake(changes).0, there.last)
}

/// Whether the loss is covered by an id that was printed for it.
///
/// # Errors
/// Why it is not, in words.
pub fn covers(
    given: &str,
    asset: &Asset,
    there: &There<'_>,
    changes: &[Changed],
) -> Result<(), String> {
    if used(there.config) == Some(given) {
        return Err(format!("the {given:?} that is there was used already"));
    }
    let other = || format!("the {given:?} that is there consents to another difference");
    let (told, last) = numbers(given).ok_or_else(other)?;
    if id(asset, there, changes, told, last) != given {
        return Err(other());
    }
    // A message that has come since pushes an older one out, of each field's own accord.
    let (stake, fields) = stake(changes);
    let since = there.last.saturating_sub(last).saturating_mul(fields);
    let most = told.saturating_add(told / 10).saturating_add(since);
    match stake <= most {
        true => Ok(()),
        false => Err(format!(
            "the {given:?} that is there consents to {most} messages at most by now"
        )),
    }
}

/// The consent that was used last on an asset.
fn used(config: &Tree) -> Option<&str> {
    config.get("metadata")?.get(CONSENT_LABEL)?.as_str()
}

/// Keeps the note of the consent that was used last, or makes it `newly`, in a configuration to send.
pub fn note(config: &mut Tree, found: &Tree, newly: Option<&str>) {
    if let Some(used) = newly.or_else(|| used(found)) {
        let labels = config.entry("metadata").or_insert_with(|| json!({}));
        labels[CONSENT_LABEL] = json!(used);
    }
}

/// How many messages are at stake, and the number of fields that put them there.
fn stake(changes: &[Changed]) -> (u64, u64) {
    let losses = changes.iter().filter_map(|change| match &change.means {
        Means::Lossy(loss) => Some(loss.messages),
        _ => None,
    });
    losses.fold((0, 0), |(sum, fields), messages| {
        (messages.saturating_add(sum), fields + 1)
    })
}

fn id(asset: &Asset, there: &There<'_>, changes: &[Changed], stake: u64, last: u64) -> String {
    let fields: Vec<Value> = changes
        .iter()
        .map(|change| {
            let difference = &change.difference;
            json!([difference.field, difference.from, difference.to])
        })
        .collect();
    let (asset, created, used) = (asset.to_string(), there.created, used(there.config));
    let text = json!([asset, created, fields, used, stake, last]).to_string();
    let digest = Sha256::digest(text);
    let digest: String = digest
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{digest}-{stake}-{last}")
}

/// The numbers at an id's end.
fn numbers(id: &str) -> Option<(u64, u64)> {
    let (rest, last) = id.rsplit_once('-')?;
    let (_, stake) = rest.rsplit_once('-')?;
    Some((stake.parse().ok()?, last.parse().ok()?))
}

/// Consent that has nothing to consent to.
pub fn stale(steps: &[Step], settings: &Settings) -> Vec<String> {
    let known = |asset: &str| steps.iter().find(|step| step.asset.to_string() == asset);
    let mut warnings = Vec::new();
    for (asset, id) in &settings.consent {
        match known(asset) {
            None => warnings.push(format!(
                "allowDataLoss of {asset} is {id:?}, but no such asset is declared: remove it"
            )),
            Some(step)
                if matches!(
                    step.action,
                    Action::Lose | Action::Lossy(_) | Action::Unknown(_)
                ) => {}
            Some(step) => {
                let place = step.option.as_deref().unwrap_or(asset);
                warnings.push(format!("{place}: allowDataLoss is {id:?}, but nothing would be lost now: remove it, it was for another difference or has done its work"));
            }
        }
    }
    warnings
}

#[cfg(test)]
mod tests {
    use cim_spec::asset::Kind;

    use super::super::difference::Difference;
    use super::super::loss::{Count, Loss};
    use super::*;

    fn costs(messages: u64) -> Vec<Changed> {
        vec![Changed {
            field: "max_msgs",
            kind: Kind::Limit,
            difference: Difference {
                field: "max_msgs",
                from: json!(10),
                to: json!(5),
            },
            means: Means::Lossy(Loss {
                messages,
                count: Count::Exact,
                always: false,
                what: "go".to_owned(),
            }),
        }]
    }

    #[test]
    fn an_id_covers_what_was_told_a_tenth_more_and_what_has_come_since() {
        let asset = Asset::Stream("A".to_owned());
        let config = Tree::new();
        let at = |last| There {
            created: "then",
            config: &config,
            last,
        };
        let id = plan_id(&asset, &at(5000), &costs(1000));
        assert!(id.ends_with("-1000-5000"), "{id}");
        let covered = |messages, last| {
            covers(&id, &asset, &at(last), &costs(messages)).map_err(|why| {
                assert!(why.contains("messages at most by now"), "{why}");
            })
        };
        for (messages, last, is) in [
            (1000, 5000, true),
            (1, 5000, true),
            (1100, 5000, true),
            (1101, 5000, false),
            (999_999, 5000, false),
            (2100, 6000, true),
            (2101, 6000, false),
        ] {
            assert_eq!(covered(messages, last).is_ok(), is, "{messages} at {last}");
        }
        // Whoever writes other numbers, writes another id.
        let raised = id.replace("-1000-5000", "-9000-5000");
        assert!(covers(&raised, &asset, &at(5000), &costs(1000)).is_err());
    }

    #[test]
    fn an_id_is_good_once() {
        let asset = Asset::Stream("A".to_owned());
        let mut config = Tree::new();
        let changes = costs(5);
        let before = config.clone();
        let there = |config| There {
            created: "then",
            config,
            last: 10,
        };
        let first = plan_id(&asset, &there(&before), &changes);
        assert_eq!(covers(&first, &asset, &there(&before), &changes), Ok(()));
        note(&mut config, &before, Some(&first));
        let why = covers(&first, &asset, &there(&config), &changes);
        assert_eq!(
            why,
            Err(format!("the {first:?} that is there was used already"))
        );
        let second = plan_id(&asset, &there(&config), &changes);
        assert_ne!(first, second);
        // Nor is it once another was used after it.
        let mut later = Tree::new();
        note(&mut later, &config, Some(&second));
        assert!(covers(&first, &asset, &there(&later), &changes).is_err());
    }
}
