//! Throwaway keys in the place of the committed public ones, whose seeds nobody here has.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use nkeys::KeyPair;

use crate::private;

/// How long the text of a public nkey is.
const LENGTH: usize = 56;

/// Throwaway keys, by what each stands for. They are kept, so that the same hosts are built the next time.
#[derive(Debug)]
pub struct Keys {
    file: PathBuf,
    /// What it stands for → public half and seed.
    pairs: BTreeMap<String, (String, String)>,
}

impl Keys {
    /// The keys of a folder; none yet, the first time.
    pub fn open(dir: &Path) -> Result<Self> {
        let file = dir.join("keys.json");
        let pairs = match fs::read_to_string(&file) {
            Ok(text) => serde_json::from_str(&text)
                .with_context(|| format!("reading {}", file.display()))?,
            Err(_) => BTreeMap::new(),
        };
        Ok(Self { file, pairs })
    }

    /// The public half of the key that stands for something.
    pub fn public(&mut self, stands_for: &str) -> Result<String> {
        if let Some((public, _)) = self.pairs.get(stands_for) {
            return Ok(public.clone());
        }
        let pair = KeyPair::new_user();
        let seed = pair.seed().context("making a throwaway key")?;
        let public = pair.public_key();
        self.pairs
            .insert(stands_for.to_owned(), (public.clone(), seed));
        let text = serde_json::to_string_pretty(&self.pairs).context("writing keys")?;
        private::write(&self.file, &text)?;
        Ok(public)
    }

    /// The text with a throwaway key in the place of every public user nkey.
    pub fn replace(&mut self, text: &str) -> Result<String> {
        let mut out = String::new();
        for (index, part) in text.split('"').enumerate() {
            if index > 0 {
                out.push('"');
            }
            if is_public(part) {
                out.push_str(&self.public(part)?);
            } else {
                out.push_str(part);
            }
        }
        Ok(out)
    }

    /// All seeds by their public halves.
    pub fn seeds(&self) -> BTreeMap<String, String> {
        self.pairs.values().cloned().collect()
    }
}

fn is_public(text: &str) -> bool {
    text.len() == LENGTH
        && text.starts_with('U')
        && text.bytes().all(|b| matches!(b, b'A'..=b'Z' | b'2'..=b'7'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_public_key_is_replaced_by_the_same_one_each_time() {
        let dir = tempfile::tempdir().unwrap();
        let committed = KeyPair::new_user().public_key();
        let text = format!("a = \"{committed}\"; b = \"UABC\"; c = \"{committed}\";");
        let mut keys = Keys::open(dir.path()).unwrap();
        let replaced = keys.replace(&text).unwrap();
        let own = keys.public(&committed).unwrap();
        assert_ne!(own, committed);
        assert_eq!(replaced, text.replace(&committed, &own));
        let mut later = Keys::open(dir.path()).unwrap();
        assert_eq!(later.replace(&text).unwrap(), replaced);
    }
}
