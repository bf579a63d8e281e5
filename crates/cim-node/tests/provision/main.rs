//! `cim-provision` beside real nats-servers.

mod answers;
mod cluster;
mod consumers;
mod domain;
mod fields;
mod everywhere;
mod health;
mod import;
mod kill;
mod messages;
mod migrate;
mod migrate_kill;
mod migrate_table;
mod migrate_copies;
mod one;
mod partition;
mod prune;
mod rendered;
mod sources;
mod support;
mod table;
mod together;
mod transitions;
