//! Turns a plan into the files that nats-server and the node tools read.
//!
//! Pure: the same plan and [`Places`] give the same bytes. Read in this order: [`nats_conf`]
//! (what stands in the config), [`conf`] (how it is written), [`places`] (where things are).

mod accounts;
pub mod artefacts;
pub mod conf;
pub mod diff;
pub mod endpoints;
pub mod input;
pub mod jetstream;
pub mod nats_conf;
pub mod output;
pub mod places;
pub mod report;

pub use artefacts::Artefacts;
pub use places::{Host, Places};
pub use report::Report;
