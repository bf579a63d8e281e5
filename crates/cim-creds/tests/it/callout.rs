//! Auth callout on a real server: requests and answers sealed with xkeys.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use async_nats::{Client, Message};
use cim_creds::body::account::ExternalAuthorization;
use cim_creds::body::permissions::UserPermissionLimits;
use cim_creds::{Account, Claims, Creds, User, XKey, callout};
use futures_util::StreamExt;

use crate::keys::{account, account_with, user};
use crate::server::{Running, creds, issue, now, start, subscribe};

const AUTH: u8 = 20;
const AUTH_KEY: u8 = 21;
const TARGET: u8 = 22;
const TARGET_KEY: u8 = 23;
const SERVICE: u8 = 24;
/// An account that the callout may not let anybody in to.
const OTHER: u8 = 27;
const OTHER_KEY: u8 = 28;

fn xkey() -> XKey {
    XKey::new_from_raw([25; 32])
}

fn server() -> Result<Running> {
    let authorization = ExternalAuthorization {
        auth_users: vec![user(SERVICE).public_key()],
        allowed_accounts: vec![account(TARGET).public_key()],
        xkey: xkey().public_key(),
    };
    let auth = Account {
        authorization,
        ..account_with(&[&account(AUTH_KEY)])
    };
    let target = account_with(&[&account(TARGET_KEY)]);
    start(vec![
        issue(&account(AUTH), "AUTH", auth)?,
        issue(&account(TARGET), "TARGET", target)?,
        issue(
            &account(OTHER),
            "OTHER",
            account_with(&[&account(OTHER_KEY)]),
        )?,
    ])
}

fn unlimited(raw: u8) -> User {
    User::of(account(raw).public_key(), UserPermissionLimits::default())
}

/// The answer to one request. Token `device-7` is let in; others are not, each for a reason of its own.
fn answer(message: &Message) -> Result<Vec<u8>> {
    let headers = message.headers.as_ref();
    let server = headers
        .and_then(|headers| headers.get(callout::XKEY_HEADER))
        .map(|value| value.as_str().to_owned())
        .context("no xkey header")?;
    let request = callout::open_request(&message.payload, Some(&server), Some(&xkey()), now(), 5)?;
    let wish = request.nats.connect_opts.auth_token.clone();
    let (mut whom, mut nats) = (request.nats.user_nkey.clone(), unlimited(TARGET));
    let (mut user_key, mut key, mut end) = (account(TARGET_KEY), account(AUTH_KEY), 0);
    match wish.as_str() {
        "ended" => end = now() - 5,
        "user-of-another-key" => user_key = account(26),
        "user-of-another-account" => (nats, user_key) = (unlimited(OTHER), account(OTHER_KEY)),
        "another-user" => whom = user(31).public_key(),
        "answer-of-another-key" => key = account(26),
        _ => {}
    }
    let mut answer = if wish == "wrong" {
        request.deny("unknown device")
    } else {
        let claims = Claims::new(whom, nats).named(&wish).expiring(end);
        request.allow(claims.encode(&user_key, now())?)
    };
    answer.nats.issuer_account = account(AUTH).public_key();
    let mut token = answer.encode(&key, now())?;
    if wish == "changed" {
        let at = token.len() - 8;
        let letter = if &token[at..=at] == "A" { "B" } else { "A" };
        token.replace_range(at..=at, letter);
    }
    Ok(callout::seal_response(&token, &server, &xkey())?)
}

async fn serve(server: &Running) -> Result<Client> {
    let claims = Claims::new(user(SERVICE).public_key(), unlimited(AUTH)).named("callout");
    let creds = Creds::new(claims.encode(&account(AUTH_KEY), now())?, user(SERVICE))?;
    let client = server.connect(&creds.text()?).await?;
    let mut requests = subscribe(&client, callout::SUBJECT).await?;
    let service = client.clone();
    tokio::spawn(async move {
        while let Some(request) = requests.next().await {
            let (Some(reply), Ok(answer)) = (request.reply.clone(), answer(&request)) else {
                continue;
            };
            drop(service.publish(reply, answer.into()).await);
        }
    });
    Ok(client)
}

#[tokio::test]
async fn sealed_requests_are_answered_and_the_answer_holds() -> Result<()> {
    let server = server()?;
    let _service = serve(&server).await?;
    let mut nobody = UserPermissionLimits {
        bearer_token: true,
        ..UserPermissionLimits::default()
    };
    nobody.permissions.publish.deny = vec![">".to_owned()];
    nobody.permissions.subscribe.deny = vec![">".to_owned()];
    let claims = Claims::new(
        user(30).public_key(),
        User::of(account(AUTH).public_key(), nobody),
    );
    let sentinel = Creds::new(claims.encode(&account(AUTH_KEY), now())?, user(30))?;

    let sentinel = sentinel.text()?;
    let device = server.connect_with(&sentinel, |options| options.token("device-7".to_owned()));
    let device = device.await?;
    let target = creds(&account(TARGET), &account(TARGET_KEY), "x", false);
    // Not in the callout's account: a plain user of the target logs in without being asked about.
    let watcher = server.connect(&target?).await?;
    let mut seen = subscribe(&watcher, "from.device").await?;
    device.publish("from.device", "hello".into()).await?;
    let message = tokio::time::timeout(Duration::from_secs(10), seen.next()).await?;
    ensure!(message.context("a message in TARGET")?.payload == "hello");

    // nats-server 2.15.1 asks who signed the user, and not who signed the answer around it; whoever may answer is one of
    // `auth_users`. When this fails, it has learned better.
    let signed = server.connect_with(&sentinel, |options| {
        options.token("answer-of-another-key".to_owned())
    });
    signed.await?;
    for (token, reason) in [
        ("wrong", "unknown device"),
        ("ended", "claim is expired"),
        ("user-of-another-key", "is not known"),
        (
            "user-of-another-account",
            "not permitted as valid account option",
        ),
        ("another-user", "Expected authorized user of"),
        ("changed", "Claim failed V2 signature verification"),
    ] {
        let before = server.log()?.len();
        let refused = server.connect_with(&sentinel, |options| options.token(token.to_owned()));
        ensure!(refused.await.is_err(), "{token} was let in");
        cim_testkit::until(&format!("the server says why of {token}"), async || {
            let log = server.log()?;
            let new = log.get(before..).unwrap_or_default();
            ensure!(new.contains(reason), "{new}");
            Ok(())
        })
        .await?;
    }
    Ok(())
}
