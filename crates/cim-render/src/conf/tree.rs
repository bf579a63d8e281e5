//! The typed tree: only what nats.conf can express.

use std::fmt;

use cim_spec::settings::Value;

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// Text; always written in quotes.
    Str(String),
    /// A whole number; never with a suffix.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// `true` or `false`.
    Bool(bool),
    /// A list.
    List(Vec<Node>),
    /// A block.
    Map(Map),
    /// `$name`: a value that stands in the included secrets file.
    Variable(String),
}

/// A block: keys in the order they were put, each once.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Map(Vec<(String, Node)>);

/// A key that stands twice in one block; nats-server would take the last one silently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicate(pub String);

impl fmt::Display for Duplicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the key {:?} stands twice in one block of nats.conf",
            self.0
        )
    }
}

impl std::error::Error for Duplicate {}

impl Map {
    /// An empty block.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an entry. The renderer puts each key once; the writer refuses a block that has one twice.
    pub fn put(&mut self, key: &str, value: impl Into<Node>) -> &mut Self {
        self.0.push((key.to_owned(), value.into()));
        self
    }

    /// The entries in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// Whether nothing stands in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds the entries of `other`, block into block. Keys compare as nats-server compares them:
    /// without case.
    ///
    /// # Errors
    /// A key that both have and that is not a block in both.
    pub fn merge(&mut self, other: Map) -> Result<(), Duplicate> {
        for (key, value) in other.0 {
            let mine = self
                .0
                .iter_mut()
                .find(|(k, _)| k.eq_ignore_ascii_case(&key));
            match (mine, value) {
                (None, value) => self.0.push((key, value)),
                (Some((_, Node::Map(mine))), Node::Map(theirs)) => mine.merge(theirs)?,
                (Some(_), _) => return Err(Duplicate(key)),
            }
        }
        Ok(())
    }
}

impl From<&str> for Node {
    fn from(text: &str) -> Self {
        Node::Str(text.to_owned())
    }
}

impl From<String> for Node {
    fn from(text: String) -> Self {
        Node::Str(text)
    }
}

impl From<bool> for Node {
    fn from(value: bool) -> Self {
        Node::Bool(value)
    }
}

impl From<u64> for Node {
    /// Sizes and counts were checked to fit when they were parsed.
    fn from(value: u64) -> Self {
        Node::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<Map> for Node {
    fn from(map: Map) -> Self {
        Node::Map(map)
    }
}

impl<T: Into<Node>> From<Vec<T>> for Node {
    fn from(list: Vec<T>) -> Self {
        Node::List(list.into_iter().map(Into::into).collect())
    }
}

impl From<&Value> for Node {
    fn from(value: &Value) -> Self {
        match value {
            // Refused by the rules; an empty text is what nats-server would least misread.
            Value::Null => Node::Str(String::new()),
            Value::Bool(value) => Node::Bool(*value),
            Value::Int(value) => Node::Int(*value),
            Value::Float(value) => Node::Float(*value),
            Value::Str(text) => Node::Str(text.clone()),
            Value::List(list) => Node::List(list.iter().map(Node::from).collect()),
            Value::Map(map) => {
                let mut block = Map::new();
                for (key, value) in map {
                    block.put(key, value);
                }
                Node::Map(block)
            }
        }
    }
}
