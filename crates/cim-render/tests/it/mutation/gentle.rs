//! Random specs that hold every rule: golden ones, changed step by step, where a step that a rule refuses is taken back.

use std::collections::BTreeMap;

use cim_render::input;
use cim_spec::field::{Block, Field, Kind};
use cim_spec::{Plan, Spec};
use serde_json::{Value, json};

use super::place::{self, Step};
use super::random::Random;
use crate::trees::evil;

/// Values by the name under which they stand somewhere in a golden spec.
pub struct Pool(BTreeMap<String, Vec<Value>>);

impl Pool {
    /// The values of some specs.
    pub fn of(specs: &[Value]) -> Self {
        let mut values: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for spec in specs {
            for place in place::all(spec) {
                let value = place::at(&mut spec.clone(), &place).cloned();
                let same = values.entry(place::key(&place).to_owned()).or_default();
                same.extend(value.filter(|value| !same.contains(value)));
            }
        }
        Self(values)
    }
}

/// A spec that holds every rule, and is none of the golden ones.
pub fn valid(bases: &[Value], pool: &Pool, random: &mut Random) -> Value {
    let base = random.pick(bases);
    let mut spec = base.clone();
    let steps = 1 + random.below(12);
    let mut taken = 0;
    // Most steps are refused; in the end some are not.
    while taken < steps {
        let mut next = spec.clone();
        step(&mut next, pool, random);
        if next != spec && next != *base && holds(&next) {
            spec = next;
            taken += 1;
        }
    }
    spec
}

fn holds(spec: &Value) -> bool {
    let spec = input::parse::<Spec>(&spec.to_string());
    spec.is_ok_and(|spec| Plan::from_spec(&spec).is_ok())
}

fn step(spec: &mut Value, pool: &Pool, random: &mut Random) {
    let Some(place) = place::any(spec, random) else {
        return;
    };
    let key = place::key(&place).to_owned();
    let Some(value) = place::at(spec, &place) else {
        return;
    };
    if key == "jwt" {
        return; // whether one is signed and for what, is seen where keys are at hand
    }
    if key == "fields" && value.is_object() {
        let rows: Vec<&Field> = Block::TOP.into_iter().flat_map(Block::fields).collect();
        let field = *random.pick(&rows);
        value[field.option] = of_kind(field.kind, random);
        return;
    }
    match random.below(4) {
        0 => {
            if let Some(same) = pool.0.get(&key) {
                *value = random.pick(same).clone();
            }
        }
        1 => in_place(value, random),
        2 => other(spec, &place, random),
        _ => match value {
            Value::String(text) => *text = of_text(text, random),
            _ => in_place(value, random),
        },
    }
}

/// Another value of the same kind.
fn in_place(value: &mut Value, random: &mut Random) {
    match value {
        Value::Bool(yes) => *yes = !*yes,
        Value::Number(_) => *value = json!(random.between(1, 20_000)),
        Value::String(text) => *text = of_text(text, random),
        Value::Array(list) if list.is_empty() => list.push(json!(subject(random))),
        Value::Array(list) => {
            let index = random.below(list.len());
            if random.once_in(2) {
                list.remove(index);
            } else {
                let twice = list[index].clone();
                list.push(twice);
            }
        }
        Value::Object(_) | Value::Null => {}
    }
}

/// The entry is gone, or stands a second time under another name.
fn other(spec: &mut Value, place: &[Step], random: &mut Random) {
    let Some((Step::Name(name), parent)) = place.split_last() else {
        return;
    };
    if let Some(Value::Object(block)) = place::at(spec, parent) {
        match block.get(name).cloned() {
            Some(value) if random.once_in(2) => {
                block.insert(word(random), value);
            }
            _ => drop(block.remove(name)),
        }
    }
}

fn of_text(old: &str, random: &mut Random) -> String {
    let first = old.chars().next();
    match random.below(6) {
        0 => (*random.pick(&evil())).to_owned(),
        1 => random.text(),
        2 => subject(random),
        _ if old.ends_with("iB") => size(random),
        _ if first.is_some_and(|c| c.is_ascii_digit()) => duration(random),
        _ if first == Some('/') => format!("/run/secrets/{}", random.text()),
        _ => word(random),
    }
}

fn of_kind(kind: Kind, random: &mut Random) -> Value {
    match kind {
        Kind::Bool => json!(random.once_in(2)),
        Kind::Int(least, most) if random.once_in(2) => json!(random.between(least, most)),
        Kind::Int(least, most) => json!(random.between(least, most.min(least.saturating_add(100)))),
        Kind::Size => json!(size(random)),
        Kind::Duration => json!(duration(random)),
        Kind::Text => json!(random.text()),
        Kind::Version => json!(*random.pick(&["2.12.0", "2.14.0", "2.15.1"])),
        Kind::Texts => (0..random.below(4)).map(|_| random.text()).collect(),
        Kind::Subject => json!(subject(random)),
        Kind::Subjects => (0..random.below(4)).map(|_| subject(random)).collect(),
        Kind::Enum(words) => json!(*random.pick(words)),
        Kind::Enums(words) => words
            .iter()
            .filter(|_| random.once_in(2))
            .copied()
            .collect(),
        Kind::TextMap => json!({ word(random): random.text(), word(random): random.text() }),
        Kind::BoolMap => json!({ word(random): random.once_in(2) }),
        Kind::File => json!(format!("/run/secrets/{}", word(random))),
        Kind::Nanoseconds => json!("30s"),
        Kind::NanosecondsList => json!(["1s", "10s"]),
        Kind::Time => json!("2030-01-01T00:00:00Z"),
        Kind::Labels => json!({ "owner": "somebody" }),
        Kind::Transforms => json!([{ "src": "a.>", "dest": "b.a.>" }]),
        Kind::Nkey(_) => json!("UC5T5MYGTYVHZ7FUTZMEBVTN4KO64HBAHIVOSAUICW6FLUQNRKW6JQ3W"),
    }
}

fn size(random: &mut Random) -> String {
    let unit = *random.pick(&["KiB", "MiB", "GiB", ""]);
    format!("{}{unit}", random.between(1, 5000))
}

fn duration(random: &mut Random) -> String {
    let unit = *random.pick(&["ms", "s", "m", "h"]);
    format!("{}{unit}", random.between(1, 90))
}

fn subject(random: &mut Random) -> String {
    let mut tokens: Vec<String> = (0..1 + random.below(4))
        .map(|_| match random.below(4) {
            0 => "*".to_owned(),
            1 => random.text(),
            _ => word(random),
        })
        .collect();
    if random.once_in(3) {
        tokens.push(">".to_owned());
    }
    tokens.join(".")
}

fn word(random: &mut Random) -> String {
    let letter = |random: &mut Random| char::from(b'a' + random.below(26) as u8);
    (0..1 + random.below(8)).map(|_| letter(random)).collect()
}
