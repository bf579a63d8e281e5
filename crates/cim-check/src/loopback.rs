//! What free-form settings name on the host, in a throwaway copy: its own files. None of them opens a listener.

use cim_render::conf::{Map, Node};
use cim_spec::Plan;
use cim_spec::file::FileKind;

/// The tree with everything that `settings` brought moved into the copy; `file` gives its files.
pub fn mapped(root: &Map, plan: &Plan, file: &dyn Fn(FileKind) -> String) -> Map {
    let mut copy = Map::new();
    for (key, node) in root.iter() {
        let is_setting = plan.settings.keys().any(|k| k.eq_ignore_ascii_case(key));
        let node = match is_setting {
            true => block(node, file),
            false => node.clone(),
        };
        copy.put(key, node);
    }
    copy
}

fn block(node: &Node, file: &dyn Fn(FileKind) -> String) -> Node {
    match node {
        Node::List(list) => Node::List(list.iter().map(|node| block(node, file)).collect()),
        Node::Map(map) => {
            let mut copy = Map::new();
            for (key, node) in map.iter() {
                let node = match (key.to_ascii_lowercase().as_str(), node) {
                    ("cert_file", Node::Str(_)) => Node::Str(file(FileKind::Certificate)),
                    ("key_file", Node::Str(_)) => Node::Str(file(FileKind::Key)),
                    ("ca_file", Node::Str(_)) => Node::Str(file(FileKind::Ca)),
                    (_, node) => block(node, file),
                };
                copy.put(key, node);
            }
            Node::Map(copy)
        }
        other => other.clone(),
    }
}
