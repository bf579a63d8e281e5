//! Configurations as trees: what is the same as nothing is dropped, so that equal ones are equal.

use cim_spec::asset::{CONSENT_LABEL, Field, Kind};
use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::UtcOffset;
use time::format_description::well_known::Rfc3339;

/// A configuration as JSON.
pub type Tree = Map<String, Value>;

/// The fields of a table that say something, in one spelling each.
pub fn canonical(fields: &[Field], tree: &Tree) -> Tree {
    tree.iter()
        .filter_map(|(name, said)| {
            let field = fields.iter().find(|field| field.name == name.as_str())?;
            Some((name.clone(), value(field.kind, said)?))
        })
        .collect()
}

/// What a tree has beside a table's fields: a newer nats-server's.
pub fn beyond(fields: &[Field], tree: &Tree) -> Tree {
    tree.iter()
        .filter(|(name, _)| fields.iter().all(|field| field.name != name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

fn value(kind: Kind, value: &Value) -> Option<Value> {
    let kept = |keep: bool| keep.then(|| value.clone());
    match kind {
        Kind::Text => kept(!value.as_str()?.is_empty()),
        Kind::Flag => kept(value.as_bool()?),
        Kind::Number | Kind::Duration => kept(!is(value, 0)),
        Kind::Limit => kept(value.as_u64()? > 0),
        Kind::Positive => kept(value.as_u64()? > 1),
        Kind::Choice(words) => kept(value.as_str() != words.first().copied()),
        Kind::Time => moment(value.as_str()?),
        Kind::List | Kind::Durations => kept(!value.as_array()?.is_empty()),
        Kind::Texts => sorted(value.as_array()?.clone()),
        Kind::Part(fields) => part(fields, value),
        Kind::Parts(fields) => sorted(
            value
                .as_array()?
                .iter()
                .filter_map(|v| part(fields, v))
                .collect(),
        ),
        Kind::PartList(fields) => {
            let parts: Vec<_> = value
                .as_array()?
                .iter()
                .filter_map(|v| part(fields, v))
                .collect();
            (!parts.is_empty()).then_some(Value::Array(parts))
        }
        Kind::Labels => labels(value.as_object()?),
    }
}

fn is(value: &Value, number: i64) -> bool {
    value.as_i64() == Some(number)
}

fn part(fields: &[Field], value: &Value) -> Option<Value> {
    let tree = canonical(fields, value.as_object()?);
    (!tree.is_empty()).then_some(Value::Object(tree))
}

fn sorted(mut values: Vec<Value>) -> Option<Value> {
    values.sort_by_key(Value::to_string);
    (!values.is_empty()).then_some(Value::Array(values))
}

/// A moment in UTC; Go's zero time is none.
fn moment(text: &str) -> Option<Value> {
    let Ok(moment) = OffsetDateTime::parse(text, &Rfc3339) else {
        return Some(text.into());
    };
    let moment = moment.to_offset(UtcOffset::UTC);
    match moment.format(&Rfc3339) {
        Ok(_) if moment.year() <= 1 => None,
        Ok(text) => Some(text.into()),
        Err(_) => Some(text.into()),
    }
}

/// Without the server's own, and ours.
fn labels(labels: &Tree) -> Option<Value> {
    let own: Tree = labels
        .iter()
        .filter(|(name, _)| !name.starts_with("_nats.") && *name != CONSENT_LABEL)
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    (!own.is_empty()).then_some(Value::Object(own))
}

/// A flag; absent is `false`.
pub fn flag(tree: &Tree, name: &str) -> bool {
    tree.get(name).and_then(Value::as_bool).unwrap_or_default()
}

/// A number; absent is 0.
pub fn number(tree: &Tree, name: &str) -> i64 {
    tree.get(name).and_then(Value::as_i64).unwrap_or_default()
}

/// A text; absent is empty.
pub fn text<'a>(tree: &'a Tree, name: &str) -> &'a str {
    tree.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Texts; absent is none.
pub fn texts<'a>(tree: &'a Tree, name: &str) -> Vec<&'a str> {
    let list = tree.get(name).and_then(Value::as_array);
    list.map(|list| list.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use cim_spec::asset::{Consumer, Stream};
    use serde_json::json;

    use super::*;

    fn same(fields: &[Field], a: Value, b: Value) {
        let tree = |v: &Value| canonical(fields, v.as_object().unwrap());
        assert_eq!(tree(&a), tree(&b), "{a} and {b}");
    }

    #[test]
    fn what_says_nothing_is_nothing() {
        let nothing = json!({});
        for said in [
            json!({"description": "", "max_msgs": 0, "max_bytes": -1, "max_age": 0}),
            json!({"retention": "limits", "num_replicas": 1, "sealed": false, "compression": "none"}),
            json!({"placement": {}, "sources": [], "consumer_limits": {"max_ack_pending": 0}}),
            json!({"metadata": {"_nats.ver": "2.15.1", "cim.consent": "x"}, "first_seq": 0}),
        ] {
            same(Stream::FIELDS, said, nothing.clone());
        }
        same(
            Consumer::FIELDS,
            json!({"opt_start_time": "0001-01-01T00:00:00Z"}),
            nothing,
        );
    }

    #[test]
    fn order_and_time_zone_mean_nothing_where_they_do_not() {
        same(
            Stream::FIELDS,
            json!({"subjects": ["a", "b"], "sources": [{"name": "X"}, {"name": "Y"}]}),
            json!({"subjects": ["b", "a"], "sources": [{"name": "Y"}, {"name": "X", "external": null}]}),
        );
        same(
            Consumer::FIELDS,
            json!({"pause_until": "2030-01-01T01:00:00+01:00"}),
            json!({"pause_until": "2030-01-01T00:00:00.000Z"}),
        );
    }

    #[test]
    fn numbers_below_zero_that_mean_something_stay() {
        let tree = json!({"max_ack_pending": -1, "max_deliver": -1});
        let tree = canonical(Consumer::FIELDS, tree.as_object().unwrap());
        assert_eq!(Value::Object(tree), json!({"max_ack_pending": -1}));
    }
}
