//! Nkeys: which kind a key is, and seeds read without the traps of the `nkeys` crate.
//!
//! `KeyPair::from_seed` takes a curve seed for an Ed25519 key and an unknown kind for an operator;
//! `KeyPairType::from_str` takes a typing mistake for a module. Here both are errors.

use std::fmt;

use nkeys::{KeyPair, KeyPairType, XKey};
use zeroize::Zeroizing;

/// The kinds of nkeys that NATS JWTs speak of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyKind {
    /// `O…`, seed `SO…`: vouches for accounts.
    Operator,
    /// `A…`, seed `SA…`: vouches for users and activations.
    Account,
    /// `U…`, seed `SU…`: logs in.
    User,
    /// `N…`: a running nats-server; signs authorization requests.
    Server,
    /// `X…`, seed `SX…`: encrypts (x25519); signs nothing.
    Curve,
}

/// Why a key was refused. Never holds the key itself: it may be a seed in the wrong place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not a seed: wrong length, letters or checksum.
    #[error(
        "this is no seed of {0}: write the 58 characters that begin with {prefix}, whole and unchanged",
        prefix = .0.seed_prefix()
    )]
    NotASeed(KeyKind),
    /// A seed of another kind.
    #[error("this is a seed of {found}, where one of {wanted} ({prefix}…) is needed", prefix = .wanted.seed_prefix())]
    WrongSeed {
        /// The kind that is needed.
        wanted: KeyKind,
        /// The kind that is there.
        found: KeyKind,
    },
    /// Only the public half is there.
    #[error("this key has no seed, only its public half: give the seed")]
    NoSeed,
}

impl KeyKind {
    const ALL: [KeyKind; 5] = [
        KeyKind::Operator,
        KeyKind::Account,
        KeyKind::User,
        KeyKind::Server,
        KeyKind::Curve,
    ];

    /// The kind of a public key; `None` when it is no public key of these kinds, or its checksum
    /// is wrong.
    pub fn of(public: &str) -> Option<Self> {
        nkeys::from_public_key(public).ok()?;
        Self::ALL
            .into_iter()
            .find(|kind| public.starts_with(kind.prefix()))
    }

    /// The kind of a key pair; `None` for modules, services and clusters, which no JWT names.
    pub fn of_pair(pair: &KeyPair) -> Option<Self> {
        let kind = pair.key_pair_type();
        Self::ALL
            .into_iter()
            .find(|known| known.pair_type() == kind)
    }

    /// Whether `text` is a public key of this kind, checksum included.
    pub fn is(self, text: &str) -> bool {
        Self::of(text) == Some(self)
    }

    /// First letter of its public keys.
    pub fn prefix(self) -> char {
        match self {
            KeyKind::Operator => 'O',
            KeyKind::Account => 'A',
            KeyKind::User => 'U',
            KeyKind::Server => 'N',
            KeyKind::Curve => 'X',
        }
    }

    fn seed_prefix(self) -> String {
        format!("S{}", self.prefix())
    }

    fn pair_type(self) -> KeyPairType {
        match self {
            KeyKind::Operator => KeyPairType::Operator,
            KeyKind::Account => KeyPairType::Account,
            KeyKind::User => KeyPairType::User,
            KeyKind::Server => KeyPairType::Server,
            KeyKind::Curve => KeyPairType::Curve,
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            KeyKind::Operator => "an operator",
            KeyKind::Account => "an account",
            KeyKind::User => "a user",
            KeyKind::Server => "a server",
            KeyKind::Curve => "a curve key (xkey)",
        })
    }
}

/// Reads a signing key's seed; white space around it is no matter.
///
/// # Errors
/// A text that is no seed, or one of another kind; also [`KeyKind::Curve`], which cannot sign.
pub fn key_pair(seed: &str, wanted: KeyKind) -> Result<KeyPair, KeyError> {
    let seed = seed.trim();
    let kind = seed_kind(seed).ok_or(KeyError::NotASeed(wanted))?;
    if kind != wanted || kind == KeyKind::Curve {
        return Err(KeyError::WrongSeed {
            wanted,
            found: kind,
        });
    }
    KeyPair::from_seed(seed).map_err(|_| KeyError::NotASeed(wanted))
}

/// Reads the seed of an xkey (`SX…`); white space around it is no matter.
///
/// # Errors
/// A text that is no seed, or one of another kind.
pub fn xkey(seed: &str) -> Result<XKey, KeyError> {
    let seed = seed.trim();
    match seed_kind(seed) {
        Some(KeyKind::Curve) => {
            XKey::from_seed(seed).map_err(|_| KeyError::NotASeed(KeyKind::Curve))
        }
        Some(found) => Err(KeyError::WrongSeed {
            wanted: KeyKind::Curve,
            found,
        }),
        None => Err(KeyError::NotASeed(KeyKind::Curve)),
    }
}

/// The seed of a key pair, wiped from memory when dropped.
///
/// # Errors
/// A pair that is only a public key.
pub fn seed(pair: &KeyPair) -> Result<Zeroizing<String>, KeyError> {
    pair.seed()
        .map(Zeroizing::new)
        .map_err(|_| KeyError::NoSeed)
}

fn seed_kind(seed: &str) -> Option<KeyKind> {
    nkeys::decode_seed(seed).ok()?;
    KeyKind::ALL
        .into_iter()
        .find(|kind| seed.starts_with(&kind.seed_prefix()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pair(kind: KeyPairType) -> KeyPair {
        KeyPair::new_from_raw(kind, [42; 32]).unwrap()
    }

    #[test]
    fn kinds_are_told_apart() {
        for kind in KeyKind::ALL {
            let pair = pair(kind.pair_type());
            assert_eq!(KeyKind::of_pair(&pair), Some(kind));
            assert!(kind.is(&pair.public_key()));
        }
        assert_eq!(
            KeyKind::of(&pair(KeyPairType::Module).public_key()),
            None,
            "a module is none of ours"
        );
    }

    #[test]
    fn a_seed_of_another_kind_is_refused_by_name() {
        let user = pair(KeyPairType::User).seed().unwrap();
        assert!(key_pair(&format!("\n{user} \n"), KeyKind::User).is_ok());
        let error = key_pair(&user, KeyKind::Account).err().unwrap();
        assert_eq!(
            error.to_string(),
            "this is a seed of a user, where one of an account (SA…) is needed"
        );
        assert!(xkey(&user).is_err());
    }

    #[test]
    fn a_curve_seed_signs_nothing() {
        let curve = XKey::new_from_raw([42; 32]).seed().unwrap();
        assert!(xkey(&curve).is_ok());
        for kind in KeyKind::ALL {
            assert!(key_pair(&curve, kind).is_err());
        }
    }

    #[test]
    fn a_public_key_has_no_seed() {
        let public = KeyPair::from_public_key(&pair(KeyPairType::User).public_key()).unwrap();
        assert_eq!(seed(&public).err(), Some(KeyError::NoSeed));
    }

    proptest! {
        #[test]
        fn a_changed_seed_is_no_seed_and_no_message_shows_it(
            raw in any::<[u8; 32]>(), at in 0usize..58, letter in "[A-Z2-7]"
        ) {
            let right = KeyPair::new_from_raw(KeyPairType::User, raw).unwrap().seed().unwrap();
            let mut wrong = right.clone();
            wrong.replace_range(at..=at, &letter);
            match key_pair(&wrong, KeyKind::User) {
                Ok(_) => prop_assert_eq!(wrong, right),
                Err(error) => {
                    let shown = format!("{error}{error:?}");
                    prop_assert!(!shown.contains(&wrong[2..12]));
                }
            }
        }

        #[test]
        fn no_text_panics(text in "\\PC*") {
            let _ = (KeyKind::of(&text), key_pair(&text, KeyKind::User), xkey(&text));
        }
    }
}
