//! Keys from fixed raw bytes: the same in every run, and no seed's text in git.

use cim_creds::{Account, Claims, KeyPair, Operator};
use nkeys::KeyPairType;

pub fn operator(raw: u8) -> KeyPair {
    pair(KeyPairType::Operator, raw)
}

pub fn account(raw: u8) -> KeyPair {
    pair(KeyPairType::Account, raw)
}

pub fn user(raw: u8) -> KeyPair {
    pair(KeyPairType::User, raw)
}

pub fn pair(kind: KeyPairType, raw: u8) -> KeyPair {
    KeyPair::new_from_raw(kind, [raw; 32]).unwrap()
}

/// A strict operator with the signing key `operator(2)`.
pub fn strict_operator() -> Claims<Operator> {
    let nats = Operator {
        signing_keys: vec![operator(2).public_key()],
        strict_signing_key_usage: true,
        ..Operator::default()
    };
    Claims::new(operator(1).public_key(), nats).named("strict")
}

/// An account whose signing keys are the `keys`.
pub fn account_with(keys: &[&KeyPair]) -> Account {
    let mut nats = Account::default();
    keys.iter()
        .for_each(|key| nats.signing_keys.add(key.public_key()));
    nats
}
