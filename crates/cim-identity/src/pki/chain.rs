//! Whether a certificate does what it is meant for, wherever it was made: all that is wrong at once.

use rustls::pki_types::UnixTime;
use time::OffsetDateTime;
use webpki::{EndEntityCert, Error, KeyUsage};

use super::certificate::Certificate;
use super::date;
use super::name::Address;

/// What a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usage {
    /// A server that also dials.
    Server,
    /// A server that dials nobody.
    Listener,
    /// A leaf, device or other client.
    Client,
}

/// What a certificate must be.
#[derive(Debug)]
pub struct Expected<'a> {
    /// The moment that it must be valid at.
    pub now: OffsetDateTime,
    /// The CAs that peers trust.
    pub roots: &'a [Certificate],
    /// What it is for.
    pub usage: Usage,
    /// Its common name, where that counts.
    pub common_name: Option<&'a str>,
    /// Where it must hold.
    pub addresses: &'a [Address],
    /// The public half of the private key that is to be used with it, DER.
    pub public: Option<&'a [u8]>,
}

/// What is wrong with the first certificate of a chain; nothing, if all is well.
pub fn check(chain: &[Certificate], expected: &Expected<'_>) -> Vec<String> {
    let Some((own, above)) = chain.split_first() else {
        return vec!["there is no certificate".to_owned()];
    };
    let mut problems = Vec::new();
    if own.is_ca() {
        problems.push(format!(
            "the first certificate, {own:?}, is a CA's: put the owner's first and its issuer's after it"
        ));
        return problems;
    }
    problems.extend(time(own, expected.now));
    if expected.public.is_some_and(|public| !own.is_of(public)) {
        problems.push("the private key is not the certificate's: take both from one issue".into());
    }
    if let Some(name) = expected.common_name
        && own.common_name() != Some(name)
    {
        let found = own.common_name().unwrap_or("none");
        problems.push(format!(
            "its common name is {found}, not {name}: issue it for that name"
        ));
    }
    match EndEntityCert::try_from(own.der()) {
        Ok(parsed) => {
            problems.extend(names(own, expected.addresses));
            // Its own dates have been looked at: what else is wrong shows at one that it is valid at.
            let at = expected
                .now
                .clamp(own.not_before(), own.not_after().max(own.not_before()));
            problems.extend(path(&parsed, above, expected, at));
        }
        Err(error) => problems.push(format!("it is no certificate for TLS: {error}")),
    }
    problems
}

fn time(own: &Certificate, now: OffsetDateTime) -> Option<String> {
    if now > own.not_after() {
        let end = date(own.not_after());
        return Some(format!("it expired on {end}: issue it again"));
    }
    let start = date(own.not_before());
    (now < own.not_before())
        .then(|| format!("it is valid from {start} on: is this machine's clock right?"))
}

fn names(own: &Certificate, addresses: &[Address]) -> Vec<String> {
    let has = match own.names() {
        [] => "no address".to_owned(),
        names => names.join(", "),
    };
    addresses
        .iter()
        .filter(|address| !own.holds_for(address))
        .map(|address| {
            format!("clients that dial {address} will refuse it, as it names {has}: issue it with that address")
        })
        .collect()
}

/// Follows the chain up to a root, for each use that is meant.
fn path(
    parsed: &EndEntityCert<'_>,
    above: &[Certificate],
    expected: &Expected<'_>,
    at: OffsetDateTime,
) -> Vec<String> {
    // Go, and so nats-server, looks at a root's dates too.
    let roots = expected
        .roots
        .iter()
        .filter(|root| time(root, expected.now).is_none());
    let roots: Vec<_> = roots
        .filter_map(|root| webpki::anchor_from_trusted_cert(root.der()).ok())
        .collect();
    if roots.is_empty() {
        return vec!["no CA to hold it against is valid now: renew the CA".to_owned()];
    }
    let above: Vec<_> = above.iter().map(|one| one.der().clone()).collect();
    let seconds = u64::try_from(at.unix_timestamp()).unwrap_or_default();
    let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
    let algorithms = webpki::ALL_VERIFICATION_ALGS;
    let mut problems: Vec<String> = Vec::new();
    let uses = [
        (Usage::Listener, KeyUsage::client_auth(), "clientAuth"),
        (Usage::Client, KeyUsage::server_auth(), "serverAuth"),
    ];
    for (without, purpose, name) in uses {
        if expected.usage == without {
            continue;
        }
        let verified =
            parsed.verify_for_usage(algorithms, &roots, &above, now, purpose, None, None);
        let Err(error) = verified else { continue };
        let problem = said(&error, name);
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
    problems
}

fn said(error: &Error, usage: &str) -> String {
    match error {
        Error::CertExpired { .. } | Error::CertNotValidYet { .. } => {
            "its issuing CA is out of date: renew the CA, then issue it again".to_owned()
        }
        Error::UnknownIssuer => {
            "no chain leads from it to the CA: the intermediate is missing from the file, or another CA signed it".to_owned()
        }
        Error::InvalidSignatureForPublicKey => {
            "its signature is not the CA's: another CA of the same name signed it".to_owned()
        }
        Error::RequiredEkuNotFoundContext(_) | Error::EmptyEkuExtension => {
            format!("it is not made for {usage}: issue it with that extended key usage")
        }
        other => format!("no chain leads from it to the CA: {other}"),
    }
}
