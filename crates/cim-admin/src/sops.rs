//! Files in the format of sops: read, checked and written by our own code, with age recipients only.
//!
//! YAML and JSON hold texts by name, as sops-nix takes them; anything else is one binary secret.
//! What is written is sealed whole: no value stays readable. Upstream: getsops/sops 3.11,
//! `sops.go`, `stores/`, `aes/cipher.go`; the tests hold every claim against the real sops.

mod config;
mod folder;
mod keys;
mod plain;
mod rules;
mod seal;
mod sealed;
mod ssh;
mod text;
mod tree;
mod value;

pub use config::Config;
pub use folder::{Finding, Folder, SETTINGS};
pub use keys::{Identities, Recipient};
pub use plain::{Format, Plain};
pub use seal::seal;
pub use sealed::Sealed;
pub use ssh::recipient as ssh_recipient;
pub use text::{from_json, from_yaml, to_json, to_yaml};
pub use tree::Tree;
pub(crate) use value::random;

/// The entry that sops keeps for itself.
const METADATA: &str = "sops";

/// The entry that a binary file's bytes are under.
const DATA: &str = "data";

/// What to do about a file that is damaged.
const LAST_GOOD: &str = "take the last good one from git";
