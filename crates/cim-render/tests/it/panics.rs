//! No input panics a reader, and texts that are nearly right are read or refused, never misread.

use cim_render::{conf, input};
use cim_spec::duration::Duration;
use cim_spec::spec::Fleet;
use cim_spec::version::Version;
use cim_spec::{Plan, Spec, file, name, nkey, password, secret, size, subject};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::support::{cases, text};
use crate::trees::texts;

/// A valid text in which a few places were cut, doubled or overwritten.
fn mutated(valid: Vec<String>) -> impl Strategy<Value = String> {
    let edits = prop::collection::vec((any::<Index>(), 0usize..40, texts()), 1..4);
    (prop::sample::select(valid), edits).prop_map(|(mut text, edits)| {
        for (place, length, insert) in edits {
            let mut chars: Vec<char> = text.chars().collect();
            let start = place.index(chars.len() + 1);
            let end = (start + length).min(chars.len());
            chars.splice(start..end, insert.chars());
            text = chars.into_iter().collect();
        }
        text
    })
}

fn golden(file: &str) -> Vec<String> {
    cases("golden")
        .iter()
        .map(|case| text(case, file))
        .collect()
}

fn words() -> Vec<String> {
    [
        "7d",
        "1500ms",
        "9223372036854ms",
        "10GiB",
        "8388608TiB",
        "metrics.*.cpu",
        "domain.>",
        "cim-prod-001",
        "2.15.1",
        "/run/secrets/x",
        "$2a$11$PWIFAL8RsWyGI3jVZtO9Nu8.6jOxzxfZo7c/W0eLk017hjgUKWrhy",
        "UC5T5MYGTYVHZ7FUTZMEBVTN4KO64HBAHIVOSAUICW6FLUQNRKW6JQ3W",
        "nats://u:p@h:4222",
        "/nix/store/0123456789abcdfghijklmnpqrsvwxyz-x",
    ]
    .map(str::to_owned)
    .to_vec()
}

fn parse_everything(text: &str) {
    let _ = Duration::parse(text).map(|duration| duration.to_string());
    let _ = size::parse(text);
    let _ = subject::check(text);
    let _ = name::check(text);
    let _ = name::check_account(text);
    let _ = name::unit(text);
    let _ = file::check(text);
    let _ = Version::parse(text);
    let _ = (
        nkey::is_user(text),
        password::is_bcrypt(text),
        secret::is_in(text),
    );
    let _ = cim_spec::OptionPath::new("x").join(text).to_string();
    let _ = conf::read(text).map_err(|error| error.to_string());
    let _ = input::parse::<Fleet>(text);
    plan(text);
}

/// Applies every rule too: problems must come out, not a panic.
fn plan(text: &str) {
    if let Ok(spec) = input::parse::<Spec>(text) {
        let _ = Plan::from_spec(&spec).map_err(|problems| problems.to_string());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text(text in texts()) {
        parse_everything(&text);
    }

    #[test]
    fn texts_that_are_nearly_right(text in mutated(words())) {
        parse_everything(&text);
    }

    #[test]
    fn configs_that_are_nearly_right(text in mutated(golden("nats.conf"))) {
        if let Ok(document) = conf::read(&text) {
            // What is read can be written, and reads the same.
            if let Ok(again) = conf::write(&document) {
                prop_assert_eq!(conf::read(&again), Ok(document));
            }
        }
    }

    #[test]
    fn specs_that_are_nearly_right(text in mutated(golden("spec.json"))) {
        plan(&text);
    }

    #[test]
    fn durations_keep_their_length(millis in 0u64..9_223_372_036_854) {
        let duration = Duration::parse(&format!("{millis}ms")).unwrap();
        prop_assert_eq!(Duration::parse(&duration.to_string()), Ok(duration));
    }
}

#[test]
fn a_spec_is_one_value() {
    for spec in golden("spec.json") {
        assert!(input::parse::<Spec>(&spec).is_ok());
        let error = input::parse::<Spec>(&format!("{spec}{{}}")).unwrap_err();
        assert!(
            error.to_string().contains("more than one value"),
            "{error:#}"
        );
    }
}
