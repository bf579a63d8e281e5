//! Tests of the renderer: fixed cases, refusals, and what holds for any input.

mod change;
mod epoch;
mod evil;
mod golden;
mod owned;
mod panics;
mod refusals;
mod rules;
mod support;
mod trees;
