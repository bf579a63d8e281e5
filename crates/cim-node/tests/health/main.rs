//! `cim-health` beside real nats-servers.

mod bad_input;
mod cluster;
mod daemon;
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
mod streams;
mod wells;
