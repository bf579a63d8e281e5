//! Auth callout: opens and checks nats-server's request, seals the answer.
//!
//! Upstream: nats-server 2.15, `auth_callout.go`; a sealed message is `xkv1`, 24 bytes of nonce and
//! a NaCl box (nats-io/nkeys, `xkeys.go`).

use nkeys::XKey;
use zeroize::Zeroizing;

use crate::body::authorization::{AuthorizationRequest, AuthorizationResponse};
use crate::claims::Claims;
use crate::decode::{DecodeError, decode};
use crate::key::KeyKind;
use crate::times::TimeError;

/// Subject of the requests, in the callout's account.
pub const SUBJECT: &str = "$SYS.REQ.USER.AUTH";

/// Header that holds the server's public xkey, where requests are encrypted.
pub const XKEY_HEADER: &str = "Nats-Server-Xkey";

/// `aud` of every request.
pub const AUDIENCE: &str = "nats-authorization-request";

/// What sealed messages begin with.
const SEALED: &[u8] = b"xkv1";

/// Why a request was not read, or an answer not sealed. Shows nothing of either.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalloutError {
    /// The request is encrypted, and we have no xkey.
    #[error(
        "the request is encrypted: give the service the xkey whose public half the account's authorization.xkey names"
    )]
    Encrypted,
    /// The request is not encrypted, though we have an xkey.
    #[error(
        "the request is not encrypted: set the service's public xkey as the account's authorization.xkey"
    )]
    NotEncrypted,
    /// No [`XKEY_HEADER`], or none that is a public xkey, or not the request's own.
    #[error("the request's {XKEY_HEADER} header is not the public xkey of the server that asks")]
    ServerXkey,
    /// Encrypted for another xkey, or changed.
    #[error(
        "the request cannot be decrypted: the account's authorization.xkey is not that of this service's seed"
    )]
    Open,
    /// The answer was not encrypted: the xkey has no seed.
    #[error("the answer cannot be encrypted: the xkey has no seed, only its public half")]
    Seal,
    /// The request is no text.
    #[error("the request is no JWT")]
    NotText,
    /// The request is no authorization request.
    #[error("the request: {0}")]
    Jwt(#[from] DecodeError),
    /// Not meant for a callout service.
    #[error("the request's aud is not {AUDIENCE}")]
    Audience,
    /// Not signed by the server that asks.
    #[error("the request is not signed by the server that it is from")]
    Server,
    /// Too late: the server has given the client up.
    #[error("the request: {0}")]
    Time(#[from] TimeError),
}

/// Opens a request and checks all that nats-server promises of it. `server_xkey` is the
/// [`XKEY_HEADER`]; `own` the service's xkey, without which requests must not be encrypted, and
/// with which they must.
///
/// # Errors
/// Anything that is not as nats-server sends it.
pub fn open_request(
    payload: &[u8],
    server_xkey: Option<&str>,
    own: Option<&XKey>,
    now: i64,
    leeway: i64,
) -> Result<Claims<AuthorizationRequest>, CalloutError> {
    let sealed = payload.starts_with(SEALED);
    let opened;
    let token = match own {
        None if sealed => return Err(CalloutError::Encrypted),
        Some(_) if !sealed => return Err(CalloutError::NotEncrypted),
        None => payload,
        Some(own) => {
            let server = public_xkey(server_xkey.unwrap_or_default())?;
            // A client's password may be in it.
            opened = Zeroizing::new(own.open(payload, &server).map_err(|_| CalloutError::Open)?);
            opened.as_slice()
        }
    };
    let token = std::str::from_utf8(token).map_err(|_| CalloutError::NotText)?;
    // A newer server's new fields are no reason to lock its clients out.
    let claims = decode::<AuthorizationRequest>(token)?.claims;
    if claims.data.aud != AUDIENCE {
        return Err(CalloutError::Audience);
    }
    let server = &claims.nats.server_id;
    if claims.data.iss != server.id {
        return Err(CalloutError::Server);
    }
    if own.is_some() && server_xkey != Some(&server.xkey) {
        return Err(CalloutError::ServerXkey);
    }
    claims.holds_at(now, leeway)?;
    Ok(claims)
}

/// Encrypts an answer for the server that asked; `server_xkey` is the [`XKEY_HEADER`]. The nonce
/// comes from the operating system's random numbers.
///
/// # Errors
/// A header that is no public xkey, or an `own` without seed.
pub fn seal_response(token: &str, server_xkey: &str, own: &XKey) -> Result<Vec<u8>, CalloutError> {
    let server = public_xkey(server_xkey)?;
    own.seal(token.as_bytes(), &server)
        .map_err(|_| CalloutError::Seal)
}

impl Claims<AuthorizationRequest> {
    /// The answer that lets the client in with `user_jwt`, whose `sub` must be the request's
    /// `user_nkey`. Sign it with the callout account's key.
    pub fn allow(&self, user_jwt: impl Into<String>) -> Claims<AuthorizationResponse> {
        self.answer(AuthorizationResponse {
            jwt: user_jwt.into(),
            ..AuthorizationResponse::default()
        })
    }

    /// The answer that refuses the client; `reason` is for the server's log.
    pub fn deny(&self, reason: impl Into<String>) -> Claims<AuthorizationResponse> {
        self.answer(AuthorizationResponse {
            error: reason.into(),
            ..AuthorizationResponse::default()
        })
    }

    fn answer(&self, response: AuthorizationResponse) -> Claims<AuthorizationResponse> {
        let mut claims = Claims::new(&self.nats.user_nkey, response);
        claims.data.aud.clone_from(&self.nats.server_id.id);
        claims
    }
}

fn public_xkey(text: &str) -> Result<XKey, CalloutError> {
    let text = Some(text).filter(|text| KeyKind::Curve.is(text));
    text.and_then(|text| XKey::from_public_key(text).ok())
        .ok_or(CalloutError::ServerXkey)
}

#[cfg(test)]
mod tests {
    use nkeys::{KeyPair, KeyPairType};
    use proptest::prelude::*;

    use super::*;
    use crate::body::authorization::ServerId;

    const NOW: i64 = 1_000;

    fn pair(kind: KeyPairType, raw: u8) -> KeyPair {
        KeyPair::new_from_raw(kind, [raw; 32]).unwrap()
    }

    fn xkey(raw: u8) -> XKey {
        XKey::new_from_raw([raw; 32])
    }

    fn request(change: impl FnOnce(&mut Claims<AuthorizationRequest>)) -> String {
        let server = pair(KeyPairType::Server, 1);
        let nats = AuthorizationRequest {
            server_id: ServerId {
                id: server.public_key(),
                xkey: xkey(1).public_key(),
                ..ServerId::default()
            },
            user_nkey: pair(KeyPairType::User, 2).public_key(),
            ..AuthorizationRequest::default()
        };
        let mut claims =
            Claims::new(pair(KeyPairType::Account, 3).public_key(), nats).expiring(NOW + 2);
        claims.data.aud = AUDIENCE.to_owned();
        change(&mut claims);
        claims.encode(&server, NOW).unwrap()
    }

    fn open(
        payload: &[u8],
        own: Option<&XKey>,
    ) -> Result<Claims<AuthorizationRequest>, CalloutError> {
        open_request(payload, Some(&xkey(1).public_key()), own, NOW, 0)
    }

    fn sealed(token: &str) -> Vec<u8> {
        xkey(1).seal(token.as_bytes(), &xkey(9)).unwrap()
    }

    #[test]
    fn a_request_is_opened_and_its_answers_go_back_to_its_server() {
        let token = request(|_| ());
        let claims = open(token.as_bytes(), None).unwrap();
        assert_eq!(claims, open(&sealed(&token), Some(&xkey(9))).unwrap());
        let account = pair(KeyPairType::Account, 3);
        let answer = claims.deny("unknown device").encode(&account, NOW).unwrap();
        let answer = decode::<AuthorizationResponse>(&answer).unwrap().claims;
        assert_eq!(answer.data.sub, claims.nats.user_nkey);
        assert_eq!(answer.data.aud, claims.nats.server_id.id);
        let box_ = seal_response("eyJ", &xkey(1).public_key(), &xkey(9)).unwrap();
        assert!(box_.starts_with(b"xkv1"));
        assert_eq!(xkey(1).open(&box_, &xkey(9)).unwrap(), b"eyJ");
    }

    #[test]
    fn encrypted_or_not_is_as_the_service_expects() {
        let token = request(|_| ());
        let (plain, own) = (token.as_bytes(), xkey(9));
        assert_eq!(open(plain, Some(&own)), Err(CalloutError::NotEncrypted));
        assert_eq!(open(&sealed(&token), None), Err(CalloutError::Encrypted));
        assert_eq!(
            open(&sealed(&token), Some(&xkey(8))),
            Err(CalloutError::Open)
        );
        let no_header = open_request(&sealed(&token), None, Some(&own), NOW, 0);
        assert_eq!(no_header, Err(CalloutError::ServerXkey));
        let another = request(|claims| claims.nats.server_id.xkey = xkey(7).public_key());
        assert_eq!(
            open(&sealed(&another), Some(&own)),
            Err(CalloutError::ServerXkey)
        );
        assert_eq!(
            seal_response("eyJ", "Xnone", &own),
            Err(CalloutError::ServerXkey)
        );
    }

    #[test]
    fn a_request_of_another_server_time_or_audience_is_refused() {
        let other = pair(KeyPairType::Server, 4).public_key();
        let token = request(|claims| claims.nats.server_id.id = other);
        assert_eq!(open(token.as_bytes(), None), Err(CalloutError::Server));
        let token = request(|claims| claims.data.aud.clear());
        assert_eq!(open(token.as_bytes(), None), Err(CalloutError::Audience));
        let token = request(|claims| claims.data.exp = NOW - 1);
        let late = open(token.as_bytes(), None);
        assert!(matches!(late, Err(CalloutError::Time(_))), "{late:?}");
    }

    #[test]
    fn no_password_is_shown() {
        let token = request(|claims| {
            claims.nats.connect_opts.pass = "hunter2".to_owned();
            claims.nats.connect_opts.auth_token = "hunter2".to_owned();
        });
        let claims = open(token.as_bytes(), None).unwrap();
        assert_eq!(claims.nats.connect_opts.pass, "hunter2");
        assert!(!format!("{claims:?}").contains("hunter2"));
    }

    proptest! {
        #[test]
        fn no_payload_panics(payload: Vec<u8>, prefix: bool, header in "\\PC*") {
            let payload = [if prefix { SEALED } else { b"" }, &payload].concat();
            for own in [None, Some(&xkey(9))] {
                prop_assert!(open_request(&payload, Some(&header), own, NOW, 0).is_err());
                prop_assert!(open(&payload, own).is_err());
            }
        }
    }
}
