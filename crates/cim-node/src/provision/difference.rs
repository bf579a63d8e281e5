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
pub fn differences(fields: &[Field], from: &Tree, to: &Tree) -> Vec<Difference> {
    fields
        .iter()
        .filter_map(|field| {
            let of = |tree: &Tree| tree.get(field.name).cloned().unwrap_or(Value::Null);
            let (from, to) = (of(from), of(to));
            (from != to).then_some(Difference {
                field: field.name,
                from,
                to,
            })
        })
        .collect()
}
