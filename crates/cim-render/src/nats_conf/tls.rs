//! `tls {}` blocks: each kind of connection has its own set of fields.

use cim_spec::plan::TlsFiles;

use super::fields;
use crate::conf::{Duplicate, Map, Node};
use crate::places::Places;

/// Seconds a handshake may take, unless an option says otherwise; nats-server's 2 s are too few across slow links.
const TIMEOUT_SECONDS: i64 = 5;

/// A listener that shows its certificate and asks for none, unless an option has it verify.
///
/// # Errors
/// As [`super::document`].
pub fn server(files: &TlsFiles, places: &dyn Places) -> Result<Map, Duplicate> {
    let mut block = identity(files, places);
    if let (Some(ca), true) = (&files.ca, files.verifies()) {
        block.put("ca_file", places.file(ca));
    }
    fields::put(&mut block, &files.fields, places)?;
    Ok(block)
}

/// A connection on which a certificate is held against authorities.
///
/// # Errors
/// As [`super::document`].
pub fn peer(files: &TlsFiles, places: &dyn Places) -> Result<Map, Duplicate> {
    let mut block = identity(files, places);
    if let Some(ca) = &files.ca {
        block.put("ca_file", places.file(ca));
    }
    let own = |setting: &cim_spec::field::Setting| setting.field.option == "timeout";
    if !files.fields.iter().any(own) {
        block.put("timeout", Node::Int(TIMEOUT_SECONDS));
    }
    fields::put(&mut block, &files.fields, places)?;
    Ok(block)
}

fn identity(files: &TlsFiles, places: &dyn Places) -> Map {
    let mut block = Map::new();
    if let Some((cert, key)) = &files.identity {
        block.put("cert_file", places.file(cert));
        block.put("key_file", places.file(key));
    }
    block
}
