//! JSON Schema of specs, made from the types, for those who write or read specs without our modules.

use std::borrow::Cow;

use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::Spec;
use crate::field::Fields;
use crate::settings::Value;
use crate::spec::{Flow, FullFlow};

/// The schema of one instance's spec.
pub fn spec() -> Schema {
    let mut schema = SchemaGenerator::default().into_root_schema_for::<Spec>();
    RecursiveTransform(exact).transform(&mut schema);
    RecursiveTransform(bounded).transform(&mut schema);
    schema
}

/// Nothing may be absent: `null` is written.
fn exact(schema: &mut Schema) {
    let is_closed = schema
        .get("additionalProperties")
        .and_then(|value| value.as_bool())
        == Some(false);
    let properties = schema.get("properties").and_then(|value| value.as_object());
    if let (true, Some(properties)) = (is_closed, properties) {
        let names: Vec<String> = properties.keys().cloned().collect();
        schema.insert("required".to_owned(), names.into());
    }
}

/// A number of 32 bits has no more; schemars says the largest only of narrower ones.
fn bounded(schema: &mut Schema) {
    if schema.get("format").and_then(|format| format.as_str()) == Some("uint32") {
        schema.insert("maximum".to_owned(), u32::MAX.into());
    }
}

impl JsonSchema for Value {
    fn schema_name() -> Cow<'static, str> {
        "Value".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Any value; whole numbers from -2^63 to 2^63-1.",
            "type": ["null", "boolean", "number", "string", "array", "object"],
        })
    }
}

impl JsonSchema for Fields {
    fn schema_name() -> Cow<'static, str> {
        "Fields".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "What is set of the fields that pass straight through, by option; crates/cim-spec/fields has them.",
            "type": "object",
            "additionalProperties": generator.subschema_for::<Value>(),
        })
    }
}

impl JsonSchema for Flow {
    fn schema_name() -> Cow<'static, str> {
        "Flow".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A subject that may cross, or a flow in full.",
            "anyOf": [{ "type": "string" }, generator.subschema_for::<FullFlow>()],
        })
    }
}
