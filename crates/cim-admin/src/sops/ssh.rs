//! ssh host keys as age keys, by the same sums as ssh-to-age and sops-nix.

use anyhow::{Context, Result, ensure};
use bech32::{ToBase32, Variant};
use curve25519_dalek::edwards::CompressedEdwardsY;
use data_encoding::BASE64;
use sha2::{Digest, Sha512};
use zeroize::Zeroizing;

const KIND: &[u8] = b"ssh-ed25519";

/// First line of a private key.
pub const PRIVATE: &str = "-----BEGIN OPENSSH PRIVATE KEY-----";

/// The age recipient for a line of `ssh_host_ed25519_key.pub`.
///
/// # Errors
/// Keys of other kinds, and damaged ones.
pub fn recipient(line: &str) -> Result<String> {
    let mut words = line.split_whitespace();
    let kind = words.next().unwrap_or_default();
    ensure!(
        kind.as_bytes() == KIND,
        "this is no ssh-ed25519 public key: take the host's /etc/ssh/ssh_host_ed25519_key.pub"
    );
    let blob = words
        .next()
        .and_then(|word| BASE64.decode(word.as_bytes()).ok());
    let point = blob.as_deref().and_then(|blob| {
        let mut fields = Fields(blob);
        (fields.next()? == KIND).then_some(())?;
        let key: [u8; 32] = fields.next()?.try_into().ok()?;
        fields.0.is_empty().then_some(())?;
        CompressedEdwardsY(key).decompress()
    });
    let point = point.context("this ssh-ed25519 public key is damaged: copy it again, whole")?;
    encode("age", point.to_montgomery().as_bytes())
}

/// The age identity of an ssh host's private key.
///
/// # Errors
/// Keys of other kinds, with a passphrase, and damaged ones.
pub fn identity(pem: &str) -> Result<Zeroizing<String>> {
    let body: Zeroizing<String> = Zeroizing::new(
        pem.lines()
            .map(str::trim)
            .filter(|line| !line.starts_with("-----"))
            .collect(),
    );
    let blob = BASE64.decode(body.as_bytes()).map(Zeroizing::new);
    let blob = blob.ok().context(DAMAGED)?;
    let mut fields = Fields(blob.strip_prefix(b"openssh-key-v1\0").context(DAMAGED)?);
    let cipher = fields.next().context(DAMAGED)?;
    ensure!(
        cipher == b"none",
        "this ssh key has a passphrase: host keys have none"
    );
    let seed = seed(&mut fields).context(DAMAGED)?;
    let seed = seed.context("this is no ssh-ed25519 key: take the host's ssh_host_ed25519_key")?;
    let mut hash: Zeroizing<[u8; 64]> = Zeroizing::new(Sha512::digest(&seed[..]).into());
    hash[0] &= 248;
    hash[31] = (hash[31] & 127) | 64;
    let lower = Zeroizing::new(encode("age-secret-key-", &hash[..32])?);
    Ok(Zeroizing::new(lower.to_uppercase()))
}

const DAMAGED: &str = "this ssh private key is damaged: copy it again, whole";

/// What follows the cipher's name; `Some(None)` for another kind of key.
fn seed(fields: &mut Fields<'_>) -> Option<Option<Zeroizing<[u8; 32]>>> {
    let (_kdf, _options) = (fields.next()?, fields.next()?);
    let (count, rest) = fields.0.split_at_checked(4)?;
    (count == [0, 0, 0, 1]).then_some(())?;
    fields.0 = rest;
    let _public = fields.next()?;
    let (checks, private) = fields.next()?.split_at_checked(8)?;
    (checks[..4] == checks[4..]).then_some(())?;
    let mut private = Fields(private);
    if private.next()? != KIND {
        return Some(None);
    }
    let _public = private.next()?;
    let pair: &[u8; 64] = private.next()?.try_into().ok()?;
    let mut seed = Zeroizing::new([0; 32]);
    seed.copy_from_slice(&pair[..32]);
    Some(Some(seed))
}

/// Fields with their length before them.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn next(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.0.split_at_checked(4)?;
        let length = u32::from_be_bytes(length.try_into().ok()?);
        let (field, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
        self.0 = rest;
        Some(field)
    }
}

fn encode(prefix: &str, key: &[u8]) -> Result<String> {
    bech32::encode(prefix, key.to_base32(), Variant::Bech32).context("writing an age key")
}

#[cfg(test)]
mod tests {
    use super::*;

    // Public halves are no secrets; this pair of lines is from `ssh-keygen` and `ssh-to-age`.
    const PUBLIC: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl host";

    #[test]
    fn a_public_key_has_its_recipient() {
        let found = recipient(PUBLIC).unwrap();
        assert!(found.starts_with("age1") && found.len() == 62, "{found}");
        assert!(found.parse::<age::x25519::Recipient>().is_ok());
    }

    #[test]
    fn other_and_damaged_keys_are_refused() {
        for (line, part) in [
            ("", "no ssh-ed25519"),
            ("ssh-rsa AAAA", "no ssh-ed25519"),
            ("ssh-ed25519", "damaged"),
            (&PUBLIC[..60], "damaged"),
            (&PUBLIC.replace("OMqq", "////"), ""),
        ] {
            match recipient(line) {
                Err(error) => assert!(error.to_string().contains(part), "{error}"),
                Ok(_) => assert_eq!(part, "", "{line}"),
            }
        }
        assert!(identity(PRIVATE).is_err());
        assert!(identity("").is_err());
    }
}
