//! Reads what nats-server sends as a snapshot: S2 blocks, each with a checksum, around an archive
//! (`server/archive/archive.go`, since 2.15) or a tar (before).

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use minlz::s2::Reader;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::contents::{Contents, Format, Pair, Position};
use super::hex;
use crate::provision::subject;

/// How an archive begins.
pub const MAGIC: &[u8] = b"NATSARC1";

/// nats-server's own limit to the length of a name.
const LONGEST_NAME: u64 = 1 << 20;

/// No message is longer: nats-server's `max_payload` ends at 64 MiB, headers included.
const LONGEST_ENTRY: u64 = 1 << 27;

/// One entry's header.
#[derive(Debug)]
pub struct Entry {
    name: String,
    time: i64,
    sequence: u64,
    head: u64,
    body: u64,
}

/// An entry with what is in it.
pub type Part = (Entry, Vec<u8>);

/// What names of consumers' entries begin with.
const CONSUMER: &str = "consumers/";

/// Numbers of the stream when the snapshot was taken.
#[derive(Deserialize)]
struct State {
    first_seq: u64,
    last_seq: u64,
    #[serde(default)]
    consumer_count: u64,
}

/// A consumer in the archive, and which messages it has yet to get.
struct Waiting {
    name: String,
    position: Position,
    filters: Vec<String>,
}

/// Reads a snapshot to its end. `None`: it is a tar, and whole as far as its checksums say.
///
/// # Errors
/// A file that cannot be read, ends too early, or is no snapshot.
pub fn read(file: &Path) -> Result<Option<Contents>> {
    let open = File::open(file).with_context(|| format!("reading {}", file.display()))?;
    let mut reader = BufReader::new(Reader::new(BufReader::new(open)));
    contents(&mut reader).with_context(|| format!("{} is not a whole snapshot", file.display()))
}

fn contents(reader: &mut impl BufRead) -> Result<Option<Contents>> {
    let Some(((_, state), consumers)) = head(reader)? else {
        io::copy(reader, &mut io::sink())?;
        return Ok(None);
    };
    let state: State = serde_json::from_slice(&state)?;
    let consumers = consumers.iter().map(|(entry, text)| waiting(entry, text));
    let mut consumers = consumers.collect::<Result<Vec<_>>>()?;
    let mut contents = messages(reader, &state, &mut consumers)?;
    let positions = consumers.into_iter().map(|one| (one.name, one.position));
    contents.consumers = positions.collect();
    Ok(Some(contents))
}

/// What comes before the messages: the state and the consumers, each with its header. `None`: it is a tar.
///
/// # Errors
/// A file that ends too early or is no snapshot.
pub fn head(reader: &mut impl BufRead) -> Result<Option<(Part, Vec<Part>)>> {
    let mut magic = [0; MAGIC.len()];
    reader
        .read_exact(&mut magic)
        .context("it has no beginning")?;
    if magic != MAGIC {
        return Ok(None);
    }
    let entry = next(reader)?;
    ensure!(
        entry.name == "state.json",
        "it begins with {:?}",
        entry.name
    );
    let text = payload(reader, &entry)?;
    let state: State = serde_json::from_slice(&text)?;
    let mut consumers = Vec::new();
    for _ in 0..state.consumer_count {
        let entry = next(reader)?;
        ensure!(
            entry.name.starts_with(CONSUMER),
            "{:?} is no consumer",
            entry.name
        );
        let text = payload(reader, &entry)?;
        consumers.push((entry, text));
    }
    Ok(Some(((entry, text), consumers)))
}

/// The messages, up to the empty entry that ends an archive.
fn messages(reader: &mut impl BufRead, state: &State, waiting: &mut [Waiting]) -> Result<Contents> {
    let mut contents = Contents {
        format: Format::Archive,
        last_seq: state.last_seq,
        ..Contents::default()
    };
    let mut digest = Sha256::new();
    let mut before = state.first_seq.saturating_sub(1);
    loop {
        let entry = next(reader)?;
        if entry.sequence == 0 {
            let empty = entry.time == 0 && entry.head == 0 && entry.body == 0;
            ensure!(
                empty && entry.name.is_empty(),
                "an entry without a sequence"
            );
            break;
        }
        ensure!(
            entry.sequence > before && entry.sequence <= state.last_seq,
            "sequence {} after {before}, of {}",
            entry.sequence,
            state.last_seq
        );
        before = entry.sequence;
        let message = payload(reader, &entry)?;
        let head = usize::try_from(entry.head).unwrap_or_default();
        let (head, body) = message.split_at(head.min(message.len()));
        add(&mut digest, &entry, head, body);
        contents.with_ttl += u64::from(has_ttl(head));
        if contents.messages == 0 {
            contents.first_seq = entry.sequence;
        }
        contents.messages += 1;
        for one in &mut *waiting {
            one.count(&entry);
        }
    }
    ensure!(
        reader.fill_buf()?.is_empty(),
        "something comes after its end"
    );
    if contents.messages == 0 {
        contents.first_seq = state.last_seq + 1;
    }
    contents.deleted = (state.last_seq + 1 - contents.first_seq) - contents.messages;
    contents.digest = Some(hex(&digest.finalize()));
    Ok(contents)
}

/// Each part with its length, so that no two messages give the same bytes.
fn add(digest: &mut Sha256, entry: &Entry, head: &[u8], body: &[u8]) {
    digest.update(entry.sequence.to_le_bytes());
    digest.update(entry.time.to_le_bytes());
    for part in [entry.name.as_bytes(), head, body] {
        digest.update(u64::try_from(part.len()).unwrap_or_default().to_le_bytes());
        digest.update(part);
    }
}

fn has_ttl(head: &[u8]) -> bool {
    let mut lines = head.split(|byte| *byte == b'\n');
    lines.any(|line| line.starts_with(b"Nats-TTL:"))
}

fn waiting(entry: &Entry, text: &[u8]) -> Result<Waiting> {
    let consumer: Value = serde_json::from_slice(text)?;
    let config = consumer
        .get("config")
        .context("a consumer without config")?;
    let state = consumer.get("state").context("a consumer without state")?;
    let pair = |name: &str| -> Pair {
        let pair = state.get(name).cloned().unwrap_or_default();
        serde_json::from_value(pair).unwrap_or_default()
    };
    let count = |name: &str| {
        let all = state.get(name).and_then(Value::as_object);
        all.map_or(0, |all| u64::try_from(all.len()).unwrap_or_default())
    };
    let text = |name: &str| config.get(name).and_then(Value::as_str);
    let many = config.get("filter_subjects").and_then(Value::as_array);
    let many = many.into_iter().flatten().filter_map(Value::as_str);
    let filters = text("filter_subject").into_iter().chain(many);
    let counted = text("deliver_policy") != Some("last_per_subject");
    Ok(Waiting {
        name: entry.name.trim_start_matches(CONSUMER).to_owned(),
        filters: filters
            .filter(|one| !one.is_empty())
            .map(str::to_owned)
            .collect(),
        position: Position {
            durable: text("durable_name").is_some_and(|name| !name.is_empty()),
            delivered: pair("delivered"),
            ack_floor: pair("ack_floor"),
            ack_pending: count("pending"),
            redelivered: count("redelivered"),
            pending: counted.then_some(0),
        },
    })
}

impl Waiting {
    /// Counts a message that it has yet to get.
    fn count(&mut self, entry: &Entry) {
        if entry.sequence <= self.position.delivered.stream_seq {
            return;
        }
        let mut filters = self.filters.iter();
        if (self.filters.is_empty() || filters.any(|filter| subject::covers(filter, &entry.name)))
            && let Some(pending) = &mut self.position.pending
        {
            *pending += 1;
        }
    }
}

fn next(reader: &mut impl BufRead) -> Result<Entry> {
    let name = uvarint(reader)?;
    ensure!(name <= LONGEST_NAME, "a name of {name} bytes");
    let time = uvarint(reader)?;
    let sequence = uvarint(reader)?;
    let (head, body) = (uvarint(reader)?, uvarint(reader)?);
    let size = head.saturating_add(body);
    ensure!(size <= LONGEST_ENTRY, "an entry of {size} bytes");
    Ok(Entry {
        name: String::from_utf8(bytes(reader, name)?).context("a name that is no UTF-8")?,
        // Go's zigzag.
        time: i64::from_le_bytes((time >> 1).to_le_bytes()) ^ -i64::from(time & 1 == 1),
        sequence,
        head,
        body,
    })
}

fn payload(reader: &mut impl BufRead, entry: &Entry) -> Result<Vec<u8>> {
    bytes(reader, entry.head + entry.body)
}

fn bytes(reader: &mut impl BufRead, count: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(count).read_to_end(&mut bytes)?;
    ensure!(
        u64::try_from(bytes.len()).is_ok_and(|have| have == count),
        "it ends in the middle of an entry"
    );
    Ok(bytes)
}

impl Entry {
    /// The header's bytes, of an entry that has `size` bytes and no head.
    pub fn bytes(&self, size: usize) -> Vec<u8> {
        let number = |size: usize| u64::try_from(size).unwrap_or_default();
        let zigzag = u64::from_le_bytes(((self.time << 1) ^ (self.time >> 63)).to_le_bytes());
        let mut bytes = Vec::new();
        let name = number(self.name.len());
        for mut part in [name, zigzag, self.sequence, 0, number(size)] {
            while part >= 0x80 {
                bytes.push(part.to_le_bytes()[0] | 0x80);
                part >>= 7;
            }
            bytes.push(part.to_le_bytes()[0]);
        }
        bytes.extend(self.name.as_bytes());
        bytes
    }
}

/// Go's `binary.ReadUvarint`.
fn uvarint(reader: &mut impl BufRead) -> Result<u64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let mut byte = [0];
        let read = reader.read_exact(&mut byte);
        read.context("it ends before the entry that ends an archive")?;
        number |= u64::from(byte[0] & 0x7f) << shift;
        if byte[0] < 0x80 {
            return Ok(number);
        }
    }
    bail!("a number that is too long")
}
