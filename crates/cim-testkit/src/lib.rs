//! Starts whole fleets of real nats-servers on loopback, with their real configs, and removes them.
//!
//! For tests and the demo only. A missing nats-server is a failure, never a skip.

mod fleet;
mod golden;
mod identity;
mod keys;
mod login;
mod member;
pub mod mqtt;
mod operator;
mod peers;
mod ports;
mod rows;
mod watch;
mod wire;

use std::env;
use std::path::PathBuf;

use anyhow::{Context, Result};

pub use fleet::Fleet;
pub use golden::{cases, golden, like, plan};
pub use identity::{Identity, key};
pub use login::{PASSWORD, PASSWORD_HASH};
pub use member::Member;
pub use operator::in_operator_mode;
pub use ports::{Held, Ports};
pub use rows::{Row, rows};
pub use watch::{Leaf, taken, until, until_within};
pub use wire::{Cut, Wire};

/// The nats-server that tests run: `$NATS_SERVER`, else the one on `PATH`.
///
/// # Errors
/// None is there; the message says what to do.
pub fn nats_server() -> Result<PathBuf> {
    let named = env::var_os("NATS_SERVER").map(PathBuf::from);
    let on_path = || {
        env::split_paths(&env::var_os("PATH")?)
            .map(|dir| dir.join("nats-server"))
            .find(|file| file.is_file())
    };
    named.or_else(on_path).context(
        "no nats-server: run `cargo xtask test`, which brings one, or set NATS_SERVER to its path",
    )
}
