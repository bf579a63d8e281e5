//! What ends soon, of JWTs and certificates alike.

use std::collections::BTreeMap;

use cim_creds::{AnyToken, creds, decode_any};
use cim_spec::name;
use cim_spec::spec::Fleet;

use crate::certificate::Certificate;
use crate::committed::Committed;

/// What renews all that is committed.
const RENEW: &str = "cim-admin identity make";

/// Something that ends within a horizon, or has ended.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Expiring {
    /// Its last second, since 1970.
    pub ends: i64,
    /// Its file, below `identity/`.
    pub file: String,
    /// What it is: `the JWT of user plant-a`.
    pub what: String,
    /// The hub's node or the leaf that uses it; `None`: no host does, as for a person.
    pub host: Option<String>,
    /// The command that renews it.
    pub renew: String,
}

/// What of the committed texts ends before `at + horizon`, the first first. Both are seconds.
///
/// # Errors
/// Every JWT and certificate that cannot be read, a sentence each.
pub fn expiring(
    fleet: &Fleet,
    committed: &Committed,
    at: i64,
    horizon: i64,
) -> Result<Vec<Expiring>, Vec<String>> {
    let (mut found, mut unread) = (Vec::new(), Vec::new());
    let mut add = |file: String, host: Option<String>, ends: Result<Vec<End>, String>| match ends {
        Ok(ends) => found.extend(ends.into_iter().map(|end| Expiring {
            ends: end.ends,
            what: end.what,
            file: file.clone(),
            host: host.clone(),
            renew: RENEW.to_owned(),
        })),
        Err(error) => unread.push(format!("{file} {error}")),
    };
    if let Some(text) = &committed.operator {
        add("operator.jwt".to_owned(), None, of_jwt(text));
    }
    for (account, text) in &committed.accounts {
        add(format!("accounts/{account}.jwt"), None, of_jwt(text));
    }
    for (place, text) in &committed.users {
        add(place.clone(), host_of(place), of_jwt(text));
    }
    if let Some(text) = &committed.ca {
        add("ca.pem".to_owned(), None, of_certificates(text));
    }
    let members = members(fleet);
    for (unit, text) in &committed.certificates {
        let host = members.get(unit).cloned();
        let file = format!("certificates/{unit}.pem");
        add(file, host, of_certificates(text));
    }
    if !unread.is_empty() {
        return Err(unread);
    }
    found.retain(|one| one.ends < at.saturating_add(horizon));
    found.sort();
    Ok(found)
}

/// The end of one thing in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// What it is: `the JWT of user plant-a`.
    pub what: String,
    /// Its last second, since 1970.
    pub ends: i64,
}

/// When a JWT ends; empty: never.
///
/// # Errors
/// A text that is no NATS JWT, as the end of a sentence.
pub fn of_jwt(text: &str) -> Result<Vec<End>, String> {
    let token = decode_any(text).map_err(|error| format!("cannot be read: {error}"))?;
    let (kind, data) = match token {
        AnyToken::Operator(token) => ("operator", token.claims.data),
        AnyToken::Account(token) => ("account", token.claims.data),
        AnyToken::User(token) => ("user", token.claims.data),
        AnyToken::Activation(token) => ("activation", token.claims.data),
        AnyToken::AuthorizationRequest(token) => ("request", token.claims.data),
        AnyToken::AuthorizationResponse(token) => ("answer", token.claims.data),
    };
    let end = (data.exp > 0).then(|| End {
        what: format!("the JWT of {kind} {}", data.name),
        ends: data.exp,
    });
    Ok(end.into_iter().collect())
}

/// When the JWT in a `.creds` file ends; its seed is not looked at.
///
/// # Errors
/// As [`of_jwt`].
pub fn of_creds(contents: &[u8]) -> Result<Vec<End>, String> {
    let text = creds::jwt_in(contents).map_err(|error| format!("cannot be read: {error}"))?;
    of_jwt(text)
}

/// When each certificate of a PEM text ends.
///
/// # Errors
/// A text without certificates, as the end of a sentence.
pub fn of_certificates(pem: &str) -> Result<Vec<End>, String> {
    let all = Certificate::all(pem)?.into_iter();
    Ok(all
        .map(|certificate| End {
            what: format!("the certificate {}", certificate.subject),
            ends: certificate.ends,
        })
        .collect())
}

/// Who uses a user's JWT: a leaf, or the node that a service runs on.
fn host_of(place: &str) -> Option<String> {
    let parts: Vec<&str> = place.split('/').collect();
    match parts[..] {
        ["leaves", file] => file.strip_suffix(".jwt").map(str::to_owned),
        ["services", node, ..] => Some(node.to_owned()),
        _ => None,
    }
}

/// Members of the fleet by the name of their certificate.
fn members(fleet: &Fleet) -> BTreeMap<String, String> {
    let nodes = fleet.hubs.values().flat_map(|hub| hub.nodes.keys());
    let members = nodes.chain(fleet.leaves.keys());
    let members = members.map(|member| (name::unit(member), member.clone()));
    let leaves = fleet.leaves.iter();
    let of_leaves = leaves.flat_map(|(leaf, entry)| {
        let named = |node: &String| (format!("{}.{node}", name::unit(leaf)), node.clone());
        entry.nodes.keys().map(named)
    });
    members.chain(of_leaves).collect()
}
