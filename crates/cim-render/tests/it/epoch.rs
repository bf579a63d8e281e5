//! The render epoch: bumped whenever the renderer writes another nats.conf for the same spec,
//! because units take it, and not the file, as their reason to restart.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::support::{cases, folder, name, render, text, updating};

/// `golden/epoch.json`: what the renderer gave at an epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    epoch: u64,
    cases: BTreeMap<String, Hashes>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Hashes {
    spec: String,
    #[serde(rename = "nats.conf")]
    conf: String,
}

#[test]
fn another_output_for_the_same_spec_bumps_the_epoch() {
    let epoch_file = Path::new(env!("CARGO_MANIFEST_DIR")).join("epoch");
    let record_file = folder("golden").join("epoch.json");
    let epoch: u64 = fs::read_to_string(&epoch_file)
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    let recorded: Option<Record> = fs::read_to_string(&record_file)
        .ok()
        .map(|text| serde_json::from_str(&text).unwrap());
    let mut found = Record {
        epoch,
        cases: rendered(),
    };
    let changed = recorded
        .as_ref()
        .map(|recorded| changed(recorded, &found))
        .unwrap_or_default();
    if updating() {
        let at_record = recorded.as_ref().is_none_or(|r| r.epoch == epoch);
        if at_record && !changed.is_empty() {
            found.epoch += 1;
            fs::write(&epoch_file, format!("{}\n", found.epoch)).unwrap();
        }
        let mut text = serde_json::to_string_pretty(&found).unwrap();
        text.push('\n');
        fs::write(&record_file, text).unwrap();
        return;
    }
    let recorded = recorded.expect("tests/golden/epoch.json is missing: run with UPDATE_GOLDEN=1");
    assert!(
        changed.is_empty() || recorded.epoch != epoch,
        "the same spec renders to another nats.conf in {changed:?}, but crates/cim-render/epoch is \
         still {epoch}: hosts would reload where they must restart.\n\
         UPDATE_GOLDEN=1 cargo test -p cim-render bumps it and rewrites tests/golden/epoch.json"
    );
    assert_eq!(
        recorded, found,
        "tests/golden/epoch.json is not up to date: UPDATE_GOLDEN=1 cargo test -p cim-render"
    );
}

/// The cases whose spec is what it was, and whose nats.conf is not.
fn changed(before: &Record, now: &Record) -> Vec<String> {
    now.cases
        .iter()
        .filter(|(case, now)| {
            before
                .cases
                .get(*case)
                .is_some_and(|before| before.spec == now.spec && before.conf != now.conf)
        })
        .map(|(case, _)| case.clone())
        .collect()
}

fn rendered() -> BTreeMap<String, Hashes> {
    cases("golden")
        .iter()
        .map(|case| {
            let spec = text(case, "spec.json");
            let parsed = cim_render::input::parse(&spec).unwrap();
            let hashes = Hashes {
                spec: sha256(&spec),
                conf: sha256(&render(&parsed).files["nats.conf"]),
            };
            (name(case), hashes)
        })
        .collect()
}

fn sha256(text: &str) -> String {
    let mut hex = String::new();
    for byte in Sha256::digest(text) {
        write!(hex, "{byte:02x}").unwrap();
    }
    hex
}

#[test]
fn a_new_case_or_a_changed_spec_is_no_new_epoch() {
    let hashes = |spec: &str, conf: &str| Hashes {
        spec: spec.to_owned(),
        conf: conf.to_owned(),
    };
    let record = |cases: &[(&str, Hashes)]| Record {
        epoch: 1,
        cases: cases
            .iter()
            .map(|(name, hashes)| ((*name).to_owned(), hashes.clone()))
            .collect(),
    };
    let before = record(&[("a", hashes("1", "1")), ("gone", hashes("1", "1"))]);
    let same = |now: &Record| changed(&before, now).is_empty();
    assert!(same(&record(&[
        ("a", hashes("1", "1")),
        ("new", hashes("2", "2"))
    ])));
    assert!(same(&record(&[("a", hashes("2", "2"))])));
    assert!(!same(&record(&[("a", hashes("1", "2"))])));
}
