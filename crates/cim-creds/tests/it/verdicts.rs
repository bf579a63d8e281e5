//! Who is not let in though well signed: the server's verdict and ours, side by side.

use anyhow::{Context, Result, ensure};
use cim_creds::body::permissions::{Permission, UserPermissionLimits};
use cim_creds::{Account, Chain, ChainError, Claims, Creds, KeyPair, TimeError, User, decode};

use crate::keys::{account, account_with, operator, strict_operator, user};
use crate::logins::{PLAIN, REVOKED, SCOPED, hub};
use crate::server::{creds, issue, now, start};

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
