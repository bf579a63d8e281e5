//! Secrets as they are looked for: their texts, the bytes behind them, and how these look in hex and base64.

use std::collections::BTreeSet;
use std::path::Path;

use aho_corasick::AhoCorasick;
use anyhow::{Context, Result, bail, ensure};
use cim_admin::sops::{Folder, Identities, Plain};
use data_encoding::{BASE32_NOPAD, BASE64, BASE64_NOPAD, HEXLOWER, HEXUPPER};

/// Shorter than this, something would be found by chance.
const SHORTEST: usize = 14;

/// Secrets by name, as they are collected.
#[derive(Default)]
pub struct Needles(Vec<(String, Vec<u8>)>);

/// Finds all of them at once.
pub struct Finder {
    names: Vec<String>,
    texts: AhoCorasick,
}

impl Needles {
    /// Adds a secret of any kind that we make: an nkey seed (creds too), a PEM or OpenSSH key, an age key, a line.
    pub fn add(&mut self, name: &str, secret: &str) -> Result<()> {
        let mut forms = Vec::new();
        if secret.contains("-----BEGIN PRIVATE KEY-----") {
            let body: Vec<&str> = secret.lines().filter(|line| !line.contains('-')).collect();
            // What follows is the public key, which is in the certificate, too.
            forms.extend(body.iter().take(2).map(|line| line.as_bytes().to_vec()));
            forms.extend(raw(after(&body.concat(), &[2, 1, 1, 4, 32])?));
        } else if secret.contains("-----BEGIN OPENSSH PRIVATE KEY-----") {
            let body: Vec<&str> = secret.lines().filter(|line| !line.contains('-')).collect();
            forms.extend(raw(after(&body.concat(), &[0, 0, 0, 64])?));
        } else if let Some(seed) = secret.lines().find(|line| is_seed(line)) {
            forms.push(seed.as_bytes().to_vec());
            let bytes = BASE32_NOPAD.decode(seed.as_bytes());
            let bytes = bytes.with_context(|| format!("reading the seed of {name}"))?;
            forms.extend(raw(bytes[2..34].to_vec()));
            forms.extend(encoded(seed.as_bytes()));
        } else {
            let lines = secret.lines().filter(|line| !line.starts_with('#'));
            for line in lines.filter(|line| line.len() >= SHORTEST) {
                forms.push(line.as_bytes().to_vec());
                forms.push(line.to_ascii_lowercase().into_bytes());
                forms.extend(encoded(line.as_bytes()));
            }
        }
        ensure!(
            !forms.is_empty() && forms.iter().all(|form| form.len() >= SHORTEST),
            "{name} is a kind of secret that this test does not know"
        );
        self.0
            .extend(forms.into_iter().map(|form| (name.to_owned(), form)));
        Ok(())
    }

    /// Adds everything that a folder of secrets holds, opened with the operator's key, and that key; `whose` goes
    /// before the names of files.
    pub fn add_folder(&mut self, whose: &str, secrets: &Path, keys: &Path) -> Result<()> {
        let identities = Identities::read(keys)?;
        self.add(&keys.display().to_string(), &identities.text())?;
        let folder = Folder::open(secrets)?;
        for file in folder.names()? {
            match folder.read(&file, &identities)? {
                Some(Plain::Tree(tree)) => {
                    for (entry, value) in tree.entries() {
                        let text = value.as_text();
                        let text = text.with_context(|| format!("{file}: {entry} is no text"))?;
                        // A sealed file may hold a public text, too.
                        if !text.starts_with("-----BEGIN CERTIFICATE-----") {
                            self.add(&format!("{whose}{file}: {entry}"), text)?;
                        }
                    }
                }
                Some(Plain::Bytes(bytes)) => {
                    let text = std::str::from_utf8(&bytes);
                    self.add(
                        &format!("{whose}{file}"),
                        text.with_context(|| format!("reading {file}"))?,
                    )?;
                }
                None => bail!("{file} is not there any more"),
            }
        }
        Ok(())
    }

    /// Adds others, but for what is known by another name.
    pub fn add_others(&mut self, others: Self) {
        let known: BTreeSet<Vec<u8>> = self.0.iter().map(|(_, form)| form.clone()).collect();
        let new = others.0.into_iter();
        self.0.extend(new.filter(|(_, form)| !known.contains(form)));
    }

    /// All that was collected.
    pub fn finder(&self) -> Result<Finder> {
        Ok(Finder {
            names: self.0.iter().map(|(name, _)| name.clone()).collect(),
            texts: AhoCorasick::new(self.0.iter().map(|(_, form)| form))
                .context("preparing to look for secrets")?,
        })
    }
}

impl Finder {
    /// The names of all secrets.
    pub fn names(&self) -> BTreeSet<&str> {
        self.names.iter().map(String::as_str).collect()
    }

    /// The names of those in `bytes`.
    pub fn found(&self, bytes: &[u8]) -> BTreeSet<&str> {
        self.texts
            .find_overlapping_iter(bytes)
            .map(|found| self.names[found.pattern().as_usize()].as_str())
            .collect()
    }
}

/// The 32 bytes after the last `mark` of what a base64 text says.
fn after(base64: &str, mark: &[u8]) -> Result<Vec<u8>> {
    let bytes = BASE64.decode(base64.as_bytes());
    let bytes = bytes.context("reading the base64 of a private key")?;
    let at = bytes.windows(mark.len()).rposition(|window| window == mark);
    let at = at.context("a private key has its number somewhere")? + mark.len();
    let key = bytes.get(at..at + 32);
    Ok(key.context("a private key has 32 bytes")?.to_vec())
}

/// Bytes as they are, and as texts.
fn raw(bytes: Vec<u8>) -> Vec<Vec<u8>> {
    let mut forms = encoded(&bytes);
    forms.push(HEXLOWER.encode(&bytes).into_bytes());
    forms.push(HEXUPPER.encode(&bytes).into_bytes());
    forms.push(bytes);
    forms
}

/// How bytes look inside a base64 text, wherever they begin.
fn encoded(bytes: &[u8]) -> Vec<Vec<u8>> {
    (0..3)
        .map(|before| {
            let mut text = vec![0; before];
            text.extend(bytes);
            let whole = text.len() / 3 * 3;
            // Only characters that are made of these bytes alone.
            BASE64_NOPAD.encode(&text[..whole]).into_bytes()[before * 2..].to_vec()
        })
        .collect()
}

fn is_seed(line: &str) -> bool {
    line.len() == 58 && line.starts_with('S') && BASE32_NOPAD.decode(line.as_bytes()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_secret_in_whatever_form() {
        let pair = nkeys::KeyPair::new_user();
        let seed = pair.seed().unwrap();
        let mut needles = Needles::default();
        needles.add("mine", &seed).unwrap();
        let finder = needles.finder().unwrap();
        let bytes = BASE32_NOPAD.decode(seed.as_bytes()).unwrap();
        for hidden in [
            format!("nkey: {seed}\n").into_bytes(),
            bytes.clone(),
            HEXLOWER.encode(&bytes).into_bytes(),
            BASE64.encode(&bytes).into_bytes(),
            BASE64
                .encode(format!("seed={seed}").as_bytes())
                .into_bytes(),
            BASE64.encode(format!("x{seed}").as_bytes()).into_bytes(),
            BASE64.encode(format!("xy{seed}").as_bytes()).into_bytes(),
        ] {
            let text = String::from_utf8_lossy(&hidden).into_owned();
            assert_eq!(finder.found(&hidden).len(), 1, "{text}");
        }
        assert!(finder.found(pair.public_key().as_bytes()).is_empty());
        assert!(needles.add("short", "hunter2").is_err());
    }
}
