//! What is no token is refused by name, and nothing panics.

use cim_creds::claims::Body;
use cim_creds::{Account, Claims, DecodeError, Operator, User, decode, decode_any};
use data_encoding::BASE64URL_NOPAD;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::keys::{account, operator, user};

const HEADER: &str = r#"{"typ":"JWT","alg":"ed25519-nkey"}"#;

/// A token of any header and payload, signed by `account(3)` whatever it says.
fn signed(header: &str, payload: &Value) -> String {
    let part = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
    let signed = format!("{}.{}", part(header), part(&payload.to_string()));
    let signature = account(3).sign(signed.as_bytes()).unwrap();
    format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature))
}

/// A user of `account(3)` with `change` merged into its payload; `null` removes.
fn changed(change: Value) -> String {
    let mut payload = json!({
        "iat": 1, "iss": account(3).public_key(), "sub": user(7).public_key(),
        "nats": {"pub": {}, "sub": {}, "subs": -1, "type": "user", "version": 2},
    });
    merge(&mut payload, change);
    signed(HEADER, &payload)
}

fn merge(into: &mut Value, change: Value) {
    match change {
        Value::Object(members) if into.is_object() => {
            for (name, member) in members {
                merge(&mut into[name.as_str()], member);
            }
        }
        other => *into = other,
    }
}

fn refused<T: Body + std::fmt::Debug>(token: &str) -> DecodeError {
    decode::<T>(token).unwrap_err()
}

#[test]
fn what_is_wrong_is_named() {
    let good = changed(json!({}));
    assert!(decode::<User>(&good).is_ok());
    let (head, signature) = good.rsplit_once('.').unwrap();
    let cases = [
        (format!("{good}.x"), DecodeError::Parts(4)),
        (head.to_owned(), DecodeError::Parts(2)),
        (format!("{head}.!"), DecodeError::Base64("signature")),
        (format!("x.{}", &good[49..]), DecodeError::Base64("header")),
        (
            format!("{head}.{}", &signature[4..]),
            DecodeError::Signature,
        ),
        (
            "a".repeat(1024 * 1024 + 1),
            DecodeError::TooLarge(1024 * 1024 + 1),
        ),
        (changed(json!({"type": "user"})), DecodeError::Version1),
        (
            changed(json!({"nats": {"version": null}})),
            DecodeError::Version1,
        ),
        (
            changed(json!({"nats": {"version": 3}})),
            DecodeError::NewerVersion(3),
        ),
        (
            changed(json!({"nats": {"type": "generic"}})),
            DecodeError::UnknownType,
        ),
        (
            changed(json!({"iss": account(4).public_key()})),
            DecodeError::Signature,
        ),
        (
            changed(json!({"iss": operator(3).public_key()})),
            DecodeError::Issuer(User::TYPE),
        ),
        (
            changed(json!({"iss": null})),
            DecodeError::Issuer(User::TYPE),
        ),
        (
            changed(json!({"sub": account(3).public_key()})),
            DecodeError::Subject {
                claim: User::TYPE,
                wanted: cim_creds::KeyKind::User,
            },
        ),
        (
            changed(json!({"nats": {"subs": "many"}})),
            DecodeError::Fields(User::TYPE),
        ),
        (
            changed(json!({"exp": 1.5})),
            DecodeError::Fields(User::TYPE),
        ),
    ];
    for (token, expected) in cases {
        assert_eq!(refused::<User>(&token), expected);
    }
}

#[test]
fn the_header_must_be_natss() {
    let payload = json!({"nats": {"type": "user", "version": 2}});
    for (header, expected) in [
        (r#"{"typ":"JWT","alg":"ed25519"}"#, DecodeError::Version1),
        (r#"{"typ":"JWT","alg":"none"}"#, DecodeError::Header),
        (r#"{"typ":"JWT","alg":"HS256"}"#, DecodeError::Header),
        (
            r#"{"typ":"JOSE","alg":"ed25519-nkey"}"#,
            DecodeError::Header,
        ),
        (r#"{"typ":"JWT"}"#, DecodeError::Json("header")),
        ("", DecodeError::Json("header")),
    ] {
        assert_eq!(refused::<User>(&signed(header, &payload)), expected);
    }
}

#[test]
fn another_type_is_named() {
    let error = refused::<Account>(&changed(json!({})));
    assert_eq!(
        error.to_string(),
        "this is a JWT of type user, where one of type account is needed"
    );
}

#[test]
fn fields_of_a_newer_nats_are_told_and_not_dropped_in_silence() {
    let token = changed(json!({"new": 1, "nats": {"resp": {"max": 1, "x": [1]}, "empty": {}}}));
    let token = decode::<User>(&token).unwrap();
    assert_eq!(token.unknown, ["nats.resp.x", "new"]);
    assert_eq!(
        token.whole().unwrap_err().to_string(),
        "the JWT has fields that this program does not know and would drop: nats.resp.x, new; \
         use a newer program"
    );
}

#[test]
fn null_is_absent_as_in_go() {
    let token = changed(json!({"nats": {"resp": null, "src": null, "subs": null}}));
    let token = decode::<User>(&token).unwrap();
    assert!(token.unknown.is_empty());
    assert!(token.claims.nats.limits.is_empty());
}

#[test]
fn deep_json_is_refused() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let part = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
    let token = format!("{}.{}.x", part(HEADER), part(&deep));
    assert_eq!(decode_any(&token), Err(DecodeError::Json("payload")));
}

/// Tokens of three kinds, all with many fields.
fn real() -> [&'static str; 3] {
    [
        include_str!("../go/tokens/account-full.jwt"),
        include_str!("../go/tokens/user-full.jwt"),
        include_str!("../go/tokens/authorization-request-full.jwt"),
    ]
    .map(str::trim)
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::btree_map("[a-z_]{1,6}", inner, 0..3)
                .prop_map(|members| members.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC*", dots in "[a-zA-Z0-9_.-]*") {
        prop_assert!(decode_any(&text).is_err());
        prop_assert!(decode_any(&dots).is_err());
    }

    #[test]
    fn a_changed_or_cut_token_is_refused(
        which in 0usize..3, at in any::<prop::sample::Index>(), byte in " -~", cut: bool
    ) {
        let mut token = real()[which].to_owned();
        let at = at.index(token.len());
        if cut { token.truncate(at) } else { token.replace_range(at..=at, &byte) }
        prop_assert!(token == real()[which] || decode_any(&token).is_err());
    }

    #[test]
    fn any_signed_json_is_read_or_refused(value in json_value(), field in 0usize..12) {
        const FIELDS: [&str; 12] = [
            "imports", "exports", "limits", "signing_keys", "revocations", "mappings",
            "default_permissions", "authorization", "trace", "cluster_traffic", "tags", "new",
        ];
        let change = json!({
            "iss": account(3).public_key(), "sub": account(3).public_key(),
            "nats": {"type": "account", FIELDS[field]: value},
        });
        let token = changed(change);
        if let Ok(token) = decode::<Account>(&token) {
            // What was read can be written and read again.
            let text = token.claims.json().unwrap();
            let again: Claims<Account> = serde_json::from_slice(&text).unwrap();
            prop_assert_eq!(again, token.claims);
        }
        let _ = decode::<Operator>(&token);
    }
}
