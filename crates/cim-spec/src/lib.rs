//! Turns the spec that NixOS wrote into a [`Plan`], or into [`Problems`] that name options.
//!
//! Read in this order: [`spec`] (what Nix writes), [`plan`] (what it means once every rule
//! holds), [`fleet`] (the rules between hosts), [`artefact`] (files that node tools read).
//! This crate touches no file, no network and no clock.

pub mod artefact;
pub mod asset;
pub mod duration;
pub mod field;
pub mod file;
pub mod fleet;
pub mod implied;
pub mod lint;
pub mod mapping;
pub mod moment;
pub mod name;
pub mod nkey;
pub mod password;
pub mod path;
pub mod plan;
pub mod problem;
pub mod reload;
#[cfg(feature = "schema")]
pub mod schema;
pub mod secret;
pub mod settings;
pub mod size;
pub mod spec;
pub mod subject;
pub mod version;

pub use lint::Lint;
pub use path::OptionPath;
pub use plan::Plan;
pub use problem::{Problem, Problems, Rule};
pub use spec::Spec;
