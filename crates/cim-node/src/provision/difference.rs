//! Where two configurations differ.

use cim_spec::asset::Field;
use serde_json::Value;

use super::tree::Tree;

/// One field that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Upstream's name of the field, on the server's side.
    pub field: &'static str,
    /// What the server holds; `null`: nothing.
    pub from: Value,
    /// What is declared; `null`: nothing.
    pub to: Value,
}

/// The fields that differ, of two configurations with the defaults filled in.
pub fn differences<'a>(fields: &[Field], from: &'a Tree, to: &'a Tree) -> Vec<Difference> {
    if from == to {
        return Vec::new();
    }
    fields
        .iter()
        .filter_map(|field| {
            let of = |tree: &'a Tree| tree.get(field.name).filter(|value| !value.is_null());
            let (from, to) = (of(from), of(to));
            let or_null = |value: Option<&Value>| value.cloned().unwrap_or_default();
            (from != to).then(|| Difference {
                field: field.name,
                from: or_null(from),
                to: or_null(to),
            })
        })
        .collect()
}
