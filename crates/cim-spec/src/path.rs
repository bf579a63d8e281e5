//! The path of an option, written the way an operator writes it in Nix.

use std::fmt;

use serde::Serialize;

/// An option's path, such as `services.cim.leaves."plant 7".exports[0].subject`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct OptionPath(String);

impl OptionPath {
    /// The path of a whole tree of options, such as `services.cim.hub`.
    pub fn new(root: &str) -> Self {
        Self(root.to_owned())
    }

    /// One level down; a name that is no Nix identifier is quoted as Nix quotes it.
    pub fn join(&self, name: &str) -> Self {
        if is_identifier(name) {
            return Self(format!("{}.{name}", self.0));
        }
        let mut escaped = String::new();
        for c in name.chars() {
            match c {
                '"' | '\\' => escaped.extend(['\\', c]),
                c if c.is_control() => escaped.extend(c.escape_default()),
                c => escaped.push(c),
            }
        }
        Self(format!("{}.\"{}\"", self.0, escaped.replace("${", "\\${")))
    }

    /// Down a path of an option's own, with dots between its parts.
    pub fn descend(&self, option: &str) -> Self {
        option
            .split('.')
            .fold(self.clone(), |at, name| at.join(name))
    }

    /// An element of a list, counted from 0.
    pub fn index(&self, index: usize) -> Self {
        Self(format!("{}[{index}]", self.0))
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OptionPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '\''))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_nix_would_quote_are_quoted() {
        let root = OptionPath::new("services.cim.leaves");
        assert_eq!(
            root.join("plant-7").join("port").as_str(),
            "services.cim.leaves.plant-7.port"
        );
        assert_eq!(
            root.join("a b").index(2).as_str(),
            "services.cim.leaves.\"a b\"[2]"
        );
        assert_eq!(
            root.join("x\"${y}").as_str(),
            "services.cim.leaves.\"x\\\"\\${y}\""
        );
        assert_eq!(root.join("x\ny").as_str(), "services.cim.leaves.\"x\\ny\"");
    }
}
