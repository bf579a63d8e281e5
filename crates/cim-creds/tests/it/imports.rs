//! A private export: imported with an activation JWT, and not without one.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use cim_creds::body::share::{Export, ExportType, Import};
use cim_creds::{Account, Activation, Claims, decode};
use data_encoding::BASE64URL_NOPAD;
use futures_util::StreamExt;

use crate::keys::{account, account_with, operator};
use crate::server::{creds, issue, now, start, subscribe};

/// An importer with an activation JWT for itself, or without one.
fn importer(raw: u8, activated: bool) -> Result<(String, String)> {
    let mut import = Import::new(ExportType::Service, account(3).public_key(), "cfg.get");
    import.local_subject = "hub.cfg".to_owned();
    if activated {
        import.token = activation(raw)?;
    }
    let nats = Account {
        imports: vec![import],
        ..account_with(&[&account(raw + 100)])
    };
    issue(&account(raw), "IMPORTER", nats)
}

/// Leave for `account(raw)`, by the exporter's signing key.
fn activation(raw: u8) -> Result<String> {
    let nats = Activation::of(account(3).public_key(), ExportType::Service, "cfg.>");
    let claims = Claims::new(account(raw).public_key(), nats);
    Ok(claims.encode(&account(4), now())?)
}

/// The importer with another's activation. We do not make it, so it is signed by hand.
fn importer_with_anothers(raw: u8, other: u8) -> Result<(String, String)> {
    let (public, token) = importer(raw, true)?;
    let mut claims = decode::<Account>(&token)?.claims;
    claims.nats.imports[0].token = activation(other)?;
    let refused = claims.encode(&operator(2), now()).err();
    let refused = refused.context("it was encoded")?.to_string();
    ensure!(refused.contains("is for another account"), "{refused}");
    let (head, _) = token.split_once('.').context("three parts")?;
    let signed = format!("{head}.{}", BASE64URL_NOPAD.encode(&claims.json()?));
    let signature = operator(2).sign(signed.as_bytes())?;
    Ok((
        public,
        format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature)),
    ))
}

#[tokio::test]
async fn an_activation_opens_a_private_export_for_its_account_only() -> Result<()> {
    let key = account(4);
    let mut export = Export::new(ExportType::Service, "cfg.>");
    export.token_req = true;
    export.response_threshold = 2_000_000_000;
    let exporter = Account {
        exports: vec![export],
        ..account_with(&[&key])
    };
    let server = start(vec![
        issue(&account(3), "EXPORTER", exporter)?,
        importer(10, true)?,
        importer(11, false)?,
        importer_with_anothers(12, 10)?,
    ])?;

    let service = server
        .connect(&creds(&account(3), &key, "svc", false)?)
        .await?;
    let mut requests = subscribe(&service, "cfg.get").await?;
    tokio::spawn(async move {
        while let Some(request) = requests.next().await {
            if let Some(reply) = request.reply {
                drop(service.publish(reply, "cfg!".into()).await);
            }
        }
    });

    for (raw, let_in) in [(10, true), (11, false)] {
        let text = creds(&account(raw), &account(raw + 100), "x", false)?;
        let client = server.connect(&text).await?;
        let answer = client.request("hub.cfg", "".into());
        let answer = tokio::time::timeout(Duration::from_secs(20), answer).await?;
        ensure!(answer.is_ok() == let_in, "account {raw}: {answer:?}");
        if let_in {
            ensure!(answer.context("just checked")?.payload == "cfg!");
        }
    }
    // The server does not load an account with a wrong activation: nobody logs in.
    let text = creds(&account(12), &account(112), "x", false)?;
    server.refuses(&text, "Account JWT").await
}
