//! Accounts and who may enter them, neutral of mechanism: a principal becomes a static user or a JWT when it is rendered.

use super::{Export, Import};
use crate::duration::Duration;
use crate::field::Setting;
use crate::spec::Mappings;

/// A subject space and who may enter it.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// Who may log in.
    pub principals: Vec<Principal>,
    /// What it may store; `None`: nothing.
    pub jetstream: Option<Quota>,
    /// What other accounts may have.
    pub exports: Vec<Export>,
    /// What it has of others.
    pub imports: Vec<Import>,
    /// Where messages go instead.
    pub mappings: Mappings,
    /// What users may do who have no permissions of their own; `None`: everything.
    pub default_permissions: Option<Permissions>,
    /// Fields that pass straight through.
    pub fields: Vec<Setting>,
}

/// An account's share of a server's store, in bytes; `None`: no limit of its own.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quota {
    /// Memory.
    pub max_memory: Option<u64>,
    /// Disk.
    pub max_file: Option<u64>,
}

/// Somebody who may log in, whatever the mechanism.
#[derive(Debug, Clone)]
pub struct Principal {
    /// Name of the user or leaf.
    pub name: String,
    /// What may connect as this principal.
    pub kind: PrincipalKind,
    /// By which kinds of connection, in NATS's words.
    pub connections: &'static [&'static str],
    /// How it proves who it is.
    pub proof: Proof,
    /// What it may do; `None`: what the account says.
    pub permissions: Option<Permissions>,
    /// Fields that pass straight through.
    pub fields: Vec<Setting>,
}

/// What may connect as a principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrincipalKind {
    /// A client.
    User,
    /// A leaf node, and nothing else.
    Leaf,
    /// A program of ours beside a server, or at the desk.
    Service,
}

/// How a principal proves who it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Proof {
    /// By signing with the key of this public nkey.
    Nkey(String),
    /// By a password with this bcrypt hash.
    Password(String),
    /// By a certificate with this name.
    Certificate(String),
    /// By a JWT that the account signed.
    Jwt,
    /// By signing with a key of this name, which the host makes when the server starts and nobody else has.
    HostKey(String),
}

/// What a principal may do. Empty allow lists allow nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permissions {
    /// Publishing.
    pub publish: Access,
    /// Subscribing.
    pub subscribe: Access,
    /// Answering requests wherever the reply goes; `None`: no more than `publish` says.
    pub allow_responses: Option<Responses>,
}

/// Answers to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Responses {
    /// How many.
    pub max: u64,
    /// How long after it.
    pub expires: Duration,
}

/// Subjects allowed, and exceptions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Allowed.
    pub allow: Vec<String>,
    /// Refused although allowed.
    pub deny: Vec<String>,
}

impl Access {
    /// Whether nothing is held back.
    pub fn is_everything(&self) -> bool {
        self.deny.is_empty() && self.allow.iter().any(|subject| subject == ">")
    }
}
