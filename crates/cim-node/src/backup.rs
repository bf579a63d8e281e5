//! `cim-backup`: an account's streams with their consumers, key-value buckets and object stores (which are streams too) on a
//! disk, proven to come back.
//!
//! Read in this order: [`folder`] and [`manifest`] (what is on the disk), [`snapshot`], [`archive`] and [`contents`] (one
//! stream), [`create`], [`check`], [`keep`] and [`sink`], [`restore`] with [`packed`],
//! [`existing`], [`upload`] and [`copies`], [`drill`] with
//! [`throwaway`] and [`guard`], [`status`] and [`told`] (for health).

pub mod account;
pub mod archive;
pub mod check;
pub mod contents;
pub mod copies;
pub mod create;
pub mod drill;
pub mod existing;
pub mod folder;
pub mod guard;
pub mod keep;
pub mod list;
pub mod manifest;
pub mod order;
pub mod packed;
pub mod problem;
pub mod progress;
pub mod repack;
pub mod report;
pub mod restore;
pub mod sink;
pub mod snapshot;
pub mod status;
pub mod stream;
pub mod throwaway;
pub mod told;
pub mod upload;

/// Bytes in hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
