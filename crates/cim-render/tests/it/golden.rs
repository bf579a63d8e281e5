//! `golden/<case>/`: this spec gives these bytes, and the real nats-server takes them.

use std::path::Path;

use cim_testkit::nats_server;

use crate::support::{cases, each, expect, golden_specs, name, plan, render};

#[test]
fn specs_render_to_the_expected_bytes() {
    let mut complaints = Vec::new();
    for case in cases("golden") {
        let spec = cim_render::input::spec(&case.join("spec.json")).unwrap();
        for (file, content) in render(&spec).files {
            complaints.extend(expect(&case.join(&file), &content).err());
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n\n"));
}

#[test]
fn folders_hold_nothing_that_is_not_compared() {
    for case in cases("golden") {
        let spec = cim_render::input::spec(&case.join("spec.json")).unwrap();
        let files = render(&spec).files;
        for file in below(&case, "") {
            assert!(
                file == "spec.json" || files.contains_key(&file),
                "{}: nothing reads {file}",
                name(&case)
            );
        }
    }
}

/// The files of a folder and those in it, by their paths below it.
fn below(folder: &Path, above: &str) -> Vec<String> {
    let mut files = Vec::new();
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        let file = format!("{above}{}", name(&path));
        match path.is_dir() {
            true => files.extend(below(&path, &format!("{file}/"))),
            false => files.push(file),
        }
    }
    files
}

#[test]
fn the_same_spec_gives_the_same_bytes() {
    for (case, spec) in golden_specs() {
        assert_eq!(render(&spec).files, render(&spec).files, "{case}");
    }
}

#[test]
fn the_real_server_takes_every_case() {
    let binary = nats_server().unwrap();
    let version = cim_check::version(&binary).unwrap();
    each(golden_specs(), |(case, spec)| {
        cim_check::check(&plan(&spec), &binary, &version)
            .map_err(|error| format!("{case}: {error:#}"))
    });
}
