//! Tests of the renderer: fixed cases, refusals, and what holds for any input.

mod change;
mod epoch;
mod golden;
mod refusals;
mod rules;
mod support;
