//! `cim-provision` beside real nats-servers.

mod cluster;
mod consumers;
mod domain;
mod fields;
mod health;
mod import;
mod kill;
mod messages;
mod one;
mod rendered;
mod sources;
mod support;
mod table;
mod transitions;
