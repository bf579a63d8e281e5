//! The operator's desk: issues certificates and seals secrets for the hosts that need them.
//!
//! Time is an argument everywhere but in `main`. Nothing here prints or exits; a command that
//! fails has changed nothing on disk. Private keys leave memory only sealed by [`sops`], but for
//! a CA's, which goes to the file that the operator named.

pub mod cli;
pub mod files;
pub mod identity;
pub mod nsc;
mod parallel;
pub mod pki;
pub mod progress;
pub mod push;
pub mod sops;
