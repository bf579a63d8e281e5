//! Persistence of one server.

use super::server::{duration, file, size};
use crate::duration::Duration;
use crate::file::{self, File, FileKind};
use crate::path::OptionPath;
use crate::problem::{Problems, Rule};
use crate::settings;
use crate::spec::{EncryptionOptions, JetstreamOptions, ServerOptions};

/// Persistence of one server.
#[derive(Debug, Clone)]
pub struct Jetstream {
    /// Directory of the store.
    pub store_dir: String,
    /// Domain, unique in the fleet.
    pub domain: String,
    /// Bytes of memory.
    pub max_memory_store: u64,
    /// Bytes of disk.
    pub max_file_store: u64,
    /// When data is forced to disk.
    pub sync_interval: Sync,
    /// Encryption of the store; `None`: none.
    pub encryption: Option<Encryption>,
}

/// Encryption of a store.
#[derive(Debug, Clone)]
pub struct Encryption {
    /// The key.
    pub key: File,
    /// The key before.
    pub prev_key: Option<File>,
    /// Cipher.
    pub cipher: String,
}

/// When written data is forced to disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sync {
    /// Before each acknowledgement.
    Always,
    /// At intervals; a power cut can lose what was acknowledged since.
    Every(Duration),
}

/// `None` where JetStream is off, or where a value was refused.
pub(super) fn plan(
    options: &JetstreamOptions,
    domain: &str,
    at: &OptionPath,
    problems: &mut Problems,
) -> Option<Jetstream> {
    if !options.enable {
        return None;
    }
    let memory = size(
        &options.max_memory_store,
        &at.join("maxMemoryStore"),
        problems,
    );
    let disk = size(&options.max_file_store, &at.join("maxFileStore"), problems);
    let store = problems.parsed(
        Rule::File,
        &at.join("storeDir"),
        &options.store_dir,
        file::check(&options.store_dir),
    );
    let sync = match options.sync_interval.as_str() {
        "always" => Some(Sync::Always),
        text => duration(text, &at.join("syncInterval"), problems).map(Sync::Every),
    };
    store?;
    let encryption = match &options.encryption {
        Some(options) => Some(encryption(options, &at.join("encryption"), problems)?),
        None => None,
    };
    Some(Jetstream {
        encryption,
        store_dir: options.store_dir.clone(),
        domain: domain.to_owned(),
        max_memory_store: memory?,
        max_file_store: disk?,
        sync_interval: sync?,
    })
}

/// Any `jetstream` block turns JetStream on, with its store in `/tmp`.
pub(super) fn settings_agree(options: &ServerOptions, at: &OptionPath, problems: &mut Problems) {
    if !options.jetstream.enable {
        settings::absent(
            &options.settings,
            "jetstream",
            at,
            &format!("{at}.jetstream.enable is false, and any such block turns JetStream on"),
            &format!("leave the block out, or set {at}.jetstream.enable = true"),
            problems,
        );
    }
}

/// What may encrypt a store.
const CIPHERS: [&str; 2] = ["chachapoly", "aes"];

fn encryption(
    options: &EncryptionOptions,
    at: &OptionPath,
    problems: &mut Problems,
) -> Option<Encryption> {
    if !CIPHERS.contains(&options.cipher.as_str()) {
        problems.add(
            Rule::FieldValue,
            &at.join("cipher"),
            format!("{:?} is no cipher that nats-server knows", options.cipher),
            format!("write one of {}", CIPHERS.join(", ")),
        );
    }
    let mut key = |path: &str, name| file(path, FileKind::StoreKey, &at.join(name), problems);
    let own = key(&options.key_file, "keyFile");
    let before = match &options.prev_key_file {
        Some(path) => Some(key(path, "prevKeyFile")?),
        None => None,
    };
    Some(Encryption {
        key: own?,
        prev_key: before,
        cipher: options.cipher.clone(),
    })
}
