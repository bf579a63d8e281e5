//! `cim-provision` beside real nats-servers.

mod answers;
mod cluster;
mod consent;
mod consumers;
mod domain;
mod everywhere;
mod fields;
mod health;
mod import;
mod kill;
mod messages;
mod migrate;
mod migrate_copies;
mod migrate_kill;
mod migrate_table;
mod one;
mod partition;
mod prune;
mod rendered;
mod rights;
mod sources;
mod support;
mod table;
mod together;
mod transitions;
