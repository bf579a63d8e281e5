//! NATS JWTs, as far as the seeds' tests need them.

use anyhow::{Context, Result};
use data_encoding::BASE64URL_NOPAD;
use nkeys::KeyPair;
use serde_json::{Value, json};

/// Signs claims: who issues them stands in `key`.
pub fn sign(key: &KeyPair, subject: &str, audience: Option<&str>, nats: &Value) -> Result<String> {
    let claims = json!({
        "jti": "test",
        "iat": 1_700_000_000,
        "iss": key.public_key(),
        "sub": subject,
        "aud": audience,
        "name": subject,
        "nats": nats,
    });
    let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let text = format!(
        "{}.{}",
        part(&json!({"typ": "JWT", "alg": "ed25519-nkey"})),
        part(&claims)
    );
    let signature = key.sign(text.as_bytes()).context("signing")?;
    Ok(format!("{text}.{}", BASE64URL_NOPAD.encode(&signature)))
}

/// The claims of a JWT.
pub fn claims(jwt: &str) -> Result<Value> {
    let part = jwt.split('.').nth(1).context("no JWT")?;
    let bytes = BASE64URL_NOPAD
        .decode(part.as_bytes())
        .context("decoding a JWT")?;
    serde_json::from_slice(&bytes).context("reading a JWT")
}

/// What stands in a `.creds` file.
pub fn credentials(jwt: &str, user: &KeyPair) -> Result<String> {
    let seed = user.seed().context("a key pair has a seed")?;
    Ok(format!(
        "-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n\
         -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
    ))
}

/// A user's part, with everything nats-server does not enforce left open.
pub fn user(publish: &[String], subscribe: &[String], connections: &[&str]) -> Value {
    let access = |allow: &[String]| match allow.is_empty() {
        // Not a denial of everything: on a link that stops the other direction too.
        true => json!({"allow": ["$NOTHING"]}),
        false => json!({"allow": allow}),
    };
    let mut user = json!({
        "type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1,
        "pub": access(publish), "sub": access(subscribe),
    });
    if !connections.is_empty() {
        user["allowed_connection_types"] = json!(connections);
    }
    user
}
