//! `docs/spec.schema.json` is the schema of the types, and it takes what they take.

use std::path::Path;

use cim_render::input;
use cim_spec::{Spec, schema};
use serde_json::Value;

use crate::change::golden;
use crate::mutation::{Random, arbitrary};
use crate::support::{cases, expect, name};

fn made() -> Value {
    schema::spec().to_value()
}

#[test]
fn the_committed_schema_is_that_of_the_types() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/spec.schema.json");
    let text = format!("{}\n", serde_json::to_string_pretty(&made()).unwrap());
    expect(&file, &text).unwrap_or_else(|complaint| panic!("{complaint}"));
}

#[test]
fn golden_specs_hold_the_schema() {
    let schema = made();
    for case in cases("golden") {
        let name = name(&case);
        holds(&schema, &schema, &golden(&name)).unwrap_or_else(|why| panic!("{name}: {why}"));
    }
}

#[test]
fn what_the_types_refuse_the_schema_refuses() {
    let schema = made();
    let bases: Vec<Value> = cases("golden")
        .iter()
        .map(|case| golden(&name(case)))
        .collect();
    for case in 0..3000 {
        let mut random = Random::new(1, case);
        let mut spec = random.pick(&bases).clone();
        arbitrary::change(&mut spec, &bases, &mut random);
        let text = spec.to_string();
        let parsed = input::parse::<Spec>(&text);
        let held = holds(&schema, &schema, &spec);
        match (&parsed, &held) {
            (Ok(_), Ok(())) | (Err(_), Err(_)) => {}
            // No schema can say that a whole number without bounds has 64 bits, or how deep JSON may go.
            (Err(error), Ok(())) if beyond(error) => {}
            _ => panic!("case {case}: {parsed:?}, {held:?}\n{text}"),
        }
    }
}

fn beyond(error: &anyhow::Error) -> bool {
    let said = format!("{error:#}");
    said.contains("beyond 64 bits") || said.contains("recursion limit")
}

/// Holds a value against the keywords that our schema uses; another keyword is a failure, so that none is passed over.
fn holds(root: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    for (keyword, rule) in schema.as_object().into_iter().flatten() {
        keyword_holds(root, schema, (keyword, rule), value)?;
    }
    Ok(())
}

fn keyword_holds(
    root: &Value,
    schema: &Value,
    (keyword, rule): (&str, &Value),
    value: &Value,
) -> Result<(), String> {
    let refuse = || Err(format!("{keyword} {rule} does not take {value}"));
    let fits = |schema: &Value| holds(root, schema, value).is_ok();
    let schemas = || rule.as_array().into_iter().flatten();
    let good = match keyword {
        "$schema" | "$defs" | "title" | "description" | "format" => true,
        "$ref" => {
            let pointer = rule.as_str().and_then(|text| text.strip_prefix('#'));
            let target = pointer.and_then(|pointer| root.pointer(pointer));
            return holds(root, target.ok_or("a $ref that leads nowhere")?, value);
        }
        "type" => match rule {
            Value::Array(kinds) => kinds.iter().any(|kind| is_of(kind, value)),
            kind => is_of(kind, value),
        },
        "anyOf" => schemas().any(fits),
        "oneOf" => schemas().filter(|schema| fits(schema)).count() == 1,
        "minimum" => value
            .as_f64()
            .is_none_or(|value| Some(value) >= rule.as_f64()),
        "maximum" => value
            .as_f64()
            .is_none_or(|value| Some(value) <= rule.as_f64()),
        "items" => {
            let mut items = value.as_array().into_iter().flatten();
            return items.try_for_each(|item| holds(root, rule, item));
        }
        "properties" => {
            let known = rule.as_object().into_iter().flatten();
            return known
                .filter_map(|(name, schema)| Some((schema, value.get(name)?)))
                .try_for_each(|(schema, value)| holds(root, schema, value));
        }
        "additionalProperties" => {
            let others = value.as_object().into_iter().flatten();
            let others = others.filter(|(name, _)| schema["properties"].get(name).is_none());
            let mut others = others.map(|(_, value)| match rule {
                Value::Bool(false) => Err(format!("there is more than {}", schema["properties"])),
                rule => holds(root, rule, value),
            });
            return others.try_for_each(|held| held);
        }
        "required" => schemas().all(|name| {
            let block = value.as_object();
            block.is_none_or(|block| name.as_str().is_some_and(|name| block.contains_key(name)))
        }),
        other => panic!("this test does not know the keyword {other}"),
    };
    if good { Ok(()) } else { refuse() }
}

fn is_of(kind: &Value, value: &Value) -> bool {
    match kind.as_str() {
        Some("null") => value.is_null(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("string") => value.is_string(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => panic!("{kind} is no type"),
    }
}
