//! Fields that pass straight through: each at the path that its row gives.

use cim_spec::field::{Setting, SettingValue};

use crate::conf::{Duplicate, Map, Node};
use crate::places::Places;

/// Puts the fields of one block into it.
///
/// # Errors
/// A key that stands there already: a row for what other code writes.
pub fn put(block: &mut Map, settings: &[Setting], places: &dyn Places) -> Result<(), Duplicate> {
    for setting in settings {
        let mut node = node(&setting.value, places);
        for names in setting.field.path.iter().rev() {
            let key = names.split('|').next().unwrap_or(names);
            let mut entry = Map::new();
            entry.put(key, node);
            node = Node::Map(entry);
        }
        if let Node::Map(entry) = node {
            block.merge(entry)?;
        }
    }
    Ok(())
}

fn node(value: &SettingValue, places: &dyn Places) -> Node {
    match value {
        SettingValue::Bool(value) => Node::Bool(*value),
        SettingValue::Int(value) => Node::Int(*value),
        SettingValue::Text(text) => Node::Str(text.clone()),
        SettingValue::File(path) => Node::Str(places.path(path)),
        SettingValue::List(list) => {
            Node::List(list.iter().map(|value| node(value, places)).collect())
        }
        SettingValue::Map(map) => {
            let mut block = Map::new();
            for (name, value) in map {
                block.put(name, node(value, places));
            }
            Node::Map(block)
        }
    }
}
