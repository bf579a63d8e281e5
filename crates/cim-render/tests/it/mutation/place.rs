//! Places in a JSON tree: all of them, and one at random.

use serde_json::Value;

use super::random::Random;

/// A name in a block, or a number in a list.
#[derive(Debug, Clone)]
pub enum Step {
    /// Of a block.
    Name(String),
    /// Of a list.
    Index(usize),
}

/// Every place in a tree but the whole of it.
pub fn all(value: &Value) -> Vec<Vec<Step>> {
    let mut found = Vec::new();
    walk(value, &mut Vec::new(), &mut found);
    found
}

fn walk(value: &Value, at: &mut Vec<Step>, found: &mut Vec<Vec<Step>>) {
    let mut inside = |step, value| {
        at.push(step);
        found.push(at.clone());
        walk(value, at, found);
        at.pop();
    };
    match value {
        Value::Object(block) => {
            let entries = block.iter();
            entries.for_each(|(name, value)| inside(Step::Name(name.clone()), value));
        }
        Value::Array(list) => {
            let items = list.iter().enumerate();
            items.for_each(|(index, value)| inside(Step::Index(index), value));
        }
        _ => {}
    }
}

/// What stands at a place; `None`: nothing any more.
pub fn at<'a>(value: &'a mut Value, place: &[Step]) -> Option<&'a mut Value> {
    place.iter().try_fold(value, |value, step| match step {
        Step::Name(name) => value.as_object_mut()?.get_mut(name),
        Step::Index(index) => value.as_array_mut()?.get_mut(*index),
    })
}

/// One place, deep ones as likely as others.
pub fn any(value: &Value, random: &mut Random) -> Option<Vec<Step>> {
    let count = below(value);
    let mut place = Vec::new();
    (count > 0).then(|| {
        walk_to(random.below(count), value, &mut place);
        place
    })
}

/// How many places are inside a value.
fn below(value: &Value) -> usize {
    match value {
        Value::Object(block) => block.values().map(|value| 1 + below(value)).sum(),
        Value::Array(list) => list.iter().map(|value| 1 + below(value)).sum(),
        _ => 0,
    }
}

/// Down to the place of a number, in the order in which `all` has them.
fn walk_to(mut number: usize, value: &Value, place: &mut Vec<Step>) {
    let mut enter = |step: &dyn Fn() -> Step, value: &Value| {
        let size = 1 + below(value);
        if number >= size {
            number -= size;
            return false;
        }
        place.push(step());
        if number > 0 {
            walk_to(number - 1, value, place);
        }
        true
    };
    match value {
        Value::Object(block) => {
            block
                .iter()
                .any(|(name, value)| enter(&|| Step::Name(name.clone()), value));
        }
        Value::Array(list) => {
            let mut items = list.iter().enumerate();
            items.any(|(index, value)| enter(&|| Step::Index(index), value));
        }
        _ => {}
    }
}

/// The name that a place has in its block, or in the block around its list.
pub fn key(place: &[Step]) -> &str {
    let mut names = place.iter().rev().filter_map(|step| match step {
        Step::Name(name) => Some(name.as_str()),
        Step::Index(_) => None,
    });
    names.next().unwrap_or("")
}

#[test]
fn a_number_leads_to_each_place() {
    let value = serde_json::json!({ "a": [1, { "b": 2 }], "c": {} });
    let shown = |place: &[Step]| format!("{place:?}");
    let numbered = (0..below(&value)).map(|number| {
        let mut place = Vec::new();
        walk_to(number, &value, &mut place);
        shown(&place)
    });
    let all: Vec<String> = all(&value).iter().map(|place| shown(place)).collect();
    assert_eq!(numbered.collect::<Vec<_>>(), all);
}
