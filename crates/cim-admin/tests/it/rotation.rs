//! A signing key replaced under a client that publishes all the while.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use async_nats::ConnectOptions;
use async_nats::jetstream::{self, stream};
use cim_creds::Creds;
use cim_testkit::until;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::estate::Estate;
use crate::hubs::Nodes;

/// Logs in anew with whatever the creds are then, as a service does that reads its file at each connection.
async fn connect(nodes: &Nodes, creds: Arc<Mutex<String>>) -> Result<async_nats::Client> {
    let options = ConnectOptions::with_auth_callback(move |nonce| {
        let text = creds.lock().map(|text| text.clone()).unwrap_or_default();
        async move {
            let creds = Creds::parse(text.as_bytes()).map_err(async_nats::AuthError::new)?;
            let mut auth = async_nats::Auth::new();
            auth.jwt = Some(creds.jwt().to_owned());
            auth.signature = Some(
                creds
                    .key()
                    .sign(&nonce)
                    .map_err(async_nats::AuthError::new)?,
            );
            Ok(auth)
        }
    });
    Ok(options.connect(nodes.url()).await?)
}

/// Publishes until told to stop; gives the sequences that were acknowledged.
async fn publisher(
    context: jetstream::Context,
    stop: watch::Receiver<bool>,
    count: Arc<Mutex<u64>>,
) -> Vec<(u64, u64)> {
    let mut acknowledged = Vec::new();
    let mut number = 0;
    while !*stop.borrow() {
        number += 1;
        let publish = async {
            context
                .publish("a.x", number.to_string().into())
                .await
                .ok()?
                .await
                .ok()
        };
        let ack = timeout(Duration::from_millis(500), publish).await;
        if let Ok(Some(ack)) = ack {
            acknowledged.push((number, ack.sequence));
            if let Ok(mut count) = count.lock() {
                *count += 1;
            }
        }
    }
    acknowledged
}

#[tokio::test]
async fn a_signing_key_goes_and_no_acknowledged_message_with_it() -> Result<()> {
    let mut estate = Estate::new()?;
    estate.role("APP", "user/one", |_| {})?;
    let first = estate.user("APP", "user/one", "users/APP/one.jwt")?;
    let nodes = estate.start(1)?;
    estate.push(&nodes)?;
    let creds = Arc::new(Mutex::new(first.clone()));
    let context = jetstream::new(connect(&nodes, Arc::clone(&creds)).await?);
    let config = stream::Config {
        name: "A".to_owned(),
        subjects: vec!["a.>".to_owned()],
        ..stream::Config::default()
    };
    let mut kept = context.create_stream(config).await?;
    let (stop, stopped) = watch::channel(false);
    let count = Arc::new(Mutex::new(0));
    let task = tokio::spawn(publisher(context.clone(), stopped, Arc::clone(&count)));
    let more = async |by: u64| {
        let wanted = *count.lock().unwrap() + by;
        until("more is acknowledged", async || {
            ensure!(*count.lock().unwrap() >= wanted, "not yet");
            Ok(())
        })
        .await
    };
    more(50).await?;

    // Overlap: both keys hold.
    let old = estate.rekey("APP", "user/one")?;
    let said = estate.does(&nodes, &["accounts", "push"])?;
    ensure!(said.contains("role user/one has the new key"), "{said}");
    more(50).await?;
    *creds.lock().unwrap() = estate.user("APP", "user/one", "users/APP/one.jwt")?;
    nodes
        .connect(0, &first)
        .await
        .context("the old creds still hold")?;

    // The end of the old key.
    estate.change("APP", |app| app.signing_keys.remove(&old))?;
    let said = estate.fails(&nodes, &["accounts", "push"])?;
    ensure!(
        said.contains("whoever still has creds of that key"),
        "{said}"
    );
    estate.push(&nodes)?;
    ensure!(
        nodes.connect(0, &first).await.is_err(),
        "the old creds still let in"
    );
    more(50).await?;
    stop.send(true)?;
    let acknowledged = task.await?;
    let state = kept.info().await?.state.clone();
    for (number, sequence) in &acknowledged {
        let message = kept.get_raw_message(*sequence).await?;
        ensure!(
            message.payload == number.to_string().as_bytes(),
            "{number} is not at {sequence}"
        );
    }
    ensure!(acknowledged.len() >= 150 && state.messages >= acknowledged.len() as u64);
    Ok(())
}
