//! Seeds in `operator.yaml`: those that are there, and those that are made.

use anyhow::{Context, Result};
use cim_creds::{KeyKind, KeyPair, key};
use nkeys::KeyPairType;

use super::vault::{OPERATOR, Vault};

/// The operator's identity key.
pub const OPERATOR_KEY: &str = "operator.nk";

/// The operator's key that signs accounts.
pub const OPERATOR_SIGNER: &str = "operator.signing.nk";

/// The entry of an account's identity key.
pub fn account(name: &str) -> String {
    format!("account.{name}.nk")
}

/// The entry of the signing key of an account's role.
pub fn role(account: &str, role: &str) -> String {
    format!("account.{account}.{}.nk", role.replace('/', "."))
}

/// A seed as a key; `None`: there is none.
///
/// # Errors
/// A text that is no seed of the kind, by its entry.
pub fn find(vault: &Vault, entry: &str, kind: KeyKind) -> Result<Option<KeyPair>> {
    let seed = vault.entry(OPERATOR, entry);
    let pair = seed.map(|seed| key::key_pair(seed, kind)).transpose();
    pair.with_context(|| format!("{}: {entry}", vault.shown(OPERATOR)))
}

/// A seed as a key, made where there is none; whether it was.
///
/// # Errors
/// As [`find`].
pub fn get(vault: &mut Vault, entry: &str, kind: KeyKind) -> Result<(KeyPair, bool)> {
    if let Some(pair) = find(vault, entry, kind)? {
        return Ok((pair, false));
    }
    let pair = KeyPair::new(match kind {
        KeyKind::Operator => KeyPairType::Operator,
        KeyKind::Account => KeyPairType::Account,
        _ => KeyPairType::User,
    });
    vault.set(OPERATOR, entry, &key::seed(&pair)?)?;
    Ok((pair, true))
}
