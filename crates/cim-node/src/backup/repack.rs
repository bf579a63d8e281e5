//! Rewrites a snapshot so that its consumers fit on fewer servers: nats-server takes no consumer with more replicas than
//! its stream has, and a consumer's configuration is inside the snapshot.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Write};
use std::path::Path;

use anyhow::{Context, Result};
use minlz::s2::{Reader, Writer};
use serde_json::{Value, json};

use super::archive::{self, Entry, MAGIC};
use super::folder;

/// Writes `to` from `from` with no consumer of more than `replicas`; `false`: it is not needed, and there is no `to`.
///
/// # Errors
/// Files that cannot be read or written.
pub fn fit(from: &Path, to: &Path, replicas: u64) -> Result<bool> {
    let reading = || format!("reading {}", from.display());
    let open = File::open(from).with_context(reading)?;
    let mut reader = BufReader::new(Reader::new(BufReader::new(open)));
    let Some((state, consumers)) = archive::head(&mut reader).with_context(reading)? else {
        return Ok(false); // a tar
    };
    let mut fits = true;
    let mut fitted = Vec::new();
    for (entry, text) in consumers {
        let mut consumer: Value = serde_json::from_slice(&text).with_context(reading)?;
        if let Some(have) = consumer.pointer_mut("/config/num_replicas")
            && have.as_u64().is_some_and(|have| have > replicas)
        {
            fits = false;
            *have = json!(0); // as many as the stream
        }
        fitted.push((entry, serde_json::to_vec(&consumer)?));
    }
    if fits {
        return Ok(false);
    }
    let file = folder::new(
        to,
        OpenOptions::new().write(true).create(true).truncate(true),
    )?;
    let written = rest(file, (state, fitted), &mut reader);
    if written.is_err() {
        let _ = fs::remove_file(to); // half of it helps nobody, least of all where the disk is full
    }
    written.with_context(|| format!("writing {}", to.display()))?;
    Ok(true)
}

type Head = ((Entry, Vec<u8>), Vec<(Entry, Vec<u8>)>);

/// The beginning anew, and the messages as they are.
fn rest(file: File, (state, consumers): Head, messages: &mut impl io::Read) -> io::Result<()> {
    let mut writer = Writer::new(io::BufWriter::new(file));
    writer.write_all(MAGIC)?;
    for (entry, payload) in [state].into_iter().chain(consumers) {
        writer.write_all(&entry.bytes(payload.len()))?;
        writer.write_all(&payload)?;
    }
    io::copy(messages, &mut writer)?;
    writer.flush()
}
