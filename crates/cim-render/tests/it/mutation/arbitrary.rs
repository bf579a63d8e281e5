//! Changes of a spec that keep no rule at all.

use serde_json::{Map, Value, json};

use super::place::{self, Step};
use super::random::Random;
use crate::trees::evil;

/// Changes a few places. Most get a value of the same kind, so that not everything ends at the first look.
pub fn change(spec: &mut Value, others: &[Value], random: &mut Random) {
    for _ in 0..1 + random.below(4) {
        if let Some(place) = place::any(spec, random) {
            one(spec, &place, others, random);
        }
        if random.once_in(2) {
            return;
        }
    }
}

fn one(spec: &mut Value, at: &[Step], others: &[Value], random: &mut Random) {
    match random.below(12) {
        0 => remove(spec, at),
        1 => put(spec, at, any(random, 3)),
        2 => rename(spec, at, random),
        3 => swap(spec, at, random),
        4 => put(spec, at, elsewhere(random.pick(others), at, random)),
        5 => put(spec, at, nested(random.below(200))),
        6 => add(spec, at, random),
        _ => {
            if let Some(value) = place::at(spec, at) {
                same_kind(value, random);
            }
        }
    }
}

fn put(spec: &mut Value, at: &[Step], value: Value) {
    if let Some(place) = place::at(spec, at) {
        *place = value;
    }
}

fn remove(spec: &mut Value, at: &[Step]) {
    let Some((last, parent)) = at.split_last() else {
        return;
    };
    match (place::at(spec, parent), last) {
        (Some(Value::Object(block)), Step::Name(name)) => drop(block.remove(name)),
        (Some(Value::Array(list)), Step::Index(index)) if *index < list.len() => {
            list.remove(*index);
        }
        _ => {}
    }
}

fn rename(spec: &mut Value, at: &[Step], random: &mut Random) {
    let Some((Step::Name(old), parent)) = at.split_last() else {
        return;
    };
    if let Some(Value::Object(block)) = place::at(spec, parent)
        && let Some(value) = block.remove(old)
    {
        block.insert(text(random), value);
    }
}

/// Two places take each other's values, unless one is in the other.
fn swap(spec: &mut Value, at: &[Step], random: &mut Random) {
    let Some(other) = place::any(spec, random) else {
        return;
    };
    let value = |spec: &mut Value, at: &[Step]| place::at(spec, at).cloned();
    if let (Some(first), Some(second)) = (value(spec, at), value(spec, &other)) {
        put(spec, at, second);
        put(spec, &other, first);
    }
}

/// What another spec has at this place, or at any.
fn elsewhere(other: &Value, at: &[Step], random: &mut Random) -> Value {
    let mut other = other.clone();
    let mut value = |at: &[Step]| place::at(&mut other, at).cloned();
    value(at).unwrap_or_else(|| any(random, 2))
}

fn nested(depth: usize) -> Value {
    (0..depth).fold(Value::Null, |inner, level| match level % 2 {
        0 => json!([inner]),
        _ => json!({ "x": inner }),
    })
}

fn add(spec: &mut Value, at: &[Step], random: &mut Random) {
    let value = any(random, 2);
    match place::at(spec, at) {
        Some(Value::Object(block)) => drop(block.insert(text(random), value)),
        Some(Value::Array(list)) => list.push(value),
        _ => {}
    }
}

fn same_kind(value: &mut Value, random: &mut Random) {
    match value {
        Value::Null => *value = any(random, 1),
        Value::Bool(yes) => *yes = !*yes,
        Value::Number(_) => *value = number(random),
        Value::String(old) => *old = edited(old, random),
        Value::Array(list) if list.is_empty() => list.push(any(random, 1)),
        Value::Array(list) => {
            let twice = random.pick(list).clone();
            list.push(twice);
        }
        Value::Object(block) => {
            let names: Vec<String> = block.keys().cloned().collect();
            if let Some(value) = names.first().and_then(|_| block.get(random.pick(&names))) {
                let copy = value.clone();
                block.insert(text(random), copy);
            }
        }
    }
}

fn any(random: &mut Random, depth: usize) -> Value {
    match random.below(if depth == 0 { 5 } else { 7 }) {
        0 => Value::Null,
        1 => json!(random.once_in(2)),
        2 => number(random),
        3 | 4 => json!(text(random)),
        5 => (0..random.below(4))
            .map(|_| any(random, depth - 1))
            .collect(),
        _ => {
            let entries = (0..random.below(4)).map(|_| (text(random), any(random, depth - 1)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
    }
}

fn number(random: &mut Random) -> Value {
    match random.below(8) {
        0 => json!(0),
        1 => json!(-1),
        2 => json!(u64::MAX),
        3 => json!(i64::MIN),
        4 => json!(f64::from_bits(random.bits())),
        5 => json!(random.between(0, 70_000)),
        6 => json!(random.bits()),
        _ => json!(random.between(0, 100)),
    }
}

/// A text with a place cut, doubled or overwritten, or another text.
fn edited(old: &str, random: &mut Random) -> String {
    if random.once_in(3) {
        return text(random);
    }
    let mut chars: Vec<char> = old.chars().collect();
    let start = random.below(chars.len() + 1);
    let end = (start + random.below(4)).min(chars.len());
    let insert = if random.once_in(2) {
        random.text()
    } else {
        chars[start..end].iter().chain(&chars[start..end]).collect()
    };
    chars.splice(start..end, insert.chars());
    chars.into_iter().collect()
}

fn text(random: &mut Random) -> String {
    const WORDS: [&str; 18] = [
        "7d",
        "1500ms",
        "99999999999999999999s",
        "10GiB",
        "9999999TiB",
        "a.*.>",
        "$SYS.>",
        "$1",
        "{{wildcard(1)}}",
        "/run/secrets/x",
        "/nix/store/0123456789abcdfghijklmnpqrsvwxyz-x",
        "nats://u:p@h:4222",
        "2.15.1",
        "::1",
        "off",
        "tls",
        "fields",
        "*",
    ];
    match random.below(4) {
        0 => (*random.pick(&evil())).to_owned(),
        1 => (*random.pick(&WORDS)).to_owned(),
        2 if random.once_in(50) => random.text().repeat(2000),
        _ => random.text(),
    }
}
