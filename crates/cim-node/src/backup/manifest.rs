//! `manifest.json`, which says what a backup holds, and `SHA256SUMS`, as `sha256sum --check` reads it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::contents::Contents;
use super::problem::Problem;

/// Name of the file.
pub const MANIFEST: &str = "manifest.json";

/// Name of the file with the checksums of all others.
pub const SUMS: &str = "SHA256SUMS";

/// The folder with one folder a stream: what `nats account restore` reads.
pub const STREAMS: &str = "streams";

/// What jsm.go calls the two files of a stream.
pub const STREAM_FILES: [&str; 2] = ["backup.json", "stream.tar.s2"];

/// The only one that there is.
const VERSION: u32 = 1;

/// A whole backup.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Of this file's form: 1.
    pub version: u32,
    /// When it began, RFC 3339.
    pub start: String,
    /// When its last stream was there, RFC 3339.
    pub end: String,
    /// The server that we were connected to.
    pub server: Server,
    /// The JetStream domain that was asked for; `None`: the server's own.
    pub domain: Option<String>,
    /// The account; `None`: our user may not ask for it.
    pub account: Option<String>,
    /// `--stream`: those only; `None`: all of the account.
    pub chosen: Option<Vec<String>>,
    /// Streams, by name.
    pub streams: BTreeMap<String, Stream>,
}

/// A server.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// A stream.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stream {
    /// What is in the snapshot.
    pub contents: Contents,
    /// Messages that `STREAM.SNAPSHOT` told of; of a work queue more than the snapshot has where some were
    /// acknowledged meanwhile.
    pub told_messages: u64,
    /// Bytes that it told of.
    pub told_bytes: u64,
    /// Chunks that the snapshot came in.
    pub chunks: u64,
    /// Its files, by name.
    pub files: BTreeMap<String, Digested>,
}

/// A file as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Digested {
    /// Bytes.
    pub size: u64,
    /// SHA-256, hexadecimal.
    pub sha256: String,
}

impl Manifest {
    /// Of a backup that begins.
    pub fn new(start: String, server: Server) -> Self {
        Self {
            version: VERSION,
            start,
            end: String::new(),
            server,
            domain: None,
            account: None,
            chosen: None,
            streams: BTreeMap::new(),
        }
    }

    /// Reads a backup's, with its text.
    ///
    /// # Errors
    /// A file that is missing or is none.
    pub fn read(backup: &Path) -> Result<(Self, String), Problem> {
        let path = backup.join(MANIFEST);
        let place = path.display().to_string();
        let text = fs::read_to_string(&path).map_err(|error| {
            let why = match error.kind() {
                std::io::ErrorKind::NotFound => "is missing".to_owned(),
                _ => format!("cannot be read: {error}"),
            };
            Problem::new(&place, why, "this is no whole backup: take another one")
        })?;
        let manifest: Self = serde_json::from_str(&text).map_err(|error| {
            let what = match error.is_eof() {
                true => "ends in the middle".to_owned(),
                false => format!("is damaged: {error}"),
            };
            Problem::new(
                &place,
                what,
                "take another backup; `cim-backup list` names them",
            )
        })?;
        manifest.sound(&place)?;
        Ok((manifest, text))
    }

    /// Names become paths: none may lead elsewhere.
    fn sound(&self, place: &str) -> Result<(), Problem> {
        let help = "take another backup; `cim-backup list` names them";
        if self.version != VERSION {
            let why = format!("is of version {}, and we read {VERSION}", self.version);
            return Err(Problem::new(place, why, "use the cim-backup that wrote it"));
        }
        for (name, stream) in &self.streams {
            let files = stream.files.keys().map(String::as_str);
            let whole = files.eq(STREAM_FILES);
            if !whole || name.is_empty() || name.contains(['/', '\\', '.', '\0']) {
                let why = format!("is damaged: stream {name:?} cannot have these files");
                return Err(Problem::new(place, why, help));
            }
        }
        Ok(())
    }

    /// Every file of a stream, as a path in the backup.
    pub fn files(&self) -> impl Iterator<Item = (String, &Digested)> {
        self.streams.iter().flat_map(|(name, stream)| {
            let files = stream.files.iter();
            files.map(move |(file, digested)| (format!("{STREAMS}/{name}/{file}"), digested))
        })
    }

    /// The text of [`SUMS`]; `digest`: of the manifest's own text.
    pub fn sums(&self, digest: &str) -> String {
        let mut text = String::new();
        for (path, file) in self.files() {
            // Writing to a text cannot fail.
            let _ = writeln!(text, "{}  {path}", file.sha256);
        }
        let _ = writeln!(text, "{digest}  {MANIFEST}");
        text
    }

    /// Messages in all streams.
    pub fn messages(&self) -> u64 {
        self.streams.values().map(|one| one.contents.messages).sum()
    }

    /// Consumers of all streams.
    pub fn consumers(&self) -> usize {
        let each = self.streams.values();
        each.map(|one| one.contents.consumers.len()).sum()
    }

    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.files().map(|(_, file)| file.size).sum()
    }
}
