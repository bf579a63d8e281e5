//! Levels that a stream or consumer carries itself, in the metadata that `nats server check` reads.
//!
//! Names and directions are those of jsm.go `monitor/stream.go` and `monitor/consumer.go`
//! (<https://github.com/nats-io/jsm.go/tree/main/monitor>); without `io.nats.monitor.enabled` they count for nothing.

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
            let enabled = enabled.and_then(Value::as_str);
            enabled.is_some_and(|enabled| truth(enabled) != Some(false))
        }))
    }

    /// That `enabled` is a word for it: who writes another wants it watched, and it would not be.
    ///
    /// # Errors
    /// Another word.
    pub fn readable(&self) -> Result<(), Verdict> {
        let enabled = self.text("enabled").filter(|text| truth(text).is_none());
        enabled.map_or(Ok(()), |text| Err(wrong("enabled", text, "true")))
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
    /// A text that is no duration for `nats`.
    pub fn seconds(&self, name: &str) -> Result<Option<f64>, Verdict> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        let seconds = duration::long_seconds(text).ok_or_else(|| wrong(name, text, "5m"))?;
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

    /// A pair `<name>-warn` and `<name>-critical` of which each is a floor: so many, or fewer, are too few.
    ///
    /// # Errors
    /// As [`Levels::number`].
    pub fn above(&self, name: &str, value: u64, what: &str) -> Result<Option<Reached>, Verdict> {
        self.pair(name, value, what, |_, _| true)
    }

    /// A pair `<name>-warn` and `<name>-critical`: so many, or more, are too many where the critical one is the higher. Else,
    /// and where there is but a warning, each is a floor.
    ///
    /// # Errors
    /// As [`Levels::number`].
    pub fn between(&self, name: &str, value: u64, what: &str) -> Result<Option<Reached>, Verdict> {
        self.pair(name, value, what, |warning, critical| critical <= warning)
    }

    /// `are_floors` of both levels, 0 where there is none.
    fn pair(
        &self,
        name: &str,
        value: u64,
        what: &str,
        are_floors: fn(u64, u64) -> bool,
    ) -> Result<Option<Reached>, Verdict> {
        let warning = self.number(&format!("{name}-warn"))?;
        let critical = self.number(&format!("{name}-critical"))?;
        let falls = are_floors(warning.unwrap_or(0), critical.unwrap_or(0));
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

/// Go's words for yes and no (`strconv.ParseBool`); `None`: neither.
fn truth(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
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
    fn nothing_is_watched_that_says_no_and_a_word_that_is_none_is_said() {
        let says = |word: &str| {
            let metadata = json!({"io.nats.monitor.enabled": word});
            let config = Map::from_iter([("metadata".to_owned(), metadata)]);
            let levels = Levels::of(&config);
            (levels.are_enabled(), levels.readable().is_ok())
        };
        assert_eq!(says("1"), (true, true));
        assert_eq!(says("True"), (true, true));
        assert_eq!(says("f"), (false, true));
        assert_eq!(says("yes"), (true, false));
    }

    #[test]
    fn nothing_counts_that_is_not_enabled_and_rubbish_is_no_level() {
        let mut off = config("msgs-critical", "1");
        off["metadata"]["io.nats.monitor.enabled"] = "false".into();
        assert!(Levels::of(&off).above("msgs", 0, "").unwrap().is_none());
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
