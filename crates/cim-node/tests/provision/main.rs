//! `cim-provision` beside real nats-servers.

mod cluster;
mod consumers;
mod deployed;
mod domain;
mod durable;
mod fields;
mod health;
mod import;
mod kill;
mod messages;
mod migrate;
mod migrate_kill;
mod migrate_table;
mod one;
mod partition;
mod prune;
mod rendered;
mod sources;
mod support;
mod table;
mod together;
mod transitions;
