//! Sealed files held against the real sops and age, certificates against a real nats-server,
//! and the program's every refusal.

// Helpers of tests fail by panicking too; clippy sees only the tests themselves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod changes;
mod checks;
mod cli;
mod contexts;
mod damage;
mod desk;
mod documents;
mod estate;
mod fleet;
mod hosts;
mod hubs;
mod identity;
mod keys;
mod killed;
mod kinds;
mod links;
mod nsc;
mod online;
mod operator;
mod panics;
mod pinned;
mod push;
mod refusals;
mod renewal;
mod requests;
mod rotate;
mod rotation;
mod rules;
mod secrets;
mod server;
mod sops;
mod tamper;
mod tls;
mod tools;
mod traffic;
