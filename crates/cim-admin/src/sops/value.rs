//! One sealed value: `ENC[AES256_GCM,data:…,iv:…,tag:…,type:str]`, and the MAC over all of them.

use aes_gcm::aead::generic_array::{GenericArray, typenum::U32};
use aes_gcm::aead::rand_core::RngCore;
use aes_gcm::aead::{Aead, OsRng, Payload};
use aes_gcm::aes::Aes256;
use aes_gcm::{Aes256Gcm, AesGcm, KeyInit};
use anyhow::{Context, Result, anyhow, bail, ensure};
use data_encoding::{BASE64, HEXUPPER};
use sha2::{Digest, Sha512};
use zeroize::Zeroizing;

use super::LAST_GOOD;

/// sops' nonces have 32 bytes.
type Cipher = AesGcm<Aes256, U32>;

const TAG: usize = 16;

/// The key that a file's values are sealed with.
pub struct DataKey(Zeroizing<[u8; 32]>);

impl DataKey {
    /// A new one.
    ///
    /// # Errors
    /// A system without randomness.
    pub fn random() -> Result<Self> {
        let mut key = Zeroizing::new([0; 32]);
        random(key.as_mut_slice())?;
        Ok(Self(key))
    }

    /// One that was sealed for us.
    ///
    /// # Errors
    /// Another length than 32 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let key = bytes
            .try_into()
            .map_err(|_| anyhow!("the file's data key has {} bytes, not 32", bytes.len()))?;
        Ok(Self(Zeroizing::new(key)))
    }

    /// Its bytes, for sealing them.
    pub fn bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// Seals a value; `aad` binds it to its place. Nothing stays nothing, as with sops.
    ///
    /// # Errors
    /// A system without randomness.
    pub fn seal(&self, plain: &[u8], aad: &str) -> Result<String> {
        if plain.is_empty() {
            return Ok(String::new());
        }
        let mut iv = [0; 32];
        random(&mut iv)?;
        let payload = Payload {
            msg: plain,
            aad: aad.as_bytes(),
        };
        let sealed = Cipher::new(self.bytes().into())
            .encrypt(GenericArray::from_slice(&iv), payload)
            .map_err(|_| anyhow!("the value is too long to be sealed"))?;
        let (data, tag) = sealed.split_at(sealed.len().saturating_sub(TAG));
        Ok(format!(
            "ENC[AES256_GCM,data:{},iv:{},tag:{},type:str]",
            BASE64.encode(data),
            BASE64.encode(&iv),
            BASE64.encode(tag)
        ))
    }

    /// Opens a value.
    ///
    /// # Errors
    /// A value that was changed, moved, or is no text.
    pub fn open(&self, sealed: &str, aad: &str) -> Result<Zeroizing<Vec<u8>>> {
        if sealed.is_empty() {
            return Ok(Zeroizing::default());
        }
        let (parts, kind) = split(sealed)
            .context("is not sealed: somebody edited the file; take the last good one from git")?;
        if kind != "str" {
            bail!("is sealed as {kind:?}, not as a text: write it in quotes and seal it again");
        }
        let [mut data, iv, tag] = parts;
        data.extend_from_slice(&tag);
        let payload = Payload {
            msg: &data,
            aad: aad.as_bytes(),
        };
        let plain = match iv.len() {
            32 => Cipher::new(self.bytes().into()).decrypt(GenericArray::from_slice(&iv), payload),
            12 => {
                Aes256Gcm::new(self.bytes().into()).decrypt(GenericArray::from_slice(&iv), payload)
            }
            _ => Err(aes_gcm::Error),
        };
        plain
            .map(Zeroizing::new)
            .map_err(|_| anyhow!("was changed or moved since it was sealed: {LAST_GOOD}"))
    }
}

/// What sops binds a value to its place with.
pub fn aad(path: &[String]) -> String {
    let mut aad = path.join(":");
    aad.push(':');
    aad
}

/// Whether a text looks sealed.
pub fn is_sealed(text: &str) -> bool {
    split(text).is_some()
}

fn split(sealed: &str) -> Option<([Vec<u8>; 3], &str)> {
    let mut rest = sealed.strip_prefix("ENC[AES256_GCM,")?.strip_suffix(']')?;
    let mut parts = [Vec::new(), Vec::new(), Vec::new()];
    for (part, name) in parts.iter_mut().zip(["data:", "iv:", "tag:"]) {
        let (value, after) = rest.strip_prefix(name)?.split_once(',')?;
        *part = BASE64.decode(value.as_bytes()).ok()?;
        rest = after;
    }
    (parts[2].len() == TAG).then_some(())?;
    Some((parts, rest.strip_prefix("type:")?))
}

/// The MAC of a file: over every plain value in its order.
pub struct Mac(Sha512);

/// What sops begins with where only sealed values count.
const ONLY_SEALED: [u8; 32] = [
    0x8a, 0x3f, 0xd2, 0xad, 0x54, 0xce, 0x66, 0x52, 0x7b, 0x10, 0x34, 0xf3, 0xd1, 0x47, 0xbe, 0x0b,
    0x0b, 0x97, 0x5b, 0x3b, 0xf4, 0x4f, 0x72, 0xc6, 0xfd, 0xad, 0xec, 0x81, 0x76, 0xf2, 0x7d, 0x69,
];

impl Mac {
    /// Begins; `only_sealed` as the file's metadata say.
    pub fn new(only_sealed: bool) -> Self {
        let mut hash = Sha512::new();
        if only_sealed {
            hash.update(ONLY_SEALED);
        }
        Self(hash)
    }

    /// Takes in the next value.
    pub fn add(&mut self, plain: &[u8]) {
        self.0.update(plain);
    }

    /// As it is written, before it is sealed.
    pub fn finish(self) -> String {
        HEXUPPER.encode(&self.0.finalize())
    }

    /// Compares with what the file has.
    ///
    /// # Errors
    /// Another one: something was changed.
    pub fn verify(self, found: &[u8]) -> Result<()> {
        ensure!(
            self.finish().as_bytes() == found,
            "MAC mismatch: somebody changed the file without sops; {LAST_GOOD}"
        );
        Ok(())
    }
}

/// Fills `bytes` from the system's source.
///
/// # Errors
/// A system without randomness.
pub fn random(bytes: &mut [u8]) -> Result<()> {
    OsRng
        .try_fill_bytes(bytes)
        .map_err(|error| anyhow!("asking the system for random bytes: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_opens_only_where_it_was_sealed() {
        let key = DataKey::random().unwrap();
        let sealed = key.seal(b"secret\0\xff", "a:b:").unwrap();
        assert!(is_sealed(&sealed));
        assert_eq!(**key.open(&sealed, "a:b:").unwrap(), *b"secret\0\xff");
        assert!(key.open(&sealed, "a:c:").is_err());
        assert!(DataKey::random().unwrap().open(&sealed, "a:b:").is_err());
        assert_eq!(key.seal(b"", "a:").unwrap(), "");
    }

    #[test]
    fn what_is_not_sealed_is_told_from_what_was_changed() {
        let key = DataKey::random().unwrap();
        let sealed = key.seal(b"secret", "a:").unwrap();
        let message = |text: &str| key.open(text, "a:").unwrap_err().to_string();
        assert!(message("plain").contains("is not sealed"));
        assert!(message(&sealed.replace("type:str", "type:int")).contains("\"int\""));
        assert!(message(&sealed.replace("data:", "data:AAAA")).contains("was changed"));
        for cut in 0..sealed.len() {
            assert_eq!(key.open(&sealed[..cut], "a:").is_ok(), cut == 0);
        }
    }
}
