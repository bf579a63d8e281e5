//! `cim-health`: whether an instance is what it should be, in words, and what to do where it is not.
//!
//! Read in this order: [`look`] (what is seen of the server and the host), [`check`] (what a check is), `checks/` (each of
//! them), [`judge`] (all of them on one look), [`finding`] (what comes of it), then the forms it is told in: [`text`],
//! [`json`], [`nagios`], [`openmetrics`]; [`daemon`] does it again and again. [`wire`] speaks NATS beside it: canaries, and
//! reports in short ([`summary`]), which a hub joins into one table ([`mod@fleet`]).

pub mod accounts;
pub mod backlog;
pub mod check;
mod checks;
pub mod daemon;
pub mod explain;
pub mod files;
pub mod finding;
pub mod fleet;
pub mod gate;
pub mod json;
pub mod judge;
pub mod look;
pub mod metadata;
pub mod nagios;
pub mod notify;
pub mod openmetrics;
pub mod page;
pub mod progress;
pub mod standing;
pub mod summary;
pub mod text;
mod wait;
pub mod whereabouts;
pub mod wire;

pub use wait::wait;
