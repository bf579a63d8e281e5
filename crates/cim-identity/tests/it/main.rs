//! The identity of a fleet: what is made, what is refused, and what the real nats-server makes of it.

// Helpers of tests fail by panicking too; clippy sees only the tests themselves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod authority;
mod cases;
mod certificates;
mod expiry;
mod fields;
mod fleet;
mod logins;
mod made;
mod refusals;
