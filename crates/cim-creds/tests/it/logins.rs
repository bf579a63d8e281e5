//! Who is let in and may what, and texts that were changed.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use async_nats::jetstream::{self, stream};
use cim_creds::body::limits::JetStreamLimits;
use cim_creds::body::permissions::UserPermissionLimits;
use cim_creds::body::signing_keys::UserScope;
use cim_creds::{Account, Creds, CredsError, DecodeError};
use cim_testkit::until;
use futures_util::StreamExt;
use tokio::time::timeout;

use crate::keys::{account, account_with, user};
use crate::server::{creds, issue, now, start, subscribe, system};

/// Signing keys of `HUB`, which is `account(3)`.
pub const PLAIN: u8 = 4;
pub const SCOPED: u8 = 5;
/// Revoked in `HUB`.
pub const REVOKED: u8 = 40;

pub fn hub() -> Account {
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
