//! Taking an account away from every node.
//!
//! Upstream: nats-server 2.15 `accounts.go` (`handleDeleteRequest`): a generic JWT that an operator key
//! signs about itself.

use anyhow::{Context, Result, bail, ensure};
use cim_creds::KeyPair;
use data_encoding::BASE64URL_NOPAD;
use serde_json::json;

use super::exchange::{Asked, Pace, exchange};
use super::hub::{Hub, Node};

/// Deletes an account on every node; `signer` is one of the operator's keys.
///
/// # Errors
/// Nodes that refuse, which they do without `allow_delete`, or do not answer.
pub async fn delete(
    hub: &Hub,
    nodes: &[Node],
    account: &str,
    signer: &KeyPair,
    now: i64,
) -> Result<()> {
    let asked = Asked {
        subject: "$SYS.REQ.CLAIMS.DELETE".to_owned(),
        payload: request(account, signer, now)?.into_bytes(),
    };
    let mut deleted = Vec::new();
    let mut refused = Vec::new();
    let each = |_, message: async_nats::Message| {
        let (id, said) = super::answer(&message)?;
        match said {
            // Who is asked again has it no longer.
            Some(_) if deleted.contains(&id) => {}
            Some(said) => refused.push((id, said)),
            None => deleted.push(id),
        }
        Ok(())
    };
    exchange(hub, [asked].into_iter(), nodes.len(), Pace::default(), each).await?;
    for node in nodes {
        if let Some((_, said)) = refused.iter().find(|(id, _)| *id == node.id) {
            bail!("{} refuses to delete {account}: {said}", node.name);
        }
        ensure!(
            deleted.contains(&node.id),
            "{} did not say that it deleted {account}",
            node.name
        );
    }
    Ok(())
}

/// nats-io/jwt's generic claims, which name nobody but the signer.
fn request(account: &str, signer: &KeyPair, now: i64) -> Result<String> {
    let public = signer.public_key();
    let part = |value: &serde_json::Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let header = part(&json!({ "typ": "JWT", "alg": "ed25519-nkey" }));
    let body = part(&json!({
        "iat": now, "iss": public, "sub": public,
        "nats": { "accounts": [account], "type": "generic", "version": 2 },
    }));
    let signed = format!("{header}.{body}");
    let signature = signer.sign(signed.as_bytes()).context("signing")?;
    Ok(format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature)))
}
