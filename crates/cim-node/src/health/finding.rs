//! What one check says of one subject.

use cim_spec::artefact::Level;

/// How something is. The order is that of need: what is critical outweighs what nobody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// As it should be.
    Ok,
    /// It works, and will not for long.
    Warning,
    /// Nobody can tell, and the message says why.
    Unknown,
    /// It does not work.
    Critical,
}

impl State {
    /// Every state, in the order of exit codes.
    pub const ALL: [State; 4] = [State::Ok, State::Warning, State::Critical, State::Unknown];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            State::Ok => "OK",
            State::Warning => "WARNING",
            State::Critical => "CRITICAL",
            State::Unknown => "UNKNOWN",
        }
    }

    /// Exit code, as monitoring plugins have it.
    pub fn code(self) -> u8 {
        match self {
            State::Ok => 0,
            State::Warning => 1,
            State::Critical => 2,
            State::Unknown => 3,
        }
    }
}

/// A check's judgement.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// How it is.
    pub state: State,
    /// What is so, in words.
    pub message: String,
    /// What to do; `None` where all is well.
    pub help: Option<String>,
    /// The finding that this one waits for: `link hub`; `None`: it speaks for itself.
    pub because: Option<String>,
    /// Whether only a level is reached: what was deployed is there as it should be, and too full, too slow or behind.
    pub is_level: bool,
    /// What was measured.
    pub figures: Vec<Figure>,
}

impl Verdict {
    /// As it should be.
    pub fn ok(message: impl Into<String>) -> Self {
        Self::new(State::Ok, message, None)
    }

    /// It works, and will not for long.
    pub fn warning(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::new(State::Warning, message, Some(help.into()))
    }

    /// It does not work.
    pub fn critical(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::new(State::Critical, message, Some(help.into()))
    }

    /// Nobody can tell.
    pub fn unknown(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::new(State::Unknown, message, Some(help.into()))
    }

    /// Nobody can tell while another finding is as it is.
    pub fn because(other: &str) -> Self {
        Self {
            because: Some(other.to_owned()),
            ..Self::new(State::Unknown, format!("because {other}"), None)
        }
    }

    /// What a measured state means: `message` where all is well, with `help` where it is not.
    pub fn measured(state: State, message: impl Into<String>, help: impl Into<String>) -> Self {
        let help = (state != State::Ok).then(|| help.into());
        Self::new(state, message, help).of_level()
    }

    /// Says of a level, not of what was deployed.
    pub fn of_level(mut self) -> Self {
        self.is_level = true;
        self
    }

    fn new(state: State, message: impl Into<String>, help: Option<String>) -> Self {
        Self {
            state,
            message: message.into(),
            help,
            because: None,
            is_level: false,
            figures: Vec::new(),
        }
    }

    /// With something that was measured.
    pub fn figure(mut self, figure: Figure) -> Self {
        self.figures.push(figure);
        self
    }
}

/// One measured number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figure {
    /// Its name, with its unit as Prometheus writes it: `rtt_seconds`.
    pub name: &'static str,
    /// The number.
    pub value: f64,
    /// What it is counted in.
    pub unit: Unit,
    /// Where a warning begins and where it is critical, in the same unit.
    pub levels: Option<(Option<f64>, Option<f64>)>,
}

/// What a figure is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Things.
    Count,
    /// Things since the server started: it only grows.
    Total,
    /// Hundredths of a whole.
    Percent,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
}

impl Figure {
    /// A number without levels.
    pub fn new(name: &'static str, value: f64, unit: Unit) -> Self {
        Self {
            name,
            value,
            unit,
            levels: None,
        }
    }

    /// With its levels, which `health.json` has in milliseconds where the figure has seconds.
    pub fn against(mut self, level: Level) -> Self {
        let scale = if self.unit == Unit::Seconds {
            1000.0
        } else {
            1.0
        };
        let scaled = |value: Option<u64>| value.map(|value| value as f64 / scale);
        self.levels = Some((scaled(level.warning), scaled(level.critical)));
        self
    }
}

/// Where a number stands that is worse the more it is.
pub fn reached(value: u64, level: Level) -> State {
    let at = |bound: Option<u64>| bound.is_some_and(|bound| value >= bound);
    match () {
        () if at(level.critical) => State::Critical,
        () if at(level.warning) => State::Warning,
        () => State::Ok,
    }
}

/// A verdict with whose it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Name of the check; stable.
    pub check: &'static str,
    /// What it is about: a remote, a stream, a file; empty where a check has but one subject.
    pub of: String,
    /// The judgement.
    pub verdict: Verdict,
    /// Since when it has this state, RFC 3339; `None`: nobody has watched.
    pub since: Option<String>,
}

impl Finding {
    /// `link hub`.
    pub fn name(&self) -> String {
        name(self.check, &self.of)
    }
}

/// A check with its subject, as people are told of it.
pub fn name(check: &str, of: &str) -> String {
    if of.is_empty() {
        check.to_owned()
    } else {
        format!("{check} {of}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_critical_outweighs_what_nobody_knows() {
        assert!(State::Critical > State::Unknown && State::Unknown > State::Warning);
        assert_eq!(State::ALL.map(State::code), [0, 1, 2, 3]);
    }

    #[test]
    fn a_level_begins_where_it_says() {
        let level = |warning, critical| Level { warning, critical };
        assert_eq!(reached(74, level(Some(75), Some(90))), State::Ok);
        assert_eq!(reached(75, level(Some(75), Some(90))), State::Warning);
        assert_eq!(reached(90, level(Some(75), Some(90))), State::Critical);
        assert_eq!(reached(90, level(None, None)), State::Ok);
    }
}
