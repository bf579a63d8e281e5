//! `cim-backup` beside real nats-servers.

mod account;
mod damage;
mod drill;
mod full;
mod held;
mod keep;
mod kill;
mod messages;
mod sink;
mod support;
mod topology;
mod whole;
