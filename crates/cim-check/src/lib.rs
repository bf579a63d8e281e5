//! Runs the real nats-server on a throwaway copy of what was rendered, in the same build.
//!
//! `nats-server -t` only parses: some 30 kinds of config pass it and then exit. So a copy with
//! throwaway identities is also started, on loopback, and must become healthy with the digest
//! that we computed; and what accounts hold in JetStream is made once. [`Copy`], [`Identities`] and [`Server`] serve tests and the demo too.

mod api;
mod assets;
pub mod committed;
mod copy;
pub mod folder;
mod identities;
mod loopback;
mod server;
mod verdict;

pub use copy::{Copy, STORE_KEY};
pub use identities::Identities;
pub use server::{Server, Varz, version};
pub use verdict::{check, test_config};
