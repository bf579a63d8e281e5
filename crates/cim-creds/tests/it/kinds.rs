//! Each kind of token that a server must not take: operators, accounts, users of a role, and activations.

use anyhow::{Context, Result, ensure};
use async_nats::client::RequestErrorKind;
use cim_creds::body::share::{Export, ExportType, Import};
use cim_creds::{Account, Activation, Chain, ChainError, Claims, Creds, KeyPair, User, decode};
use data_encoding::BASE64URL_NOPAD;

use crate::keys::{account, account_with, operator, strict_operator, user};
use crate::logins::{PLAIN, REVOKED, SCOPED, hub};
use crate::server::{Running, creds, issue, now, start, start_as, subscribe, system};

/// A token with one letter of its signature changed.
fn changed(token: &str) -> String {
    let mut changed = token.to_owned();
    let at = changed.len() - 8;
    let letter = if &changed[at..=at] == "A" { "B" } else { "A" };
    changed.replace_range(at..=at, letter);
    changed
}

#[test]
fn no_server_starts_with_an_operator_that_is_not_right() -> Result<()> {
    let good = strict_operator().encode(&operator(1), now())?;
    // Signed by its own key, which no operator's JWT may be but by the operator's.
    let signed = |key: &KeyPair, token: &str| -> Result<String> {
        let (claims, _) = token.rsplit_once('.').context("three parts")?;
        let signature = BASE64URL_NOPAD.encode(&key.sign(claims.as_bytes())?);
        Ok(format!("{claims}.{signature}"))
    };
    for (what, root) in [
        ("changed", changed(&good)),
        ("of another", signed(&operator(9), &good)?),
    ] {
        let refused = start_as(&root, Vec::new()).err();
        let said = refused.map(|error| format!("{error:#}"));
        let said = said.with_context(|| format!("{what}: a server runs with it"))?;
        let reason = "error parsing operator JWT: claim failed V2 signature verification";
        ensure!(said.contains(reason), "{what}: {said}");
    }
    Ok(())
}

/// nats-server 2.15.1 does not look at an operator's end; when this fails, it has learned better. Ours have none, and we look.
#[tokio::test]
async fn an_operator_that_ended_is_refused_by_us_alone() -> Result<()> {
    let mut ended = strict_operator();
    ended.nats.system_account = system().0.public_key();
    ended.data.exp = now() - 5;
    let root = ended.encode(&operator(1), now())?;
    let (public, token) = issue(&account(3), "HUB", hub())?;
    let server = start_as(&root, vec![(public, token.clone())])?;
    server
        .connect(&creds(&account(3), &account(PLAIN), "x", false)?)
        .await?;
    let account = decode::<Account>(&token)?.claims;
    let root = decode(&root)?.claims;
    let ours = Chain::new(&root, &account).and_then(|chain| chain.holds_at(now(), 0));
    ensure!(matches!(ours, Err(ChainError::Time { .. })), "{ours:?}");
    Ok(())
}

#[test]
fn no_server_starts_with_a_changed_account() -> Result<()> {
    let (public, token) = issue(&account(3), "HUB", hub())?;
    let refused = start(vec![(public, changed(&token))]).err();
    let said = format!("{:#}", refused.context("a server runs with it")?);
    ensure!(said.contains("invalid account JWT"), "{said}");
    Ok(())
}

#[tokio::test]
async fn users_of_a_role_are_refused_like_others() -> Result<()> {
    let server = start(vec![
        issue(&account(3), "HUB", hub())?,
        issue(&account(6), "OTHER", account_with(&[&account(7)]))?,
    ])?;
    let of = |raw: u8, owner: u8, key: u8, exp: i64| -> Result<String> {
        let nats = User::scoped(account(owner).public_key());
        let claims = Claims::new(user(raw).public_key(), nats).expiring(exp);
        let jwt = claims.encode(&account(key), now())?;
        Ok(Creds::new(jwt, user(raw))?.text()?.to_string())
    };
    server.connect(&of(60, 3, SCOPED, 0)?).await?;
    for (what, text, log) in [
        ("ended", of(61, 3, SCOPED, now() - 5)?, "no longer valid"),
        ("revoked", of(REVOKED, 3, SCOPED, 0)?, "revoked"),
        (
            "of another account's key",
            of(62, 3, 7, 0)?,
            "issuer is not known",
        ),
        (
            "for another account",
            of(63, 6, SCOPED, 0)?,
            "issuer is not known",
        ),
    ] {
        server.refuses(&text, log).await.context(what)?;
    }
    let good = of(64, 3, SCOPED, 0)?;
    let jwt = Creds::parse(good.as_bytes())?.jwt().to_owned();
    let text = good.replace(&jwt, &changed(&jwt));
    let none = "Authentication requires a user JWT";
    server.refuses(&text, none).await.context("changed")
}

/// An importer with this activation, signed by hand: we make none that is not right.
fn importer(raw: u8, token: &str) -> Result<(String, String)> {
    let mut import = Import::new(ExportType::Service, account(3).public_key(), "cfg.get");
    import.local_subject = "hub.cfg".to_owned();
    let nats = Account {
        imports: vec![import],
        ..account_with(&[&account(raw + 100)])
    };
    let (public, whole) = issue(&account(raw), "IMPORTER", nats)?;
    let (head, _) = whole.split_once('.').context("three parts")?;
    let mut claims = decode::<Account>(&whole)?.claims;
    claims.nats.imports[0].token = token.to_owned();
    let signed = format!("{head}.{}", BASE64URL_NOPAD.encode(&claims.json()?));
    let signature = BASE64URL_NOPAD.encode(&operator(2).sign(signed.as_bytes())?);
    Ok((public, format!("{signed}.{signature}")))
}

/// Leave for `account(raw)` by a key, until `exp`.
fn activation(raw: u8, key: &KeyPair, exp: i64) -> Result<String> {
    let nats = Activation::of(account(3).public_key(), ExportType::Service, "cfg.>");
    let claims = Claims::new(account(raw).public_key(), nats).expiring(exp);
    Ok(claims.encode(key, now())?)
}

/// Whether users of an account, who can log in either way, get an answer or are told that nobody gives one.
async fn opens(server: &Running, raw: u8) -> Result<bool> {
    let text = creds(&account(raw), &account(raw + 100), "x", false)?;
    let client = server.connect(&text).await?;
    match client.request("hub.cfg", "".into()).await {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == RequestErrorKind::NoResponders => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[tokio::test]
async fn an_activation_that_is_not_right_opens_nothing() -> Result<()> {
    let key = account(4);
    let mut export = Export::new(ExportType::Service, "cfg.>");
    export.token_req = true;
    export
        .revocations
        .revoke(account(14).public_key(), now() + 60);
    let exporter = Account {
        exports: vec![export],
        ..account_with(&[&key])
    };
    let good = activation(10, &key, 0)?;
    let ended = activation(11, &key, now() - 5)?;
    let of_another = activation(12, &account(9), 0)?;
    let broken = changed(&activation(13, &key, 0)?);
    let revoked = activation(14, &key, 0)?;
    let server = start(vec![
        issue(&account(3), "EXPORTER", exporter)?,
        importer(10, &good)?,
        importer(11, &ended)?,
        importer(12, &of_another)?,
        importer(13, &broken)?,
        importer(14, &revoked)?,
    ])?;
    let service = server
        .connect(&creds(&account(3), &key, "svc", false)?)
        .await?;
    let mut requests = subscribe(&service, "cfg.get").await?;
    tokio::spawn(async move {
        while let Some(request) = futures_util::StreamExt::next(&mut requests).await {
            if let Some(reply) = request.reply {
                drop(service.publish(reply, "cfg!".into()).await);
            }
        }
    });
    ensure!(opens(&server, 10).await?, "the good one does not open it");
    for (raw, what) in [(11, "ended"), (12, "of another"), (14, "revoked")] {
        let before = server.log()?.len();
        ensure!(!opens(&server, raw).await?, "{what} opens it");
        let said = server.log()?.split_off(before);
        ensure!(
            said.contains("service import not authorized"),
            "{what}: {said}"
        );
    }
    // It makes the whole account invalid.
    let text = creds(&account(13), &account(113), "x", false)?;
    let reason = "account validation failed";
    server.refuses(&text, reason).await.context("changed")
}
