//! age keys: whom a file is sealed for, and who opens it.

use std::fmt;
use std::io::{Read, Write};
use std::path::Path;
use std::str::FromStr;

use age::armor::{ArmoredReader, ArmoredWriter, Format};
use age::secrecy::ExposeSecret;
use age::x25519;
use anyhow::{Context, Result, anyhow, bail, ensure};
use zeroize::Zeroizing;

use super::ssh;
use super::value::DataKey;
use crate::files;

/// Whom a file is sealed for: an age public key (`age1…`).
#[derive(Clone)]
pub struct Recipient(x25519::Recipient);

impl FromStr for Recipient {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        if text.starts_with("ssh-") {
            bail!(
                "an ssh key stands where an age recipient is needed: write what `cim-admin secrets recipient` prints for it"
            );
        }
        // A private key in the wrong place must not be shown.
        ensure!(
            !text.to_ascii_uppercase().starts_with("AGE-SECRET"),
            "a PRIVATE age key stands where a recipient is needed: make a new one, since this one may be in git"
        );
        let parsed = text.parse().map(Self);
        parsed.map_err(|_| {
            anyhow!("{text:?} is no age recipient: write the 62 characters that begin with age1")
        })
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl PartialEq for Recipient {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl Recipient {
    /// Seals a data key, armoured as sops has it.
    ///
    /// # Errors
    /// What the age crate says.
    pub fn seal(&self, key: &DataKey) -> Result<String> {
        let one: &dyn age::Recipient = &self.0;
        let mut sealed = Vec::new();
        let armor = ArmoredWriter::wrap_output(&mut sealed, Format::AsciiArmor);
        let mut writer =
            age::Encryptor::with_recipients(std::iter::once(one))?.wrap_output(armor?)?;
        writer.write_all(key.bytes())?;
        writer.finish()?.finish()?;
        let mut text = String::from_utf8(sealed).context("reading age's own armour")?;
        if !text.ends_with('\n') {
            text.push('\n');
        }
        Ok(text)
    }
}

/// Who opens files: the private keys of one key file. `Debug` shows how many.
#[derive(Default)]
pub struct Identities(Vec<x25519::Identity>);

impl Identities {
    /// Reads a file of age keys, or a host's ssh private key.
    ///
    /// # Errors
    /// A file that is missing, has none, or has keys that need more than the file.
    pub fn read(path: &Path) -> Result<Self> {
        Self::parse(&files::read(path)?)
            .with_context(|| format!("reading the keys in {}", path.display()))
    }

    /// Reads keys as [`Identities::read`] does.
    ///
    /// # Errors
    /// As there; messages count lines and show nothing of them.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let text = std::str::from_utf8(bytes)
            .ok()
            .context("this is no key file: it has other bytes than text")?;
        if text.trim_start().starts_with(ssh::PRIVATE) {
            let key = ssh::identity(text)?;
            return Ok(Self(vec![
                key.parse()
                    .map_err(|_| anyhow!("reading the converted key"))?,
            ]));
        }
        ensure!(
            !text.starts_with("age-encryption.org/") && !text.starts_with("-----BEGIN AGE"),
            "the key file is itself encrypted: open it first, with `age -d`, onto a disk in memory"
        );
        let mut identities = Vec::new();
        for (index, line) in text.lines().map(str::trim).enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let number = index + 1;
            ensure!(
                !line.starts_with("AGE-PLUGIN-"),
                "line {number} is a key in a device, which cim-admin does not ask: give a key file made by `age-keygen`"
            );
            let identity = line.parse().map_err(|_| {
                anyhow!(
                    "line {number} is no age key: it must begin with AGE-SECRET-KEY-1 and be whole"
                )
            });
            identities.push(identity?);
        }
        ensure!(
            !identities.is_empty(),
            "there is no key in it: make one with `age-keygen -o`"
        );
        Ok(Self(identities))
    }

    /// A new key, for a host or a test.
    pub fn generate() -> Self {
        Self(vec![x25519::Identity::generate()])
    }

    /// The public halves.
    pub fn recipients(&self) -> Vec<Recipient> {
        self.0
            .iter()
            .map(|key| Recipient(key.to_public()))
            .collect()
    }

    /// The text of a key file, a secret.
    pub fn text(&self) -> Zeroizing<String> {
        let keys: Vec<_> = self.0.iter().map(x25519::Identity::to_string).collect();
        let mut text = Zeroizing::new(String::with_capacity(keys.len() * 80));
        for key in &keys {
            text.push_str(key.expose_secret());
            text.push('\n');
        }
        text
    }

    /// Opens a data key that is sealed for one of these; `None` when it is for somebody else.
    ///
    /// # Errors
    /// What is damaged.
    pub fn open(&self, sealed: &str) -> Result<Option<DataKey>> {
        let damaged = "the sealed data key is damaged: take the last good file from git";
        let armor = ArmoredReader::new(sealed.as_bytes());
        let decryptor = age::Decryptor::new(armor).ok().context(damaged)?;
        let identities = self.0.iter().map(|key| key as &dyn age::Identity);
        match decryptor.decrypt(identities) {
            Ok(reader) => {
                let mut key = Zeroizing::new(Vec::with_capacity(64));
                reader
                    .take(64)
                    .read_to_end(&mut key)
                    .ok()
                    .context(damaged)?;
                DataKey::from_bytes(&key).map(Some)
            }
            Err(age::DecryptError::NoMatchingKeys) => Ok(None),
            Err(_) => bail!(damaged),
        }
    }
}

impl fmt::Debug for Identities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} age keys", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_files_are_read_and_wrong_ones_named_without_their_content() {
        let key = Identities::generate();
        let text = key.text();
        let file = format!("# created: today\n\n  {}\r\n", text.trim());
        let read = Identities::parse(file.as_bytes()).unwrap();
        assert_eq!(read.recipients(), key.recipients());
        assert_eq!(format!("{read:?}"), "1 age keys");
        for (wrong, part) in [
            ("# nothing\n".to_owned(), "no key in it"),
            (format!("x\n{}", &text[..40]), "line 1 is no age key"),
            (text[..60].to_owned(), "line 1 is no age key"),
            ("AGE-PLUGIN-YUBIKEY-1QQQ".to_owned(), "in a device"),
            ("age-encryption.org/v1\n".to_owned(), "itself encrypted"),
        ] {
            let error = format!("{:#}", Identities::parse(wrong.as_bytes()).unwrap_err());
            assert!(error.contains(part), "{error}");
            assert!(!error.contains(&text[20..40]), "{error}");
        }
    }

    #[test]
    fn a_private_key_as_a_recipient_is_not_shown() {
        let text = Identities::generate().text();
        let error = text.parse::<Recipient>().unwrap_err().to_string();
        assert!(
            error.contains("PRIVATE") && !error.contains(&text[20..40]),
            "{error}"
        );
    }

    #[test]
    fn only_whom_it_is_sealed_for_opens_it() {
        let (ours, theirs) = (Identities::generate(), Identities::generate());
        let key = DataKey::random().unwrap();
        let sealed = ours.recipients()[0].seal(&key).unwrap();
        assert!(theirs.open(&sealed).unwrap().is_none());
        assert_eq!(ours.open(&sealed).unwrap().unwrap().bytes(), key.bytes());
        assert!(ours.open(&sealed[..sealed.len() / 2]).is_err());
        assert!(ours.open("").is_err());
    }
}
