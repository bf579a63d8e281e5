//! Every row of `cim-spec/assets`, with its example: an option that gives upstream's field, which the real nats-server
//! takes; and what it refuses, by the option's name.

use std::collections::BTreeMap;
use std::{env, fs};

use cim_render::{Artefacts, input};
use cim_spec::asset::{Consumer, Field, KeyValue, Kind, ObjectStore, Source, Stream};
use cim_spec::field::Block;
use cim_spec::{Plan, Rule, Spec};
use cim_testkit::nats_server;
use serde_json::{Map, Value, json};

use crate::change::{Case, golden, set};
use crate::support::{folder, plan, render};

/// What an example needs beside it.
const NEEDS: &str = include_str!("assets.json");

/// A row that has an option, with those of parts under their names.
struct Row {
    option: String,
    path: Vec<String>,
    example: Value,
}

fn table(name: &str) -> Value {
    let file = folder("../../cim-spec/assets").join(format!("{name}.json"));
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

fn rows(name: &str) -> Vec<Row> {
    let table = table(name);
    let rows = table["fields"].as_array().unwrap().iter();
    let rows = rows.filter(|row| row.get("option").is_some());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let own = |row: &Value| Row {
        option: text(&row["option"]),
        path: vec![text(&row["key"])],
        example: row["example"].clone(),
    };
    let mut found = Vec::new();
    for row in rows {
        if row["type"] != "part" {
            found.push(own(row));
            continue;
        }
        for mut inner in self::rows(row["of"].as_str().unwrap()) {
            inner.option = format!("{}.{}", row["option"].as_str().unwrap(), inner.option);
            inner.path.insert(0, text(&row["key"]));
            found.push(inner);
        }
    }
    found
}

/// A golden hub whose account holds an asset for each row.
fn everything() -> (Value, Vec<(String, Vec<String>)>) {
    let needs: BTreeMap<String, Map<String, Value>> = serde_json::from_str(NEEDS).unwrap();
    let mut known = 0;
    let mut expected = Vec::new();
    let mut fields = |block: &str, row: &Row| {
        let mut fields = needs
            .get(&format!("{block}.{}", row.option))
            .inspect(|_| known += 1)
            .cloned()
            .unwrap_or_default();
        fields.insert(row.option.clone(), row.example.clone());
        fields
    };
    let name = |row: &Row| row.option.replace('.', "-");
    let stream = |fields: Map<String, Value>, sources: Value, mirror: Value| {
        json!({ "hub": null, "allowDataLoss": null, "longestPartition": null, "rate": null, "mirror": mirror,
            "sources": sources, "consumers": {}, "fields": fields })
    };
    let mut held = json!({ "streams": {}, "kv": {}, "objectStores": {} });
    for row in rows("stream") {
        let name = name(&row);
        let mut fields = fields("stream", &row);
        let mirror = match row.option.as_str() {
            "mirrorDirect" => {
                json!({ "name": "subjects", "leaf": null, "hub": null, "fields": {} })
            }
            _ => Value::Null,
        };
        if mirror.is_null() && !fields.contains_key("subjects") {
            fields.insert("subjects".to_owned(), json!([format!("t.{name}")]));
        }
        expected.push((format!("streams/{name}"), row.path));
        held["streams"][&name] = stream(fields, json!([]), mirror);
    }
    for row in rows("source") {
        let name = format!("from-{}", name(&row));
        let source = json!([{ "name": "subjects", "leaf": null, "hub": null, "fields": fields("source", &row) }]);
        let path = ["sources".to_owned(), "0".to_owned()]
            .into_iter()
            .chain(row.path);
        expected.push((format!("streams/{name}"), path.collect()));
        held["streams"][&name] = stream(Map::new(), source, Value::Null);
    }
    for row in rows("consumer") {
        let name = name(&row);
        let consumer = json!({ "allowDataLoss": null, "fields": fields("consumer", &row) });
        expected.push((format!("consumers/subjects/{name}"), row.path));
        held["streams"]["subjects"]["consumers"][&name] = consumer;
    }
    for row in rows("kv") {
        let name = name(&row);
        expected.push((format!("kv/{name}"), row.path.clone()));
        held["kv"][&name] = json!({ "hub": null, "allowDataLoss": null, "mirror": null, "sources": [], "fields": fields("kv", &row) });
    }
    for row in rows("object-store") {
        let name = name(&row);
        expected.push((format!("object-stores/{name}"), row.path.clone()));
        held["objectStores"][&name] =
            json!({ "hub": null, "allowDataLoss": null, "fields": fields("object-store", &row) });
    }
    assert_eq!(known, needs.len(), "assets.json names what is no row");
    let mut spec = golden("hub-1");
    set(&mut spec, "/hub/fleet/assets/accounts/CIM", held);
    set(
        &mut spec,
        "/hub/fleet/accounts/CIM/jetstream/maxFile",
        Value::Null,
    );
    (spec, expected)
}

#[test]
fn every_row_is_an_option_that_the_real_server_takes() {
    let (mut spec, expected) = everything();
    let binary = nats_server().unwrap();
    let version = cim_check::version(&binary).unwrap();
    set(&mut spec, "/hub/natsServerVersion", json!(version));
    let spec: Spec = input::parse(&spec.to_string()).unwrap();
    let files = render(&spec).files;
    assert!(expected.len() > 100, "only {} rows", expected.len());
    let mut values = BTreeMap::new();
    for (asset, path) in expected {
        let json: Value =
            serde_json::from_str(&files[&format!("jetstream/CIM/{asset}.json")]).unwrap();
        let pointer = format!("/{}", path.join("/"));
        let value = json.pointer(&pointer);
        assert!(value.is_some(), "{asset} has nothing at {pointer}: {json}");
        values.insert(format!("{asset}{pointer}"), value.cloned());
    }
    // Nanoseconds and bytes by hand: what the server takes may still be another value than the option's.
    let page = folder("it/assets-values.json");
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&page, format!("{:#}\n", json!(values))).unwrap();
    }
    let held: BTreeMap<String, Option<Value>> =
        serde_json::from_str(&fs::read_to_string(&page).unwrap()).unwrap();
    assert_eq!(values, held, "{}", page.display());
    cim_check::check(&plan(&spec), &binary, &version).unwrap();
}

#[test]
fn every_field_has_an_option_or_another_way() {
    // Named by its own name, or made of what a mirror and its like name.
    let other = [
        "name",
        "durable_name",
        "bucket",
        "mirror",
        "sources",
        "external",
    ];
    let blocks: [(Block, &[Field]); 5] = [
        (Block::Stream, Stream::FIELDS),
        (Block::Consumer, Consumer::FIELDS),
        (Block::KeyValue, KeyValue::FIELDS),
        (Block::ObjectStore, ObjectStore::FIELDS),
        (Block::Source, Source::FIELDS),
    ];
    for (block, fields) in blocks {
        for field in fields {
            let has = block.fields().any(|row| row.path[0] == field.name);
            assert_eq!(
                !has,
                other.contains(&field.name),
                "{block:?} {}",
                field.name
            );
        }
    }
}

#[test]
fn words_are_those_of_the_types() {
    let words = |block: Block, fields: &[Field]| {
        for field in fields {
            let Kind::Choice(ours) = field.kind else {
                continue;
            };
            let row = block.fields().find(|row| row.path == [field.name]).unwrap();
            assert_eq!(
                row.kind,
                cim_spec::field::Kind::Enum(ours),
                "{}",
                field.name
            );
        }
    };
    words(Block::Stream, Stream::FIELDS);
    words(Block::Consumer, Consumer::FIELDS);
    words(Block::KeyValue, KeyValue::FIELDS);
}

#[test]
fn what_the_real_server_refuses_does_not_build() {
    let binary = nats_server().unwrap();
    let version = cim_check::version(&binary).unwrap();
    for (case, rule, says) in [
        (
            "subject-overlap",
            Rule::SubjectOverlap,
            "streams.ORDERS: nats-server refuses it: subjects overlap",
        ),
        (
            "work-queue",
            Rule::WorkQueue,
            "consumers.b: nats-server refuses it: consumer in pull mode requires explicit ack",
        ),
    ] {
        let case = Case::read(&folder("refusals").join(case));
        let spec: Spec = input::parse(&case.apply()).unwrap();
        let plan = Plan::from_spec_ignoring(&spec, rule).unwrap();
        let refused = cim_check::check(&plan, &binary, &version).unwrap_err();
        let said = format!("{refused:#}");
        assert!(said.contains(says), "{said}");
    }
}

#[test]
fn nothing_is_written_where_nothing_is_declared() {
    for spec in ["hub-1", "cim-prod-001"] {
        let spec: Spec = input::parse(&golden(spec).to_string()).unwrap();
        let files = Artefacts::render(&plan(&spec)).unwrap().files;
        assert!(
            !files.keys().any(|file| file.starts_with("jetstream")),
            "{files:?}"
        );
    }
}
