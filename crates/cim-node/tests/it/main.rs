//! The node's programs beside real nats-servers.

mod closure;
mod expiry;
mod health;
mod host_keys;
mod login;
mod reload;
mod reload_files;
mod reload_rights;
mod reload_rows;
mod reload_table;
mod secrets;
mod support;
