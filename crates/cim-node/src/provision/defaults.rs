//! What nats-server fills in: `checkStreamCfg` in stream.go, `setConsumerConfigDefaults` in consumer.go.

use cim_spec::asset::{Consumer, Stream};
use serde_json::{Value, json};

use super::tree::{Tree, canonical, flag, number, text};

/// 2 minutes.
const DUPLICATE_WINDOW: i64 = 120_000_000_000;
/// 30 seconds.
const ACK_WAIT: i64 = 30_000_000_000;
/// 2 minutes.
const PINNED: i64 = 120_000_000_000;
/// 1 second: the only heartbeat that the server takes with flow-control acknowledgements.
const FLOW_HEARTBEAT: i64 = 1_000_000_000;
const MAX_WAITING: i64 = 512;
const MAX_ACK_PENDING: i64 = 1000;

/// A stream's configuration as the server holds it once it has taken it.
pub fn stream(config: &Tree) -> Tree {
    let mut tree = canonical(Stream::FIELDS, config);
    let copies = tree.contains_key("mirror") || tree.contains_key("sources");
    if !copies && !tree.contains_key("subjects") {
        tree.insert("subjects".to_owned(), json!([text(config, "name")]));
    }
    if !copies && !tree.contains_key("duplicate_window") {
        let age = number(&tree, "max_age");
        let window = if age > 0 {
            age.min(DUPLICATE_WINDOW)
        } else {
            DUPLICATE_WINDOW
        };
        tree.insert("duplicate_window".to_owned(), window.into());
    }
    if tree.contains_key("subject_delete_marker_ttl") {
        tree.insert("allow_msg_ttl".to_owned(), true.into());
    }
    let rolls =
        tree.contains_key("subject_delete_marker_ttl") || flag(&tree, "allow_msg_schedules");
    if rolls && !flag(&tree, "allow_rollup_hdrs") {
        tree.insert("allow_rollup_hdrs".to_owned(), true.into());
        tree.remove("deny_purge");
    }
    if let Some(Value::Object(republish)) = tree.get_mut("republish") {
        republish.entry("src").or_insert(">".into());
    }
    if decides_mirror_direct(&tree) {
        tree.remove("mirror_direct");
    }
    if flag(&tree, "sealed") {
        tree.remove("max_age");
        tree.remove("allow_rollup_hdrs");
        tree.insert("discard".to_owned(), "new".into());
        tree.insert("deny_delete".to_owned(), true.into());
        tree.insert("deny_purge".to_owned(), true.into());
    }
    tree
}

/// A mirror of a stream that the server can see answers gets if that stream does, whatever is declared.
fn decides_mirror_direct(tree: &Tree) -> bool {
    let mirror = tree.get("mirror").and_then(Value::as_object);
    mirror.is_some_and(|mirror| !mirror.contains_key("external"))
}

/// A consumer's configuration as the server holds it once it has taken it, on a stream of this configuration.
pub fn consumer(config: &Tree, stream: &Tree) -> Tree {
    let mut tree = canonical(Consumer::FIELDS, config);
    let fill = |tree: &mut Tree, name: &str, value: Value| {
        tree.entry(name).or_insert(value);
    };
    let acks = tree.contains_key("ack_policy");
    let flows = text(&tree, "ack_policy") == "flow_control";
    if let Some(name) = tree.get("durable_name").cloned() {
        fill(&mut tree, "name", name);
    }
    if !tree.contains_key("deliver_subject") {
        fill(&mut tree, "max_waiting", MAX_WAITING.into());
    }
    if acks && !flows {
        fill(&mut tree, "ack_wait", ACK_WAIT.into());
    }
    if let Some(first) = first(&tree, "backoff") {
        tree.insert("ack_wait".to_owned(), first);
    }
    if let Some(Value::Object(limits)) = stream.get("consumer_limits") {
        for name in ["max_ack_pending", "inactive_threshold"] {
            if number(limits, name) > 0 {
                fill(&mut tree, name, number(limits, name).into());
            }
        }
    }
    if acks {
        fill(&mut tree, "max_ack_pending", MAX_ACK_PENDING.into());
    }
    if text(&tree, "priority_policy") == "pinned_client" {
        fill(&mut tree, "priority_timeout", PINNED.into());
    }
    if flows {
        tree.insert("flow_control".to_owned(), true.into());
        tree.insert("idle_heartbeat".to_owned(), FLOW_HEARTBEAT.into());
    }
    // One filter is the same in either field.
    if let Some(filter) = tree.remove("filter_subject") {
        fill(&mut tree, "filter_subjects", json!([filter]));
    }
    tree
}

fn first(tree: &Tree, name: &str) -> Option<Value> {
    tree.get(name)?.as_array()?.first().cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_duplicate_window_is_never_longer_than_messages_live() {
        let window =
            |config: Value| number(&stream(config.as_object().unwrap()), "duplicate_window");
        assert_eq!(window(json!({"name": "A"})), DUPLICATE_WINDOW);
        assert_eq!(
            window(json!({"name": "A", "max_age": 5_000_000_000_i64})),
            5_000_000_000
        );
        assert_eq!(window(json!({"name": "A", "sources": [{"name": "B"}]})), 0);
    }
}
