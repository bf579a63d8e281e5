//! Auth callout: what nats-server asks about a client, and what the service answers.
//!
//! Upstream: nats-io/jwt v2.8.2, `authorization_claims.go`. `Debug` shows no password, token or JWT.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::body::key;
use crate::claims::{Body, ClaimType, ClaimsData};
use crate::encode::EncodeError;
use crate::json::is_zero;
use crate::key::KeyKind;

/// The server that asks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServerId {
    /// `server_name`.
    pub name: String,
    /// The address that it listens on.
    pub host: String,
    /// Its public key (`N…`); the request is signed by it, the answer goes to it.
    pub id: String,
    /// Version, such as `2.15.1`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// Cluster name; empty: none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cluster: String,
    /// `server_tags`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Its public xkey, where requests are encrypted.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub xkey: String,
}

/// The client, as the server sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientInformation {
    /// Address.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub host: String,
    /// Number of the connection.
    #[serde(skip_serializing_if = "is_zero")]
    pub id: u64,
    /// User name that it claims.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub user: String,
    /// Name that it gives itself.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Tags of its user JWT.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Name in its user JWT.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name_tag: String,
    /// `Client` or `Leafnode`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// `nats`, `mqtt` or `websocket`.
    #[serde(rename = "type", skip_serializing_if = "String::is_empty")]
    pub protocol: String,
    /// MQTT client id.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub mqtt_id: String,
    /// What the client signed, if it signed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub nonce: String,
}

/// What the client said when it connected. Nothing of it is proven.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConnectOptions {
    /// User JWT.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub jwt: String,
    /// Public user key.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub nkey: String,
    /// Signature of the nonce.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sig: String,
    /// Token: a secret.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub auth_token: String,
    /// User name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub user: String,
    /// Password: a secret.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub pass: String,
    /// Name that it gives itself.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Language of the client library.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub lang: String,
    /// Version of the client library.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// Protocol version.
    pub protocol: i64,
}

/// The client's TLS connection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientTls {
    /// Such as `1.3`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// Such as `TLS_AES_128_GCM_SHA256`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cipher: String,
    /// The client's certificates in PEM, when they were *not* verified.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub certs: Vec<String>,
    /// Verified chains in PEM; the first of each is the client's own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub verified_chains: Vec<Vec<String>>,
}

/// What an authorization request adds; its `sub` is the account that asks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AuthorizationRequest {
    /// Who asks.
    pub server_id: ServerId,
    /// Public user key that must be the `sub` of the answer and of the user JWT in it.
    pub user_nkey: String,
    /// The client, as the server sees it.
    pub client_info: ClientInformation,
    /// What the client said.
    pub connect_opts: ConnectOptions,
    /// Its TLS connection; absent: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_tls: Option<ClientTls>,
    /// Not used by nats-server.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub request_nonce: String,
    /// Free words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

/// What an authorization response adds; its `sub` is the request's `user_nkey`, its `aud` the
/// server's id. Either `jwt` or `error` is set.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AuthorizationResponse {
    /// The user JWT that the client gets.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub jwt: String,
    /// Why the client is refused; the server logs it and does not tell the client.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub error: String,
    /// Public key of the callout's account, where one of its signing keys signs; empty: its
    /// identity key signs.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub issuer_account: String,
    /// Free words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

impl fmt::Debug for ConnectOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectOptions")
            .field("nkey", &self.nkey)
            .field("user", &self.user)
            .field("name", &self.name)
            .field("lang", &self.lang)
            .field("version", &self.version)
            .field("protocol", &self.protocol)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for AuthorizationResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationResponse")
            .field("error", &self.error)
            .field("issuer_account", &self.issuer_account)
            .field("tags", &self.tags)
            .finish_non_exhaustive()
    }
}

impl Body for AuthorizationRequest {
    const TYPE: ClaimType = ClaimType::AuthorizationRequest;
    const ISSUERS: &'static [KeyKind] = &[KeyKind::Server];
    const SIGNER: KeyKind = KeyKind::Server;
    // Without an operator it is the account's name.
    const SUBJECT: Option<KeyKind> = None;

    fn check(&self, _: &ClaimsData) -> Result<(), EncodeError> {
        crate::body::keys("user_nkey", KeyKind::User, [&self.user_nkey])
    }
}

impl Body for AuthorizationResponse {
    const TYPE: ClaimType = ClaimType::AuthorizationResponse;
    const ISSUERS: &'static [KeyKind] = &[KeyKind::Account];
    const SIGNER: KeyKind = KeyKind::Account;
    const SUBJECT: Option<KeyKind> = Some(KeyKind::User);

    fn check(&self, data: &ClaimsData) -> Result<(), EncodeError> {
        key("issuer_account", KeyKind::Account, &self.issuer_account)?;
        crate::body::keys("aud", KeyKind::Server, [&data.aud])?;
        if self.jwt.is_empty() == self.error.is_empty() {
            return Err(EncodeError::field(
                "jwt",
                "and error are both set, or neither is",
                "set jwt to let the client in, or error to refuse it",
            ));
        }
        Ok(())
    }
}
