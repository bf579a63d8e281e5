//! Tokens of the reference implementation, tokens that were changed, and a real nats-server.

// Helpers of tests fail by panicking too; clippy sees only the tests themselves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod callout;
mod chain;
mod imports;
mod keys;
mod kinds;
mod logins;
mod reference;
mod refusals;
mod server;
mod standing;
mod verdicts;
