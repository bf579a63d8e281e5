//! Who is let in and who is not: the server's verdict and ours, side by side.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use async_nats::jetstream::{self, stream};
use cim_creds::body::limits::JetStreamLimits;
use cim_creds::body::permissions::{Permission, UserPermissionLimits};
use cim_creds::body::signing_keys::UserScope;
use cim_creds::{
    Account, Chain, ChainError, Claims, Creds, CredsError, DecodeError, KeyPair, TimeError, User,
    decode,
};
use cim_testkit::until;
use futures_util::StreamExt;
use tokio::time::timeout;

use crate::keys::{account, account_with, operator, strict_operator, user};
use crate::server::{creds, issue, now, start, subscribe, system};

/// Signing keys of `HUB`, which is `account(3)`.
const PLAIN: u8 = 4;
const SCOPED: u8 = 5;
/// Revoked in `HUB`.
const REVOKED: u8 = 40;

fn hub() -> Account {
    let mut template = UserPermissionLimits::default();
    template.permissions.publish.allow = vec!["leaf.{{name()}}.>".to_owned()];
    template.permissions.subscribe.allow = vec!["_INBOX.>".to_owned()];
    let mut nats = account_with(&[&account(PLAIN)]);
    nats.signing_keys.add_scoped(UserScope::new(
        account(SCOPED).public_key(),
        "leaf",
        template,
    ));
    let tier = JetStreamLimits {
        disk_storage: 1 << 20,
        streams: 1,
        ..JetStreamLimits::default()
    };
    nats.limits.tiered_limits.insert("R1".to_owned(), tier);
    nats.limits.disallow_bearer = true;
    nats.revocations
        .revoke(user(REVOKED).public_key(), now() + 60);
    nats
}

#[tokio::test]
async fn those_who_may_are_let_in_and_may_what_they_may() -> Result<()> {
    let server = start(vec![issue(&account(3), "HUB", hub())?])?;

    let (sys, sys_key) = system();
    let client = server
        .connect(&creds(&sys, &sys_key, "sys", false)?)
        .await?;
    let pong = client.request("$SYS.REQ.SERVER.PING", "".into()).await?;
    ensure!(!pong.payload.is_empty());

    let text = creds(&account(3), &account(PLAIN), "admin", false)?;
    let context = jetstream::new(server.connect(&text).await?);
    let config = |name: &str| stream::Config {
        name: name.to_owned(),
        max_bytes: 1024,
        ..stream::Config::default()
    };
    context.create_stream(config("A")).await?;
    let error = context.create_stream(config("B")).await.err();
    let error = error.context("the tier has one stream")?.to_string();
    ensure!(error.contains("maximum number of streams"), "{error}");

    let text = creds(&account(3), &account(SCOPED), "device-0001", true)?;
    let client = server.connect(&text).await?;
    let mut seen = subscribe(&context.client(), "leaf.>").await?;
    client.publish("leaf.device-0002.x", "no".into()).await?;
    client.publish("leaf.device-0001.x", "yes".into()).await?;
    let first = timeout(Duration::from_secs(10), seen.next()).await?;
    ensure!(first.context("a message")?.subject.as_str() == "leaf.device-0001.x");
    let violation = "Publish Violation";
    until("the server logs the violation", async || {
        let log = server.log()?;
        let mut lines = log.lines().filter(|line| line.contains(violation));
        ensure!(
            lines.any(|line| line.contains("leaf.device-0002.x")),
            "{log}"
        );
        Ok(())
    })
    .await
}

/// A user that must be refused.
struct Refused {
    what: &'static str,
    jwt: String,
    key: KeyPair,
    /// In the server's log.
    log: &'static str,
    /// Whether our verdict is the right one.
    ours: fn(&ChainError) -> bool,
}

/// Users of `HUB` that must be refused, though each JWT is well signed.
fn refused() -> Result<Vec<Refused>> {
    let hub = account(3).public_key();
    let free = UserPermissionLimits::default;
    let mut all = Vec::new();
    let mut add = |what, key: &KeyPair, nats: User, times: (i64, i64), raw, log, ours| {
        let mut claims = Claims::new(user(raw).public_key(), nats).named(what);
        (claims.data.nbf, claims.data.exp) = times;
        all.push(Refused {
            what,
            jwt: claims.encode(key, now())?,
            key: user(raw),
            log,
            ours,
        });
        anyhow::Ok(())
    };
    let (plain, scoped, none) = (account(PLAIN), account(SCOPED), (0, 0));
    let of = |limits| User::of(&hub, limits);
    add(
        "expired",
        &plain,
        of(free()),
        (0, now() - 5),
        41,
        "no longer valid",
        |e| {
            matches!(
                e,
                ChainError::Time {
                    error: TimeError::Expired { .. },
                    ..
                }
            )
        },
    )?;
    add(
        "early",
        &plain,
        of(free()),
        (now() + 600, 0),
        42,
        "no longer valid",
        |e| {
            matches!(
                e,
                ChainError::Time {
                    error: TimeError::NotYetValid { .. },
                    ..
                }
            )
        },
    )?;
    add(
        "revoked",
        &plain,
        of(free()),
        none,
        REVOKED,
        "revoked",
        |e| matches!(e, ChainError::Revoked { .. }),
    )?;
    let other = User::of(account(6).public_key(), free());
    add(
        "wrong account",
        &plain,
        other,
        none,
        43,
        "issuer is not known",
        |e| matches!(e, ChainError::WrongAccount { .. }),
    )?;
    add(
        "wrong issuer",
        &account(7),
        of(free()),
        none,
        44,
        "issuer is not known",
        |e| matches!(e, ChainError::Issuer { .. }),
    )?;
    add(
        "strict",
        &account(3),
        User::default(),
        none,
        45,
        "issuer is not known",
        |e| matches!(e, ChainError::Strict { .. }),
    )?;
    let own = "scoped users require no permissions or limits set";
    add(
        "scoped with permissions",
        &scoped,
        of(free()),
        none,
        46,
        own,
        |e| matches!(e, ChainError::NotEmpty { .. }),
    )?;
    let mut denied = UserPermissionLimits::empty();
    denied.permissions.publish = Permission {
        deny: vec!["x".to_owned()],
        ..Permission::default()
    };
    add(
        "scoped with a deny",
        &scoped,
        of(denied),
        none,
        47,
        own,
        |e| matches!(e, ChainError::NotEmpty { .. }),
    )?;
    let bearer = UserPermissionLimits {
        bearer_token: true,
        ..free()
    };
    add(
        "bearer",
        &plain,
        of(bearer),
        none,
        48,
        "does not allow bearer",
        |e| matches!(e, ChainError::Bearer { .. }),
    )?;
    Ok(all)
}

#[tokio::test]
async fn those_who_may_not_are_refused_and_we_say_why() -> Result<()> {
    let (hub_key, hub_jwt) = issue(&account(3), "HUB", hub())?;
    let other = issue(&account(6), "OTHER", Account::default())?;
    let server = start(vec![(hub_key, hub_jwt.clone()), other])?;
    let root = strict_operator().encode(&operator(1), now())?;
    let (root, hub) = (decode(&root)?.claims, decode(&hub_jwt)?.claims);
    let chain = Chain::new(&root, &hub)?;

    for refused in refused()? {
        let creds = Creds::new(refused.jwt, refused.key)?;
        let claims = &creds.token().claims;
        let verdict = chain.user_at(claims, now(), 0).err();
        ensure!(
            verdict.as_ref().is_some_and(refused.ours),
            "{}: we say {verdict:?}",
            refused.what
        );
        let text = creds.text()?;
        let verdict = server.refuses(&text, refused.log).await;
        verdict.with_context(|| refused.what)?;
    }
    Ok(())
}

#[tokio::test]
async fn a_changed_jwt_and_a_foreign_seed_are_refused() -> Result<()> {
    let server = start(vec![issue(&account(3), "HUB", hub())?])?;
    let text = creds(&account(3), &account(PLAIN), "admin", false)?;
    let good = Creds::parse(text.as_bytes())?;

    let mut changed = good.jwt().to_owned();
    let at = changed.rfind('.').context("three parts")? - 8;
    let letter = if &changed[at..=at] == "A" { "B" } else { "A" };
    changed.replace_range(at..=at, letter);
    let changed = text.replace(good.jwt(), &changed);
    let error = Creds::parse(changed.as_bytes()).err();
    ensure!(matches!(error, Some(CredsError::Jwt(_))), "{error:?}");
    // To the server, a JWT that is none is no JWT: with a default sentinel it would go on as that.
    let none = "Authentication requires a user JWT";
    server.refuses(&changed, none).await?;

    // Another user's signature on the same claims.
    let other = creds(&account(3), &account(7), "admin", false)?;
    let other = Creds::parse(other.as_bytes())?;
    let (_, signature) = other.jwt().rsplit_once('.').context("three parts")?;
    let (head, _) = good.jwt().rsplit_once('.').context("three parts")?;
    let forged = text.replace(good.jwt(), &format!("{head}.{signature}"));
    let error = Creds::parse(forged.as_bytes()).err();
    ensure!(error == Some(CredsError::Jwt(DecodeError::Signature)));
    server.refuses(&forged, none).await?;

    let seed = cim_creds::key::seed(good.key())?;
    let foreign = text.replace(seed.as_str(), &cim_creds::key::seed(other.key())?);
    let error = Creds::parse(foreign.as_bytes()).err();
    ensure!(
        matches!(error, Some(CredsError::Mismatch { .. })),
        "{error:?}"
    );
    server.refuses(&foreign, "Signature not verified").await
}

#[tokio::test]
async fn accounts_that_hang_on_no_signing_key_let_nobody_in() -> Result<()> {
    let signed = |raw, key: &KeyPair, exp| {
        let nats = account_with(&[&account(PLAIN)]);
        let claims = Claims::new(account(raw).public_key(), nats).expiring(exp);
        let token = claims.encode(key, now())?;
        anyhow::Ok((account(raw).public_key(), token))
    };
    let accounts = vec![
        signed(50, &operator(1), 0)?,
        signed(51, &operator(9), 0)?,
        signed(52, &operator(2), now() - 5)?,
    ];
    let server = start(accounts.clone())?;
    let root = strict_operator().encode(&operator(1), now())?;
    let root = decode(&root)?.claims;
    let ours = accounts.iter().map(|(_, token)| {
        let claims = decode::<Account>(token)?.claims;
        let verdict = Chain::new(&root, &claims).and_then(|chain| chain.holds_at(now(), 0));
        anyhow::Ok(verdict.err())
    });
    let ours = ours.collect::<Result<Vec<_>>>()?;
    ensure!(
        matches!(
            ours[..],
            [
                Some(ChainError::Strict { .. }),
                Some(ChainError::AccountIssuer { .. }),
                Some(ChainError::Time { .. })
            ]
        ),
        "{ours:?}"
    );
    for raw in [50, 51, 52] {
        let text = creds(&account(raw), &account(PLAIN), "x", false)?;
        server.refuses(&text, "Account JWT").await?;
    }
    Ok(())
}
