//! Tests.
mod epoch;
mod golden;
mod support;
