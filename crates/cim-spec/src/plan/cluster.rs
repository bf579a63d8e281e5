//! Routes between the servers of one cluster: a hub's, or a leaf's.

use super::server::{self, Plaintext};
use super::{Address, Compression, TlsFiles, compression, tls};
use crate::field::{Block, Connection, Setting};
use crate::path::OptionPath;
use crate::problem::Problems;
use crate::spec::ClusterOptions;

/// What the fleet says of a cluster.
pub(super) struct Members<'a> {
    /// The cluster's name.
    pub name: &'a str,
    /// Where this server is reached for routes.
    pub own: Address,
    /// Where the others are.
    pub others: Vec<Address>,
    /// Whether clients on other machines reach the servers.
    pub reached: bool,
    /// Whose routes these are, for messages.
    pub what: &'a str,
}

/// The cluster of a server that is one of several.
pub(super) fn plan(
    members: Members<'_>,
    options: &ClusterOptions,
    at: &OptionPath,
    problems: &mut Problems,
) -> Option<Cluster> {
    let tls_at = at.join("tls");
    server::bind(&options.host, at, problems);
    Plaintext {
        tls: (&tls_at, options.tls.is_some()),
        said: (&at.join("plaintext"), options.plaintext),
        what: members.what,
    }
    .check(problems);
    let tls = match &options.tls {
        Some(tls) => Some(tls::plan(tls, Connection::Cluster, &tls_at, problems)?),
        None => None,
    };
    let thresholds = &options.rtt_thresholds;
    let compression = options.compression.as_ref();
    Some(Cluster {
        name: members.name.to_owned(),
        host: options.host.clone(),
        port: members.own.port,
        advertise: members.own,
        routes: members.others,
        // A client on a node's loopback could not use the address of another.
        advertises: members.reached || options.fields.get("noAdvertise").is_some(),
        tls,
        compression: compression.map(|mode| compression::plan(mode, thresholds, at, problems)),
        fields: options.fields.plan(Block::Cluster, at, problems),
    })
}

/// Routes between the nodes of a hub.
#[derive(Debug, Clone)]
pub struct Cluster {
    /// Cluster name: the hub's.
    pub name: String,
    /// Address to bind to.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// What the other nodes dial.
    pub advertise: Address,
    /// The other nodes.
    pub routes: Vec<Address>,
    /// Whether clients are told of the other nodes.
    pub advertises: bool,
    /// `None`: no TLS.
    pub tls: Option<TlsFiles>,
    /// How it compresses what it sends; `None`: nats-server's own.
    pub compression: Option<Compression>,
    /// Fields that pass straight through.
    pub fields: Vec<Setting>,
}
