//! What free-form settings open and listen on, in a throwaway copy: its own files, loopback, any port.

use cim_render::conf::{Map, Node};
use cim_spec::Plan;
use cim_spec::file::FileKind;

/// Blocks that typed options make; their places are mapped where they are rendered.
const TYPED: &[&str] = &["accounts", "cluster", "jetstream", "leafnodes"];

/// Blocks that open a listener of their own.
const LISTENERS: &[&str] = &["gateway", "mqtt", "websocket"];

/// The tree with everything that `settings` brought moved into the copy; `file` gives its files.
pub fn mapped(root: &Map, plan: &Plan, file: &dyn Fn(FileKind) -> String) -> Map {
    let mut copy = Map::new();
    for (key, node) in root.iter() {
        let is_setting = plan.settings.keys().any(|k| k.eq_ignore_ascii_case(key));
        if !is_setting || is_one_of(TYPED, key) {
            copy.put(key, node.clone());
        } else if key.eq_ignore_ascii_case("prof_port") {
            copy.put(key, Node::Int(-1));
        } else {
            copy.put(key, block(node, is_one_of(LISTENERS, key), file));
        }
    }
    copy
}

fn block(node: &Node, listens: bool, file: &dyn Fn(FileKind) -> String) -> Node {
    match node {
        Node::List(list) => Node::List(list.iter().map(|node| block(node, false, file)).collect()),
        Node::Map(map) => {
            let mut copy = Map::new();
            for (key, node) in map.iter() {
                let node = match (key.to_ascii_lowercase().as_str(), node) {
                    ("cert_file", Node::Str(_)) => Node::Str(file(FileKind::Certificate)),
                    ("key_file", Node::Str(_)) => Node::Str(file(FileKind::Key)),
                    ("ca_file", Node::Str(_)) => Node::Str(file(FileKind::Ca)),
                    ("listen", _) if listens => Node::Str("127.0.0.1:-1".to_owned()),
                    ("host" | "net", _) if listens => Node::Str("127.0.0.1".to_owned()),
                    ("port", _) if listens => Node::Int(-1),
                    (_, node) => block(node, false, file),
                };
                copy.put(key, node);
            }
            Node::Map(copy)
        }
        other => other.clone(),
    }
}

fn is_one_of(names: &[&str], key: &str) -> bool {
    names.iter().any(|name| name.eq_ignore_ascii_case(key))
}
