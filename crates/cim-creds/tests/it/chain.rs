//! The chain of issuers, on claims alone; `logins.rs` holds the same against a real server.

use cim_creds::body::permissions::UserPermissionLimits;
use cim_creds::body::share::ExportType;
use cim_creds::body::signing_keys::UserScope;
use cim_creds::{Account, Activation, Chain, ChainError, Claims, KeyPair, Operator, User, decode};

use crate::keys::{account, account_with, operator, strict_operator, user};

const NOW: i64 = 1_000;

fn root(claims: &Claims<Operator>) -> Claims<Operator> {
    let token = claims.encode(&operator(1), NOW).unwrap();
    decode(&token).unwrap().claims
}

fn under(key: &KeyPair, nats: Account) -> Claims<Account> {
    let token = Claims::new(account(3).public_key(), nats).encode(key, NOW);
    decode(&token.unwrap()).unwrap().claims
}

fn signed(key: &KeyPair, nats: User) -> Claims<User> {
    let token = Claims::new(user(7).public_key(), nats).encode(key, NOW);
    decode(&token.unwrap()).unwrap().claims
}

fn lenient() -> Claims<Operator> {
    root(&Claims::new(operator(1).public_key(), Operator::default()))
}

#[test]
fn an_account_hangs_on_its_operator() {
    let strict = root(&strict_operator());
    let by_signing_key = under(&operator(2), Account::default());
    let by_identity = under(&operator(1), Account::default());
    assert!(Chain::new(&strict, &by_signing_key).is_ok());
    assert!(matches!(
        Chain::new(&strict, &by_identity),
        Err(ChainError::Strict { .. })
    ));
    assert!(Chain::new(&lenient(), &by_identity).is_ok());
    assert!(matches!(
        Chain::new(&lenient(), &by_signing_key),
        Err(ChainError::AccountIssuer { .. })
    ));
    let mut forged = strict.clone();
    forged.data.iss = operator(2).public_key();
    assert!(matches!(
        Chain::new(&forged, &by_signing_key),
        Err(ChainError::OperatorIssuer { .. })
    ));
}

#[test]
fn a_user_hangs_on_its_account() {
    let (strict, key, name) = (
        root(&strict_operator()),
        account(4),
        account(3).public_key(),
    );
    let holder = under(&operator(2), account_with(&[&key]));
    let chain = Chain::new(&strict, &holder).unwrap();
    let free = UserPermissionLimits::default;
    assert_eq!(chain.user(&signed(&key, User::of(&name, free()))), Ok(None));

    let other = account(6).public_key();
    let error = chain.user(&signed(&key, User::of(other, free())));
    assert!(matches!(error, Err(ChainError::WrongAccount { .. })));
    let error = chain.user(&signed(&account(6), User::of(&name, free())));
    assert!(matches!(error, Err(ChainError::Issuer { .. })));
    let by_identity = signed(&account(3), User::default());
    let error = chain.user(&by_identity);
    assert!(matches!(error, Err(ChainError::Strict { .. })));

    let lenient = lenient();
    let holder = under(&operator(1), Account::default());
    let chain = Chain::new(&lenient, &holder).unwrap();
    assert_eq!(chain.user(&by_identity), Ok(None));
}

#[test]
fn a_scope_says_what_its_users_may() {
    let (strict, key, name) = (
        root(&strict_operator()),
        account(5),
        account(3).public_key(),
    );
    let mut nats = Account::default();
    nats.limits.disallow_bearer = true;
    let mut scope = UserScope::new(key.public_key(), "leaf", UserPermissionLimits::default());
    nats.signing_keys.add_scoped(scope.clone());
    let holder = under(&operator(2), nats.clone());
    let chain = Chain::new(&strict, &holder).unwrap();
    let scoped = signed(&key, User::scoped(&name));
    assert_eq!(chain.user(&scoped).unwrap(), Some(&scope));
    let own = signed(&key, User::of(&name, UserPermissionLimits::default()));
    assert!(matches!(chain.user(&own), Err(ChainError::NotEmpty { .. })));

    scope.template.bearer_token = true;
    nats.signing_keys.add_scoped(scope);
    let holder = under(&operator(2), nats);
    let chain = Chain::new(&strict, &holder).unwrap();
    assert!(matches!(
        chain.user(&scoped),
        Err(ChainError::Bearer { .. })
    ));
}

#[test]
fn revoked_and_expired_are_told_with_whom() {
    let (strict, key) = (root(&strict_operator()), account(4));
    let mut nats = account_with(&[&key]);
    nats.revocations.revoke("*", NOW);
    let holder = under(&operator(2), nats);
    let chain = Chain::new(&strict, &holder).unwrap();
    let member = signed(
        &key,
        User::of(account(3).public_key(), UserPermissionLimits::default()),
    );
    let error = chain.user(&member).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "user {}, issued at 1000, is revoked by its account: issue it anew",
            user(7).public_key()
        )
    );

    let mut holder = under(&operator(2), account_with(&[&key]));
    holder.data.exp = NOW;
    let chain = Chain::new(&strict, &holder).unwrap();
    assert!(chain.user_at(&member, NOW, 0).is_ok());
    let error = chain.user_at(&member, NOW + 1, 0).unwrap_err().to_string();
    assert!(error.starts_with("account A"), "{error}");
    assert!(
        error.ends_with("expired at 1970-01-01T00:16:40Z, 1 s ago: issue it anew"),
        "{error}"
    );
}

#[test]
fn an_activation_is_for_one_account() {
    let (strict, key) = (root(&strict_operator()), account(4));
    let holder = under(&operator(2), account_with(&[&key]));
    let chain = Chain::new(&strict, &holder).unwrap();
    let importer = account(6).public_key();
    let issued = |key: &KeyPair, mut nats: Activation, named: bool| {
        if !named {
            nats.issuer_account.clear();
        }
        let token = Claims::new(&importer, nats).encode(key, NOW).unwrap();
        decode::<Activation>(&token).unwrap().claims
    };
    let nats = Activation::of(account(3).public_key(), ExportType::Service, "cfg.get");
    let good = issued(&key, nats.clone(), true);
    assert_eq!(chain.activation(&good, &importer), Ok(()));
    let error = chain.activation(&good, &account(8).public_key());
    assert!(matches!(error, Err(ChainError::Importer { .. })));
    let identity = issued(&account(3), nats.clone(), false);
    assert_eq!(chain.activation(&identity, &importer), Ok(()));
    let identity = issued(&account(3), nats, true);
    let error = chain.activation(&identity, &importer);
    assert!(matches!(error, Err(ChainError::Strict { .. })));
}
