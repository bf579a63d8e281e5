//! Tokens that Go made: read without loss, and made again byte for byte.

use std::fs;
use std::path::{Path, PathBuf};

use cim_creds::claims::Body;
use cim_creds::{Account, AnyToken, Creds, DecodeError, Token, decode, decode_any};
use nkeys::KeyPairType;
use sha2::{Digest, Sha256};

use crate::keys::{account, operator, pair, user};

/// Tokens in a folder of `tests/go`, by file name.
fn tokens(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/go")
        .join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "jwt"))
        .collect();
    files.sort();
    let read = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        (name, fs::read_to_string(path).unwrap().trim().to_owned())
    };
    files.into_iter().map(read).collect()
}

/// The same token, signed anew at the same time by the key that it names.
fn again<T: Body>(token: Token<T>) -> String {
    let claims = token.whole().unwrap();
    let key = [operator(1), operator(2), account(3), account(4), account(5)]
        .into_iter()
        .chain([account(6), pair(KeyPairType::Server, 8)])
        .find(|key| key.public_key() == claims.data.iss)
        .expect("a key of main.go");
    claims.encode(&key, claims.data.iat).unwrap()
}

fn any_again(token: AnyToken) -> String {
    match token {
        AnyToken::Operator(token) => again(*token),
        AnyToken::Account(token) => again(*token),
        AnyToken::User(token) => again(*token),
        AnyToken::Activation(token) => again(*token),
        AnyToken::AuthorizationRequest(token) => again(*token),
        AnyToken::AuthorizationResponse(token) => again(*token),
    }
}

#[test]
fn every_kind_with_every_field_is_made_byte_for_byte() {
    let tokens = tokens("tokens");
    assert_eq!(tokens.len(), 14);
    for (name, token) in tokens {
        assert_eq!(any_again(decode_any(&token).unwrap()), token, "{name}");
    }
}

#[test]
fn lists_in_any_order_make_the_same_token() {
    let token = include_str!("../go/tokens/account-full.jwt").trim();
    let mut claims = decode::<Account>(token).unwrap().whole().unwrap();
    claims.nats.exports.reverse();
    claims.nats.imports.reverse();
    let again = claims.encode(&operator(2), claims.data.iat).unwrap();
    assert_eq!(again, token);
}

#[test]
fn creds_are_written_byte_for_byte() {
    let jwt = include_str!("../go/tokens/user-least.jwt").trim();
    let text = Creds::new(jwt, user(7)).unwrap().text().unwrap();
    let digest = data_encoding::HEXLOWER.encode(&Sha256::digest(text.as_bytes()));
    let expected = include_str!("../go/tokens/user-least.creds.sha256");
    assert_eq!(digest, expected.trim());
}

/// What a token says and what we write of it, without what came after it was made.
fn same_text<T: Body>(token: Token<T>, payload: &str) -> Result<(), DecodeError> {
    let claims = token.whole()?;
    assert_eq!(claims.data.digest().unwrap(), claims.data.jti);
    let text = String::from_utf8(claims.json().unwrap()).unwrap();
    assert_eq!(text.replace(r#""authorization":{},"#, ""), payload);
    Ok(())
}

#[test]
fn old_tokens_of_nats_io_are_read_or_named_as_version_1() {
    let (mut read, mut refused) = (0, 0);
    for (name, token) in tokens("upstream") {
        let payload = token.split('.').nth(1).unwrap();
        let payload = data_encoding::BASE64URL_NOPAD.decode(payload.as_bytes());
        let payload = String::from_utf8(payload.unwrap()).unwrap();
        match decode_any(&token) {
            Ok(AnyToken::Operator(token)) => same_text(*token, &payload).unwrap(),
            Ok(AnyToken::Account(token)) => same_text(*token, &payload).unwrap(),
            Ok(AnyToken::User(token)) => same_text(*token, &payload).unwrap(),
            Err(DecodeError::Version1) if name.starts_with("v1") => {
                refused += 1;
                continue;
            }
            other => panic!("{name}: {other:?}"),
        }
        assert!(name.starts_with("v2"), "{name}");
        read += 1;
    }
    assert_eq!((read, refused), (7, 8));
}
