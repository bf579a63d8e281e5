//! Consent: the id of one lossy difference, and consent that has nothing to consent to.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::asset::Asset;
use super::plan::{Action, Changed, Means, Settings, Step};

/// The id of exactly this difference: the asset as it was made, each field from what to what, and how much is at
/// stake, in steps of a thousand, so that messages that come in between planning and applying seldom change it.
pub fn plan_id(asset: &Asset, created: &str, changes: &[Changed]) -> String {
    let fields: Vec<Value> = changes
        .iter()
        .map(|change| {
            let stake = match &change.means {
                Means::Lossy(loss) => magnitude(loss.messages),
                _ => 0,
            };
            json!([
                change.difference.field,
                change.difference.from,
                change.difference.to,
                stake
            ])
        })
        .collect();
    let text = json!([asset.to_string(), created, fields]).to_string();
    let digest = Sha256::digest(text);
    digest
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// 0 for none, 1 below a thousand, 2 below a million, and so on.
pub(super) fn magnitude(messages: u64) -> u32 {
    match messages {
        0 => 0,
        messages => messages.ilog10() / 3 + 1,
    }
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
    use super::*;

    #[test]
    fn stakes_are_counted_in_steps_of_a_thousand() {
        for (messages, step) in [
            (0, 0),
            (1, 1),
            (999, 1),
            (1000, 2),
            (999_999, 2),
            (1_000_000, 3),
        ] {
            assert_eq!(magnitude(messages), step, "{messages}");
        }
    }
}
