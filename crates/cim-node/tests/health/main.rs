//! `cim-health` beside real nats-servers.

mod assets;
mod bad_input;
mod beside;
mod canary;
mod cluster;
mod consumers;
mod daemon;
mod explain;
mod fault;
mod files;
mod fleet;
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
mod wells;
