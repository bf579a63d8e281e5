//! No text in a spec breaks out of its place: it is refused, or it stands in nats.conf as meant.

use std::path::Path;

use cim_check::{Copy, Identities, test_config};
use cim_render::conf::{self, Map, Node};
use cim_render::{Artefacts, input};
use cim_spec::{Plan, Spec};
use cim_testkit::nats_server;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::Value;

use crate::change::{golden, set};
use crate::support::each;
use crate::trees::{evil, texts};

/// Golden specs that between them have every kind of text field.
const BASES: &[&str] = &[
    "hub-permissions",
    "hub-fields",
    "leaf-fields",
    "leaf-credentials",
];

/// Settings whose text nats-server itself restricts, and may refuse.
const NATS_REFUSES: &[&str] = &[
    "/settings/websocket/",
    "/settings/mqtt/",
    "/settings/cluster/",
    "/settings/leafnodes/",
    "/settings/jetstream/",
];

/// A spec that keeps every rule although a strange text stands at `path`.
struct Accepted {
    base: &'static str,
    path: String,
    evil: String,
    plan: Plan,
}

#[test]
fn no_text_breaks_out() {
    let mut runner = TestRunner::default();
    let strategy = texts();
    let mut random = || strategy.new_tree(&mut runner).unwrap().current();
    let mut accepted = Vec::new();
    let mut refused = 0;
    for base in BASES {
        let spec = golden(base);
        for path in strings(&spec) {
            let fixed = evil().into_iter().map(str::to_owned);
            for evil in fixed.chain((0..8).map(|_| random())) {
                match with(&spec, &path, &evil) {
                    None => refused += 1,
                    Some(plan) => {
                        renders_as_meant(base, &path, &evil, &plan);
                        let path = path.clone();
                        accepted.push(Accepted {
                            base,
                            path,
                            evil,
                            plan,
                        });
                    }
                }
            }
        }
    }
    assert!(refused > 1000, "only {refused} were refused");
    assert!(
        accepted.len() > 200,
        "only {} were accepted",
        accepted.len()
    );
    // The real server looks at one in some: enough for each place to be seen.
    let step = accepted.len() / 200;
    let binary = nats_server().unwrap();
    let identities = Identities::new().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let sample: Vec<_> = accepted.into_iter().step_by(step).enumerate().collect();
    each(sample, |(index, accepted)| {
        let dir = dir.path().join(index.to_string());
        server_reads_as_meant(&accepted, &dir, &binary, &identities)
    });
}

/// The plan with `evil` at `path`, if the rules let it through.
fn with(spec: &Value, path: &str, evil: &str) -> Option<Plan> {
    let mut spec = spec.clone();
    set(&mut spec, path, Value::from(evil));
    let spec: Spec = input::parse(&spec.to_string()).ok()?;
    Plan::from_spec(&spec).ok()
}

/// Nothing but texts and sizes differs from the base's config.
fn renders_as_meant(base: &str, path: &str, evil: &str, plan: &Plan) {
    let artefacts =
        Artefacts::render(plan).unwrap_or_else(|error| panic!("{base} {path} {evil:?}: {error:#}"));
    if ["/permissions/", "/imports/", "/exports/"]
        .iter()
        .any(|part| path.contains(part))
    {
        // `>` alone needs no block, so that another subject adds one; flows decide on isolation.
        return;
    }
    let spec: Spec = input::parse(&golden(base).to_string()).unwrap();
    let before = Artefacts::render(&Plan::from_spec(&spec).unwrap()).unwrap();
    let shape = |artefacts: &Artefacts| {
        let document = conf::read(&artefacts.files["nats.conf"]).unwrap();
        shape(&Node::Map(document.root))
    };
    assert_eq!(shape(&artefacts), shape(&before), "{base} {path} {evil:?}");
}

/// Keys and kinds of values, without texts and sizes (which are written as text in a spec).
fn shape(node: &Node) -> Node {
    match node {
        Node::Str(_) => Node::Str(String::new()),
        Node::Int(_) => Node::Int(0),
        Node::List(list) => Node::List(list.iter().map(shape).collect()),
        Node::Map(map) => {
            let mut block = Map::new();
            for (key, node) in map.iter() {
                block.put(key, shape(node));
            }
            Node::Map(block)
        }
        other => other.clone(),
    }
}

fn server_reads_as_meant(
    accepted: &Accepted,
    dir: &Path,
    binary: &Path,
    identities: &Identities,
) -> Result<(), String> {
    let Accepted {
        base,
        path,
        evil,
        plan,
    } = accepted;
    let fail = |what: String| format!("{base} {path} {evil:?}: {what}");
    let copy = Copy::alone(plan, dir).unwrap();
    let config = copy
        .write(plan, identities)
        .map_err(|e| fail(format!("{e:#}")))?;
    let ours = copy.digest(plan, &copy.document(plan).unwrap()).unwrap();
    match test_config(binary, &config) {
        Ok(theirs) if theirs == ours => Ok(()),
        Ok(theirs) => Err(fail(format!("{theirs} is not {ours}"))),
        Err(_) if NATS_REFUSES.iter().any(|part| path.contains(part)) => Ok(()),
        Err(error) => Err(fail(format!("{error:#}"))),
    }
}

/// The paths of all texts.
fn strings(value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut inside = |key: &str, value: &Value| {
        let key = key.replace('~', "~0").replace('/', "~1");
        let below = strings(value);
        found.extend(below.into_iter().map(|path| format!("/{key}{path}")));
    };
    match value {
        Value::String(_) => return vec![String::new()],
        Value::Object(map) => map.iter().for_each(|(key, value)| inside(key, value)),
        Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                inside(&index.to_string(), value);
            }
        }
        _ => {}
    }
    found
}
