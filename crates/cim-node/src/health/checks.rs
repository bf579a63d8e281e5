//! The checks, in the order in which they wait for each other.

mod account;
mod assets;
mod backup;
mod canary;
mod capacity;
mod config;
mod consumer;
mod disk;
mod expiry;
mod jetstream;
mod jwt;
mod leaf;
mod link;
mod node;
mod rates;
mod server;
mod source;
mod stream;

use super::check::Check;

/// All of them.
pub const ALL: &[&[Check]] = &[
    server::CHECKS,
    expiry::CHECKS,
    jwt::CHECKS,
    config::CHECKS,
    capacity::CHECKS,
    node::CHECKS,
    link::CHECKS,
    canary::CHECKS,
    leaf::CHECKS,
    disk::CHECKS,
    backup::CHECKS,
    jetstream::CHECKS,
    rates::CHECKS,
    assets::CHECKS,
    stream::CHECKS,
    consumer::CHECKS,
    source::CHECKS,
];
