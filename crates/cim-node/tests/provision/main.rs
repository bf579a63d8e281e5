//! `cim-provision` beside real nats-servers.

mod cluster;
mod consumers;
mod domain;
mod fields;
mod health;
mod import;
mod kill;
mod messages;
mod migrate;
mod migrate_guard;
mod migrate_kill;
mod migrate_publish;
mod migrate_table;
mod one;
mod partition;
mod prune;
mod publisher;
mod rendered;
mod sources;
mod support;
mod table;
mod together;
mod transitions;
