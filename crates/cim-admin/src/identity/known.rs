//! Users' seeds and creds wherever they are sealed: a leaf keeps its key when it moves to another host.

use std::collections::HashMap;
use std::fmt;

use anyhow::{Context, Result};
use cim_creds::{Creds, KeyKind, KeyPair, key};
use zeroize::Zeroizing;

use super::vault::{OPERATOR, Vault};
use crate::parallel;

/// Where a secret is sealed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// An entry of a file.
    Entry(String, String),
    /// A file that is one secret.
    File(String),
}

/// A user's key that was found.
pub struct Known {
    /// Public key.
    pub public: String,
    /// The JWT beside it; `None`: only the seed is there.
    pub jwt: Option<String>,
    seed: Zeroizing<String>,
}

/// All of them.
pub struct AllKnown {
    by_place: HashMap<Place, Known>,
    by_key: HashMap<String, Place>,
}

impl Place {
    /// The sealed file.
    pub fn file(&self) -> &str {
        match self {
            Place::Entry(file, _) | Place::File(file) => file,
        }
    }

    /// What stands there.
    pub fn get<'v>(&self, vault: &'v Vault) -> Option<&'v [u8]> {
        match self {
            Place::Entry(file, entry) => vault.entry(file, entry).map(str::as_bytes),
            Place::File(file) => vault.whole(file),
        }
    }

    /// Puts a text there; whether that changed anything.
    ///
    /// # Errors
    /// As [`Vault::set`].
    pub fn set(&self, vault: &mut Vault, text: &str) -> Result<bool> {
        match self {
            Place::Entry(file, entry) => vault.set(file, entry, text),
            Place::File(file) => Ok(vault.put(file, text.as_bytes())),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Entry(file, entry) => write!(f, "{file}: {entry}"),
            Place::File(file) => f.write_str(file),
        }
    }
}

impl Known {
    /// The key.
    ///
    /// # Errors
    /// None in practice: the seed was read before.
    pub fn pair(&self) -> Result<KeyPair> {
        Ok(key::key_pair(&self.seed, KeyKind::User)?)
    }
}

impl AllKnown {
    /// Reads all creds and seeds of users.
    ///
    /// # Errors
    /// Those that are none, by where they stand: all of them at once.
    pub fn read(vault: &Vault) -> Result<Self> {
        let mut places = Vec::new();
        for file in vault.names() {
            if vault.whole(file).is_some() && is_login(file) {
                places.push(Place::File(file.to_owned()));
            }
            for (entry, _) in vault.entries(file) {
                // Seeds in the operator's own file are of other kinds.
                let ours = entry.starts_with("cim-") && file != OPERATOR || entry == super::DESK;
                if ours && is_login(entry) {
                    places.push(Place::Entry(file.to_owned(), entry.to_owned()));
                }
            }
        }
        let read = parallel::each(&places, |place| {
            let bytes = place.get(vault).unwrap_or_default();
            read(place, bytes).with_context(|| vault.shown(&place.to_string()))
        })?;
        let by_key = read.iter().zip(&places);
        Ok(Self {
            by_key: by_key
                .map(|(known, place)| (known.public.clone(), place.clone()))
                .collect(),
            by_place: places.into_iter().zip(read).collect(),
        })
    }

    /// What stands at a place.
    pub fn at(&self, place: &Place) -> Option<&Known> {
        self.by_place.get(place)
    }

    /// The key of a public one, wherever it is.
    pub fn of(&self, public: &str) -> Option<&Known> {
        self.by_place.get(self.by_key.get(public)?)
    }
}

fn is_login(name: &str) -> bool {
    name.ends_with(".creds") || name.ends_with(".nk")
}

fn read(place: &Place, bytes: &[u8]) -> Result<Known> {
    let (pair, jwt) = if place.to_string().ends_with(".creds") {
        let creds = Creds::parse(bytes)?;
        (
            key::key_pair(&key::seed(creds.key())?, KeyKind::User)?,
            Some(creds.jwt().to_owned()),
        )
    } else {
        let text = std::str::from_utf8(bytes).ok();
        let text = text.context("it has other bytes than text")?;
        (key::key_pair(text, KeyKind::User)?, None)
    };
    Ok(Known {
        public: pair.public_key(),
        jwt,
        seed: key::seed(&pair)?,
    })
}
