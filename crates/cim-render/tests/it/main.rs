//! Tests of the renderer: fixed cases, refusals, and what holds for any input.

// Helpers of tests are tests too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod assets;
mod change;
mod coverage;
mod diff;
mod docs;
mod epoch;
mod evil;
mod golden;
mod lints;
mod mutation;
mod owned;
mod panics;
mod refusals;
mod rows;
mod rules;
mod schema;
mod stored;
mod support;
mod trees;
