//! What ends soon, of JWTs and certificates alike.

use cim_creds::{Account, Activation, AnyToken, Claims, creds, decode, decode_any};
use cim_spec::spec::Fleet;

use crate::committed::Committed;
use crate::members::members;
use crate::pki::Certificate;
use crate::plan::Wish;

/// What renews all that the desk makes, but for the root.
pub const RENEW: &str = "cim-admin identity make";

/// What replaces the root, which nothing renews: everybody has to trust another one first.
pub const RENEW_ROOT: &str = "cim-admin rotate ca-root";

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
    /// The command that renews it; `None`: it was made elsewhere.
    pub renew: Option<&'static str>,
}

/// What of the committed texts ends before `at + horizon`, the first first. Both are seconds. `wishes`: the certificates
/// that the desk makes.
///
/// # Errors
/// Every JWT and certificate that cannot be read: its file, its host, and what repairs it.
pub fn expiring(
    fleet: &Fleet,
    wishes: &[Wish],
    committed: &Committed,
    at: i64,
    horizon: i64,
) -> Result<Vec<Expiring>, Vec<String>> {
    let mut all = All::default();
    let of_desk = Some(RENEW);
    if let Some(text) = &committed.operator {
        all.add("operator.jwt", None, of_desk, of_jwt(text));
    }
    for (account, text) in &committed.accounts {
        let file = format!("accounts/{account}.jwt");
        all.add(&file, None, of_desk, of_jwt(text));
    }
    for (place, text) in &committed.users {
        all.add(place, host_of(place), of_desk, of_jwt(text));
    }
    let made = |file: &str| wishes.iter().any(|wish| wish.place == file);
    if let Some(text) = &committed.ca {
        // Where the desk makes no certificate, the root is another's too.
        let renew = (!wishes.is_empty()).then_some(RENEW_ROOT);
        let last = of_authorities(text).map(|last| vec![last]);
        all.add("ca.pem", None, renew, last);
    }
    let members = members(fleet);
    for (unit, text) in &committed.certificates {
        let host = members.get(unit).map(|member| member.host.to_owned());
        let file = format!("certificates/{unit}.pem");
        let renew = of_desk.filter(|_| made(&file));
        all.add(&file, host, renew, of_certificates(text));
    }
    if !all.unread.is_empty() {
        return Err(all.unread);
    }
    let mut found = all.found;
    found.retain(|one| one.ends < at.saturating_add(horizon));
    found.sort();
    Ok(found)
}

/// What was found, and what could not be looked at.
#[derive(Default)]
struct All {
    found: Vec<Expiring>,
    unread: Vec<String>,
}

impl All {
    fn add(
        &mut self,
        file: &str,
        host: Option<String>,
        renew: Option<&'static str>,
        ends: Result<Vec<End>, String>,
    ) {
        match ends {
            Ok(ends) => self.found.extend(ends.into_iter().map(|end| Expiring {
                ends: end.ends,
                what: end.what,
                file: file.to_owned(),
                host: host.clone(),
                renew,
            })),
            Err(error) => {
                let of = host.map_or_else(String::new, |host| format!(" of {host}"));
                // An account's JWT alone says whom it refuses, and nothing makes an operator or a root again.
                let kept = file.starts_with("accounts/") || file == "operator.jwt";
                let again = match renew {
                    Some(RENEW) if !kept => format!(", or remove it and run `{RENEW}`"),
                    _ => String::new(),
                };
                let help = format!("restore it from git{again}");
                self.unread
                    .push(format!("{file}{of} {error}\n  help: {help}"));
            }
        }
    }
}

/// The end of one thing in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// What it is: `the JWT of user plant-a`.
    pub what: String,
    /// Its last second, since 1970.
    pub ends: i64,
}

/// When a JWT ends, and the activations that an account imports by; empty: never.
///
/// # Errors
/// A text that is no NATS JWT, or has an activation that is none, as the end of a sentence.
pub fn of_jwt(text: &str) -> Result<Vec<End>, String> {
    let token = decode_any(text).map_err(|error| format!("cannot be read: {error}"))?;
    let mut inside = Vec::new();
    let (kind, data) = match token {
        AnyToken::Operator(token) => ("operator", token.claims.data),
        AnyToken::Account(token) => {
            let Claims { data, nats } = token.claims;
            inside = of_activations(&data.name, &nats)?;
            ("account", data)
        }
        AnyToken::User(token) => ("user", token.claims.data),
        AnyToken::Activation(token) => ("activation", token.claims.data),
        AnyToken::AuthorizationRequest(token) => ("request", token.claims.data),
        AnyToken::AuthorizationResponse(token) => ("answer", token.claims.data),
    };
    let end = (data.exp > 0).then(|| End {
        what: format!("the JWT of {kind} {}", data.name),
        ends: data.exp,
    });
    Ok(end.into_iter().chain(inside).collect())
}

/// When the leaves end that other accounts gave an account to import what they have.
fn of_activations(account: &str, body: &Account) -> Result<Vec<End>, String> {
    let mut ends = Vec::new();
    for import in body
        .imports
        .iter()
        .filter(|import| !import.token.is_empty())
    {
        let subject = &import.subject;
        let token = decode::<Activation>(&import.token).map_err(|error| {
            format!("has an activation of {subject:?} that cannot be read: {error}")
        })?;
        if token.claims.data.exp > 0 {
            ends.push(End {
                what: format!("the activation of {subject:?} in the JWT of account {account}"),
                ends: token.claims.data.exp,
            });
        }
    }
    Ok(ends)
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
    let all = Certificate::read_all(pem.as_bytes());
    let all = all.map_err(|error| format!("cannot be read: {error:#}"))?;
    let end = |certificate: &Certificate| End {
        what: format!("the certificate {}", certificate.subject()),
        ends: certificate.not_after().unix_timestamp(),
    };
    Ok(all.iter().map(end).collect())
}

/// When the last of the authorities in a PEM text ends: until then there is somebody to trust, and what the others
/// issued has ended before them.
///
/// # Errors
/// As [`of_certificates`].
pub fn of_authorities(pem: &str) -> Result<End, String> {
    let all = of_certificates(pem)?.into_iter();
    let last = all.max_by_key(|end| end.ends);
    last.ok_or_else(|| "holds no certificate".to_owned())
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
