//! Whole hosts under real systemd on this machine, several at a time, to be broken on purpose.
//!
//! Each host of `hosts/` is a systemd-nspawn machine over one shared read-only root, with its own
//! network namespace on a bridge that the machine itself is not on, and a cgroup of its own. Units,
//! `/etc`, users and secrets are installed as NixOS's activation would. For tests and
//! `cargo xtask lab` only. What a lab makes carries its name, and is removed when it is dropped;
//! what a killed lab left is removed by the next.
//!
//! What it cannot prove: fsync (a power cut kills processes, the kernel's cache stays), memory and
//! CPU limits (no controllers), `IPAddressDeny`, latency and loss, the firewall, NixOS's own
//! activation scripts. Nor can it shift a host's clock: a time namespace offsets only
//! `CLOCK_MONOTONIC` and `CLOCK_BOOTTIME`, while certificates, JWTs and the ages of messages go by
//! `CLOCK_REALTIME`, of which a kernel has one. Certificates that end soon stand in for it
//! ([`Lab::certify`]).

mod cgroup;
mod client;
mod command;
mod deploy;
mod fault;
mod ground;
mod host;
mod identities;
mod install;
mod lab;
mod left;
mod monitor;
mod net;
mod plans;
mod repair;
mod secrets;
mod shell;
mod stage;
mod switch;
mod table;
mod units;
mod wait;
mod watch;

pub use client::Inside;
pub use deploy::{Deployed, Order};
pub use ground::{Ground, PROGRAMS, clean_up_when_interrupted, possible};
pub use host::Host;
pub use lab::Lab;
pub use left::leftovers;
pub use monitor::{Link, Varz};
pub use net::Cut;
pub use stage::{DeployRs, Generation, Stage};
pub use switch::{Outcome, Switched};
pub use table::Times;
pub use units::{Action, compare};
pub use wait::until;
