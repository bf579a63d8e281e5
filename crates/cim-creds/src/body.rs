//! What each kind of JWT adds, field by field as nats-io/jwt v2.8.2 writes it.

pub mod account;
pub mod activation;
pub mod authorization;
pub mod limits;
pub mod operator;
pub mod permissions;
pub mod revocations;
pub mod share;
mod sharing;
pub mod signing_keys;
mod subject;
pub mod user;

use crate::encode::EncodeError;
use crate::key::KeyKind;

/// Every key of a list is one of `kind`.
pub(crate) fn keys<'a>(
    field: &'static str,
    kind: KeyKind,
    keys: impl IntoIterator<Item = &'a String>,
) -> Result<(), EncodeError> {
    let wrong = keys.into_iter().find(|key| !kind.is(key));
    wrong.map_or(Ok(()), |_| Err(EncodeError::Key { field, kind }))
}

/// A key that may be left out is one of `kind`.
pub(crate) fn key(field: &'static str, kind: KeyKind, key: &String) -> Result<(), EncodeError> {
    keys(field, kind, Some(key).filter(|key| !key.is_empty()))
}
