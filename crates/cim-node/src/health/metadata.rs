//! Levels that a stream or consumer carries itself, in the metadata that `nats server check` reads.
//!
//! Names and meanings are those of jsm.go `monitor/stream.go` and `monitor/consumer.go`; without
//! `io.nats.monitor.enabled` they count for nothing.

use serde_json::{Map, Value};

use super::finding::{State, Verdict};
use crate::monitor::duration;

/// What all of them begin with.
const PREFIX: &str = "io.nats.monitor.";

/// The levels of one stream or consumer.
pub struct Levels<'a>(Option<&'a Map<String, Value>>);

/// A level that is reached.
#[derive(Debug)]
pub struct Reached {
    /// How bad it is.
    pub state: State,
    /// In words.
    pub message: String,
}

impl<'a> Levels<'a> {
    /// Of a configuration.
    pub fn of(config: &'a Map<String, Value>) -> Self {
        let metadata = config.get("metadata").and_then(Value::as_object);
        Self(metadata.filter(|metadata| {
            let enabled = metadata.get(&format!("{PREFIX}enabled"));
            enabled.and_then(Value::as_str) == Some("true")
        }))
    }

    /// Whether somebody wants it watched.
    pub fn are_enabled(&self) -> bool {
        self.0.is_some()
    }

    fn text(&self, name: &str) -> Option<&'a str> {
        self.0?.get(&format!("{PREFIX}{name}"))?.as_str()
    }

    /// A number; 0 and less is none, as upstream has it.
    ///
    /// # Errors
    /// A text that is no number.
    pub fn number(&self, name: &str) -> Result<Option<u64>, Verdict> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        let number: i64 = text.parse().map_err(|_| wrong(name, text, "10000"))?;
        Ok(u64::try_from(number).ok().filter(|number| *number > 0))
    }

    /// A duration in seconds.
    ///
    /// # Errors
    /// A text that is no duration of Go.
    pub fn seconds(&self, name: &str) -> Result<Option<f64>, Verdict> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        let seconds = duration::seconds(text).ok_or_else(|| wrong(name, text, "5m"))?;
        Ok(Some(seconds).filter(|seconds| *seconds > 0.0))
    }

    /// A number that must stay below a level.
    ///
    /// # Errors
    /// As [`Levels::number`].
    pub fn below(&self, name: &str, value: u64, what: &str) -> Result<Option<Reached>, Verdict> {
        let level = self.number(name)?.filter(|level| value >= *level);
        Ok(level.map(|level| Reached {
            state: State::Critical,
            message: format!("{value} {what}, {PREFIX}{name} is {level}"),
        }))
    }

    /// A time that must stay below a level, in seconds.
    ///
    /// # Errors
    /// As [`Levels::seconds`].
    pub fn within(&self, name: &str, value: f64, what: &str) -> Result<Option<Reached>, Verdict> {
        let level = self.seconds(name)?.filter(|level| value >= *level);
        Ok(level.map(|level| Reached {
            state: State::Critical,
            message: format!("{what} {value:.0} s ago, {PREFIX}{name} is {level} s"),
        }))
    }

    /// A pair `<name>-warn` and `<name>-critical`. Where the critical one is the lower, less is worse.
    ///
    /// # Errors
    /// As [`Levels::number`].
    pub fn between(&self, name: &str, value: u64, what: &str) -> Result<Option<Reached>, Verdict> {
        let warning = self.number(&format!("{name}-warn"))?;
        let critical = self.number(&format!("{name}-critical"))?;
        let falls =
            matches!((warning, critical), (Some(warning), Some(critical)) if critical < warning);
        let at = |level: Option<u64>| match falls {
            true => level.filter(|level| value <= *level),
            false => level.filter(|level| value >= *level),
        };
        let reached = at(critical)
            .map(|level| (State::Critical, "critical", level))
            .or(at(warning).map(|level| (State::Warning, "warn", level)));
        Ok(reached.map(|(state, word, level)| Reached {
            state,
            message: format!("{value} {what}, {PREFIX}{name}-{word} is {level}"),
        }))
    }
}

fn wrong(name: &str, text: &str, right: &str) -> Verdict {
    Verdict::unknown(
        format!("metadata {PREFIX}{name} is {text:?}, which is no level"),
        format!("write {right:?}, for example"),
    )
    .of_level()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn config(name: &str, value: &str) -> Map<String, Value> {
        let metadata = json!({"io.nats.monitor.enabled": "true", format!("{PREFIX}{name}"): value});
        Map::from_iter([("metadata".to_owned(), metadata)])
    }

    #[test]
    fn a_critical_level_below_the_warning_is_a_floor() {
        let mut config = config("msgs-warn", "100");
        config["metadata"]["io.nats.monitor.msgs-critical"] = "10".into();
        let state = |value| {
            let reached = Levels::of(&config)
                .between("msgs", value, "messages")
                .unwrap();
            reached.map(|reached| reached.state)
        };
        assert_eq!(state(5), Some(State::Critical));
        assert_eq!(state(50), Some(State::Warning));
        assert_eq!(state(500), None);
    }

    #[test]
    fn nothing_counts_that_is_not_enabled_and_rubbish_is_no_level() {
        let mut off = config("msgs-critical", "1");
        off["metadata"]["io.nats.monitor.enabled"] = "false".into();
        assert!(Levels::of(&off).between("msgs", 9, "").unwrap().is_none());
        let rubbish = config("lag-critical", "many");
        let verdict = Levels::of(&rubbish)
            .below("lag-critical", 1, "")
            .unwrap_err();
        assert_eq!(verdict.state, State::Unknown);
        let none = config("lag-critical", "0");
        assert!(
            Levels::of(&none)
                .below("lag-critical", 1, "")
                .unwrap()
                .is_none()
        );
    }
}
