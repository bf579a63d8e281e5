//! Where leaves connect to a hub.

use super::server::{self, Plaintext};
use super::{Address, Compression, TlsFiles, compression, tls};
use crate::field::{Block, Connection, Setting};
use crate::fleet;
use crate::path::OptionPath;
use crate::problem::{Problems, Rule};
use crate::spec::{Hub, HubSpec, Node};

/// The listener for leaves.
#[derive(Debug, Clone)]
pub struct LeafListener {
    /// Address to bind to.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// What leaves are told to dial.
    pub advertise: Address,
    /// `None`: no TLS.
    pub tls: Option<TlsFiles>,
    /// Leaves must present a certificate.
    pub verify: bool,
    /// Leaves are known by their certificate.
    pub verify_and_map: bool,
    /// Leaves never learn of each other's interest.
    pub isolate_interest: bool,
    /// How it compresses what it sends.
    pub compression: Compression,
    /// Fields that pass straight through.
    pub fields: Vec<Setting>,
}

pub(super) fn plan(
    spec: &HubSpec,
    hub_name: &str,
    hub: &Hub,
    node: &Node,
    at: &OptionPath,
    problems: &mut Problems,
) -> Option<LeafListener> {
    let options = &spec.hub.leafnodes;
    let agreed = OptionPath::new("services.cim.fleet.hubs")
        .join(hub_name)
        .join("leafnodes");
    let tls_at = at.join("tls");
    server::bind(&options.host, at, problems);
    Plaintext {
        tls: (&tls_at, options.tls.is_some()),
        said: (&agreed.join("plaintext"), hub.leafnodes.plaintext),
        what: "the leaf link",
    }
    .check(problems);
    let tls = match &options.tls {
        Some(tls) => Some(tls::plan(tls, Connection::Leafnodes, &tls_at, problems)?),
        None => None,
    };
    let verifies = hub.leafnodes.verify || hub.leafnodes.verify_and_map;
    if verifies && tls.as_ref().is_none_or(|tls| tls.ca.is_none()) {
        problems.add(
            Rule::VerifyNeedsCa,
            &tls_at.join("caFile"),
            format!("is null, but {agreed} has leaves verified"),
            "name the file with the authority that signs the leaves' certificates",
        );
    }
    if let Some(tls) = &tls {
        super::tls::ocsp(
            tls,
            verifies,
            &format!("{agreed}.verify = true"),
            &tls_at,
            problems,
        );
    }
    Some(LeafListener {
        host: options.host.clone(),
        port: node.leafnodes_port,
        advertise: Address::of(node, node.leafnodes_port),
        tls,
        verify: hub.leafnodes.verify,
        verify_and_map: hub.leafnodes.verify_and_map,
        isolate_interest: fleet::isolates(&spec.fleet, hub_name, hub),
        compression: compression::plan(&options.compression, &options.rtt_thresholds, at, problems),
        fields: options.fields.plan(Block::Leafnodes, at, problems),
    })
}
