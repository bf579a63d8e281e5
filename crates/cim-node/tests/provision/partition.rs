//! A leaf is cut off from its hub, and dies meanwhile: what was acknowledged arrives once, in order.

mod crossing;
pub mod held;
mod outage;
mod pair;
mod publisher;
mod surprises;
mod table;
