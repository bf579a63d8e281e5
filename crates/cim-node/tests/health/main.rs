//! `cim-health` beside real nats-servers.

mod assets;
mod backups;
mod bad_input;
mod clock;
mod cluster;
mod consumers;
mod daemon;
mod detection;
mod explain;
mod fault;
mod files;
mod forms;
mod gate;
mod hub;
mod limits;
mod links;
mod parsers;
mod scene;
mod secrets;
mod server;
mod sources;
mod streams;
mod transcript;
mod wells;
