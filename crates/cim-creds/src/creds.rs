//! `.creds` files: a user's JWT and seed in one text. Read as leniently as nats-server reads them
//! and not more, written byte for byte as nsc does.
//!
//! Upstream: nats-io/jwt v2.8.2, `creds_utils.go`; nats-server 2.15, `leafnode.go` (`credsRe`).

use std::fmt;

use nkeys::KeyPair;
use zeroize::Zeroizing;

use crate::blocks::{Blocks, is_body};
use crate::body::user::User;
use crate::decode::{DecodeError, Token, decode};
use crate::key::{self, KeyError, KeyKind};

/// A user's JWT with the key that it is about. `Debug` shows no seed.
pub struct Creds {
    jwt: String,
    token: Token<User>,
    key: KeyPair,
}

/// Why a text is no `.creds` file. Never shows any of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredsError {
    /// Nothing between dashed lines.
    #[error("this is no .creds file: it has no JWT between two lines of dashes; write it anew")]
    NoJwt,
    /// A JWT, and no seed after it.
    #[error("the .creds file has no seed after its JWT: the file was cut; write it anew")]
    NoSeed,
    /// The JWT is not that of a user, or was changed.
    #[error("the JWT in the .creds file: {0}")]
    Jwt(#[from] DecodeError),
    /// The seed is not that of a user, or was changed.
    #[error("the seed in the .creds file: {0}")]
    Seed(#[from] KeyError),
    /// The two do not belong together.
    #[error(
        "the seed in the .creds file is not that of the JWT's sub {sub}: take both from one user"
    )]
    Mismatch {
        /// Public key that the JWT is about.
        sub: String,
    },
}

impl Creds {
    /// Joins a user's JWT with its key.
    ///
    /// # Errors
    /// A text that is no user JWT, or a key that is not its subject's.
    pub fn new(jwt: impl Into<String>, key: KeyPair) -> Result<Self, CredsError> {
        let jwt = jwt.into();
        let token = decode::<User>(&jwt)?;
        key::seed(&key)?;
        let sub = &token.claims.data.sub;
        if key.public_key() != *sub {
            return Err(CredsError::Mismatch { sub: sub.clone() });
        }
        Ok(Self { jwt, token, key })
    }

    /// Reads a `.creds` file: three dashes or more, either line ending, text around the blocks
    /// and a missing last line ending are no matter.
    ///
    /// # Errors
    /// What nats-server would refuse, and a seed that is not the JWT's.
    pub fn parse(contents: &[u8]) -> Result<Self, CredsError> {
        let mut blocks = Blocks(contents);
        let jwt = blocks.next().ok_or(CredsError::NoJwt)?;
        let seed = blocks.next().ok_or(CredsError::NoSeed)?;
        let key = key::key_pair(seed, KeyKind::User);
        // The JWT first: where both are wrong, the text is something else altogether.
        decode::<User>(jwt)?;
        Self::new(jwt, key?)
    }

    /// The JWT.
    pub fn jwt(&self) -> &str {
        &self.jwt
    }

    /// What the JWT says.
    pub fn token(&self) -> &Token<User> {
        &self.token
    }

    /// The user's key: it signs the nonce that a server sends.
    pub fn key(&self) -> &KeyPair {
        &self.key
    }

    /// The file's text, as nsc writes it. It is a secret; the copy is wiped when dropped.
    ///
    /// # Errors
    /// None in practice: a `Creds` always has its seed.
    pub fn text(&self) -> Result<Zeroizing<String>, KeyError> {
        let seed = key::seed(&self.key)?;
        let parts = [BEGIN, &self.jwt, MIDDLE, &seed, END];
        // Made whole at once: text that grows leaves copies of the seed behind.
        let size = parts.iter().map(|part| part.len()).sum();
        let mut text = Zeroizing::new(String::with_capacity(size));
        parts.into_iter().for_each(|part| text.push_str(part));
        Ok(text)
    }
}

const BEGIN: &str = "-----BEGIN NATS USER JWT-----
";
const MIDDLE: &str = "
------END NATS USER JWT------

************************* IMPORTANT *************************
NKEY Seed printed below can be used to sign and prove identity.
NKEYs are sensitive and should be treated as secrets.

-----BEGIN USER NKEY SEED-----
";
const END: &str = "
------END USER NKEY SEED------

*************************************************************
";

impl fmt::Debug for Creds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Creds")
            .field("sub", &self.token.claims.data.sub)
            .field("name", &self.token.claims.data.name)
            .finish_non_exhaustive()
    }
}

/// The JWT in a file that may be decorated (`-----BEGIN NATS ACCOUNT JWT-----`) or hold the token
/// alone, as nats-server reads its `operator` file.
///
/// # Errors
/// A text with other bytes than a token's.
pub fn jwt_in(contents: &[u8]) -> Result<&str, CredsError> {
    if let Some(jwt) = Blocks(contents).next() {
        return Ok(jwt);
    }
    let alone = std::str::from_utf8(contents).map_err(|_| CredsError::NoJwt)?;
    Some(alone.trim())
        .filter(|text| !text.is_empty() && text.bytes().all(is_body))
        .ok_or(CredsError::NoJwt)
}

#[cfg(test)]
mod tests {
    use nkeys::KeyPairType;
    use proptest::prelude::*;

    use super::*;
    use crate::claims::Claims;

    fn user(raw: u8) -> KeyPair {
        KeyPair::new_from_raw(KeyPairType::User, [raw; 32]).unwrap()
    }

    fn creds() -> Creds {
        let account = KeyPair::new_from_raw(KeyPairType::Account, [3; 32]).unwrap();
        let claims = Claims::new(user(7).public_key(), User::default()).named("leaf-1");
        Creds::new(claims.encode(&account, 1).unwrap(), user(7)).unwrap()
    }

    #[test]
    fn what_is_written_is_read() {
        let text = creds().text().unwrap();
        let read = Creds::parse(text.as_bytes()).unwrap();
        assert_eq!(read.token(), creds().token());
        assert_eq!(*read.text().unwrap(), *text);
        assert_eq!(jwt_in(text.as_bytes()), Ok(read.jwt()));
    }

    #[test]
    fn other_dashes_line_endings_and_text_are_no_matter() {
        let (jwt, seed) = (creds().jwt().to_owned(), user(7).seed().unwrap());
        for text in [
            creds().text().unwrap().replace('\n', "\r\n"),
            creds().text().unwrap().replace("-----BEGIN", "---BEGIN"),
            format!("hello\n---A---\n{jwt}\n---B---\n\u{e9}\n---C---\n{seed}\n---D---"),
            format!("x ------\n{jwt}\n------\n------\n{seed}\n------\r\n"),
        ] {
            assert!(Creds::parse(text.as_bytes()).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_bare_token_is_a_jwt_too() {
        assert_eq!(jwt_in(b" eyJ.a-_.b=\n"), Ok("eyJ.a-_.b="));
        assert_eq!(jwt_in(b"eyJ a"), Err(CredsError::NoJwt));
        assert_eq!(jwt_in(b"\n"), Err(CredsError::NoJwt));
    }

    #[test]
    fn what_is_wrong_is_named_and_never_shown() {
        let (jwt, seed) = (creds().jwt().to_owned(), user(7).seed().unwrap());
        let account = KeyPair::new_from_raw(KeyPairType::Account, [3; 32]).unwrap();
        let block = |body: &str| format!("---A---\n{body}\n---B---\n");
        let cases = [
            (String::new(), "no .creds file"),
            (seed.clone(), "no .creds file"),
            (block(&jwt), "has no seed"),
            (block(&seed) + &block(&jwt), "the JWT in the .creds file"),
            (
                block(&jwt) + &block(&seed[1..]),
                "this is no seed of a user",
            ),
            (
                block(&jwt) + &block(&account.seed().unwrap()),
                "seed of an account",
            ),
            (
                block(&jwt) + &block(&user(8).seed().unwrap()),
                "is not that of the JWT's sub U",
            ),
        ];
        for (text, part) in cases {
            let error = Creds::parse(text.as_bytes()).unwrap_err();
            assert!(error.to_string().contains(part), "{error}");
            assert!(
                !format!("{error}{error:?}").contains(&seed[..20]),
                "{error}"
            );
        }
        let shown = format!("{:?}", creds());
        assert!(shown.contains("leaf-1") && !shown.contains(&seed) && !shown.contains(&jwt));
    }

    #[test]
    fn a_public_key_is_no_credential() {
        let public = KeyPair::from_public_key(&user(7).public_key()).unwrap();
        let error = Creds::new(creds().jwt(), public).unwrap_err();
        assert_eq!(error, CredsError::Seed(KeyError::NoSeed));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let _ = (Creds::parse(&bytes), jwt_in(&bytes));
        }

        #[test]
        fn a_changed_or_cut_file_is_refused_or_still_the_same(
            at in any::<prop::sample::Index>(), byte: u8, cut: bool
        ) {
            let whole = creds().text().unwrap();
            let mut bytes = whole.as_bytes().to_vec();
            let at = at.index(bytes.len());
            if cut { bytes.truncate(at) } else { bytes[at] = byte }
            if let Ok(read) = Creds::parse(&bytes) {
                prop_assert_eq!(&*read.text().unwrap(), &*whole);
            }
        }
    }
}
