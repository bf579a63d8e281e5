//! `tls {}` blocks: each kind of connection has its own set of fields.

use cim_spec::plan::TlsFiles;

use crate::conf::Map;
use crate::places::Places;

/// Seconds a handshake may take; nats-server's 2 s are too few across slow links.
const TIMEOUT_SECONDS: i64 = 5;

/// A listener that shows its certificate and asks for none.
pub fn server(files: &TlsFiles, places: &dyn Places) -> Map {
    let mut block = Map::new();
    if let Some((cert, key)) = &files.identity {
        block.put("cert_file", places.file(cert));
        block.put("key_file", places.file(key));
    }
    block
}

/// A connection on which a certificate is held against authorities.
pub fn peer(files: &TlsFiles, places: &dyn Places) -> Map {
    let mut block = server(files, places);
    if let Some(ca) = &files.ca {
        block.put("ca_file", places.file(ca));
    }
    block.put("timeout", crate::conf::Node::Int(TIMEOUT_SECONDS));
    block
}
