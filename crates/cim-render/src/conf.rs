//! nats.conf as a typed tree, its one writer, a strict reader, and nats-server's digest of it.
//!
//! The language: <https://docs.nats.io/running-a-nats-service/configuration>. What it really
//! does with quotes, suffixes and `null` was measured (`reference/nats.md` §2.1).

mod digest;
mod read;
mod tree;
mod write;

pub use digest::digest;
pub use read::{ReadError, read};
pub use tree::{Duplicate, Map, Node};
pub use write::{WriteError, write};

/// A whole nats.conf.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// A file with variables, relative to the config's folder: the only kind of path that
    /// nats-server includes.
    pub include: Option<String>,
    /// The top level.
    pub root: Map,
}
