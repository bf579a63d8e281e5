//! `diffs/<case>/change.json`: golden specs as an old generation, and what the new one has in other ways; `diff.txt` is
//! what an operator is told.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use cim_render::diff::{Diff, Generation};
use serde::Deserialize;
use serde_json::Value;

use crate::change::{golden, remove, set};
use crate::support::{cases, expect, folder, name, text};

/// A change of a fleet. Keys are names of instances with spaces between.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Case {
    /// Golden cases, one for each instance of the old generation.
    instances: Vec<String>,
    /// What is written into their specs, by JSON pointer.
    #[serde(default)]
    set: BTreeMap<String, BTreeMap<String, Value>>,
    /// What is taken away from them.
    #[serde(default)]
    remove: BTreeMap<String, Vec<String>>,
    /// Golden cases that the new generation has besides.
    #[serde(default)]
    start: Vec<String>,
    /// Instances that it does not have.
    #[serde(default)]
    stop: Vec<String>,
    /// The render epoch of both.
    epochs: Option<[String; 2]>,
    /// The whole fleet of both.
    fleets: Option<[Value; 2]>,
}

type Specs = BTreeMap<String, Value>;

impl Case {
    fn read(case: &Path) -> Self {
        serde_json::from_str(&text(case, "change.json"))
            .unwrap_or_else(|error| panic!("{}: {error}", case.display()))
    }

    fn old(&self) -> Specs {
        let spec = |case: &String| (case.clone(), golden(case));
        self.instances.iter().map(spec).collect()
    }

    fn changed(&self) -> Specs {
        let mut specs = self.old();
        for (names, paths) in &self.remove {
            for name in names.split(' ') {
                let spec = specs.get_mut(name).unwrap();
                paths.iter().for_each(|path| remove(spec, path));
            }
        }
        for (names, values) in &self.set {
            for name in names.split(' ') {
                let spec = specs.get_mut(name).unwrap();
                let values = values.iter();
                values.for_each(|(path, value)| set(spec, path, value.clone()));
            }
        }
        specs.extend(self.start.iter().map(|case| (case.clone(), golden(case))));
        specs.retain(|name, _| !self.stop.contains(name));
        specs
    }

    fn generation(&self, dir: &Path, specs: &Specs, index: usize) -> Generation {
        fs::create_dir_all(dir.join("instances")).unwrap();
        for (name, spec) in specs {
            let file = dir.join("instances").join(format!("{name}.json"));
            fs::write(file, spec.to_string()).unwrap();
        }
        if let Some(epochs) = &self.epochs {
            fs::write(dir.join("epoch"), &epochs[index]).unwrap();
        }
        if let Some(fleets) = &self.fleets {
            fs::write(dir.join("fleet.json"), fleets[index].to_string()).unwrap();
        }
        Generation::read(dir).unwrap()
    }

    fn diff(&self) -> Diff {
        let dir = tempfile::tempdir().unwrap();
        let old = self.generation(&dir.path().join("old"), &self.old(), 0);
        let new = self.generation(&dir.path().join("new"), &self.changed(), 1);
        Diff::between(&old, &new)
    }
}

#[test]
fn changes_are_told_with_what_they_cost() {
    let mut complaints = Vec::new();
    for case in cases("diffs") {
        let diff = Case::read(&case).diff();
        complaints.extend(expect(&case.join("diff.txt"), &diff.to_string()).err());
        let json = serde_json::to_value(&diff).unwrap();
        let told = json["instances"].as_object().unwrap();
        assert_eq!(told.len(), diff.instances.len(), "{}", name(&case));
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n\n"));
}

#[test]
fn a_single_spec_is_a_generation() {
    let spec = folder("golden").join("hub-1/spec.json");
    let generation = Generation::read(&spec).unwrap();
    let diff = Diff::between(&generation, &generation);
    assert_eq!(diff.to_string(), "hub-1  nothing\n");
}

#[test]
fn what_is_no_generation_is_said_to_be_none() {
    let refused = |path: &Path| format!("{:#}", Generation::read(path).unwrap_err());
    let dir = tempfile::tempdir().unwrap();
    assert!(refused(dir.path()).contains("holds no folder `instances`"));
    assert!(refused(&dir.path().join("no")).contains("no: "));
    let file = dir.path().join("spec.json");
    for (content, says) in [
        ("[]", "this is no spec"),
        ("{}", "one has `hub` or `leaf`"),
        (r#"{"hub":{"node":"a"}}"#, "there is no /natsServerVersion"),
        (
            r#"{"leaf":{"name":"a","natsServerVersion":"x"}}"#,
            "\"x\" is not a nats-server version",
        ),
        ("{", "reading "),
    ] {
        fs::write(&file, content).unwrap();
        let said = refused(&file);
        assert!(said.contains(says), "{content}: {said}");
    }
}
