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
    ])
}

fn unlimited(raw: u8) -> User {
    User::of(account(raw).public_key(), UserPermissionLimits::default())
}

/// The answer to one request: token `device-7` is let in, others are not.
fn answer(message: &Message) -> Result<Vec<u8>> {
    let headers = message.headers.as_ref();
    let server = headers
        .and_then(|headers| headers.get(callout::XKEY_HEADER))
        .map(|value| value.as_str().to_owned())
        .context("no xkey header")?;
    let request = callout::open_request(&message.payload, Some(&server), Some(&xkey()), now(), 5)?;
    let answer = if request.nats.connect_opts.auth_token == "device-7" {
        let claims = Claims::new(&request.nats.user_nkey, unlimited(TARGET)).named("device-7");
        request.allow(claims.encode(&account(TARGET_KEY), now())?)
    } else {
        request.deny("unknown device")
    };
    let mut answer = answer;
    answer.nats.issuer_account = account(AUTH).public_key();
    let token = answer.encode(&account(AUTH_KEY), now())?;
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

    let refused = server.connect_with(&sentinel, |options| options.token("wrong".to_owned()));
    ensure!(refused.await.is_err(), "a wrong token was let in");
    cim_testkit::until("the server logs the reason", async || {
        ensure!(server.log()?.contains("unknown device"));
        Ok(())
    })
    .await
}
