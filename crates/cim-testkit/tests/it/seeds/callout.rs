//! Seeds 000 and 001, auth callout: unknown clients are asked about, and everybody who is declared is not.

use std::sync::{Arc, Mutex};

use anyhow::{Result, ensure};
use async_nats::{Client, ConnectOptions};
use cim_testkit::Fleet;
use futures_util::StreamExt;
use nkeys::KeyPair;
use serde_json::{Value, json};

use super::{COMMITTED_ISSUER, Example, example_with, jwt, let_in};
use crate::support::{hear, rounds, routed};

/// The requests that a service was sent, which answers them as long as it lives.
pub struct Service {
    requests: Arc<Mutex<Vec<Value>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Service {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Service {
    fn requests(&self) -> Vec<Value> {
        self.requests.lock().unwrap().clone()
    }
}

/// Answers as user `callout` of a server: who shows one of the `known` certificates gets into `account`, to publish
/// under `device.0003`.
async fn service(
    fleet: &Fleet,
    server: &str,
    issuer: KeyPair,
    account: &str,
    known: Vec<String>,
) -> Result<Service> {
    let client = fleet.client(server, "callout").await?;
    let mut asked = hear(&client, "$SYS.REQ.USER.AUTH").await?;
    let requests = Arc::new(Mutex::new(Vec::new()));
    let (seen, account) = (Arc::clone(&requests), account.to_owned());
    let task = tokio::spawn(async move {
        while let Some(message) = asked.next().await {
            let request = jwt::claims(&String::from_utf8_lossy(&message.payload)).unwrap();
            let nats = &request["nats"];
            let user = nats["user_nkey"].as_str().unwrap();
            let shown = nats["client_tls"]["verified_chains"][0][0].as_str();
            let is_known = known
                .iter()
                .any(|pem| Some(pem.trim()) == shown.map(str::trim));
            let mut answer = json!({"type": "authorization_response", "version": 2});
            if is_known {
                let allowed = ["device.0003.>".to_owned()];
                let claims = jwt::user(&allowed, &["_INBOX.>".to_owned()], &[]);
                answer["jwt"] = jwt::sign(&issuer, user, Some(&account), &claims)
                    .unwrap()
                    .into();
            } else {
                answer["error"] = "not registered".into();
            }
            let server = nats["server_id"]["id"].as_str();
            let answer = jwt::sign(&issuer, user, server, &answer).unwrap();
            seen.lock().unwrap().push(request);
            let reply = message.reply.unwrap();
            client.publish(reply, answer.into()).await.unwrap();
        }
    });
    Ok(Service { requests, task })
}

/// Somebody with a certificate of the authority, whom nobody knows.
fn stranger(example: &Example) -> Result<ConnectOptions> {
    let (certificate, key) = example.certificate("device-0004")?;
    Ok(ConnectOptions::new().add_client_certificate(certificate, key))
}

/// An example whose callout's answers a new key signs.
fn prepared(name: &str, servers: &[&str]) -> Result<(Example, KeyPair)> {
    let issuer = KeyPair::new_account();
    let example = example_with(name, servers, &[(COMMITTED_ISSUER, &issuer.public_key())])?;
    Ok((example, issuer))
}

#[tokio::test]
async fn a_device_gets_in_as_the_registry_says_and_another_does_not() -> Result<()> {
    let (mut example, issuer) = prepared("edge-callout", &["nats-0", "nats-leaf"])?;
    example.fleet.start_all()?;
    example.fleet.linked("nats-leaf").await?;
    let (certificate, key) = example.certificate("device-0003")?;
    let pem = std::fs::read_to_string(&certificate)?;
    let fleet = &example.fleet;
    let service = service(fleet, "nats-leaf", issuer, "DEVICES", vec![pem]).await?;

    // The service knows the certificate of this very device; `device` would make another.
    let options = ConnectOptions::new().add_client_certificate(certificate, key);
    let device = fleet.connect("nats-leaf", options).await?;
    let alchemist = fleet.client("nats-0", "alchemist").await?;
    let mut everything = hear(&alchemist, ">").await?;
    let subjects = ["device.0001.status", "secret.x", "device.0003.status"];
    let others = rounds(&device, &subjects, &mut everything).await?;
    assert_eq!(others, [""; 0]);

    let options = stranger(&example)?;
    let stranger = let_in(fleet, "nats-leaf", "stranger", options).await?;
    ensure!(!stranger, "a device that is not registered is let in");
    let requests = service.requests();
    ensure!(requests.len() >= 2, "{requests:?}");
    ensure!(
        requests
            .iter()
            .all(|request| request["nats"]["server_id"]["name"] == "nats-leaf")
    );

    let bare = fleet.connect("nats-leaf", ConnectOptions::new()).await;
    ensure!(bare.is_err(), "a client without a certificate is let in");
    assert_eq!(
        service.requests().len(),
        requests.len(),
        "TLS refuses it, nobody is asked"
    );
    Ok(())
}

#[tokio::test]
async fn users_and_leaves_that_are_declared_need_no_service() -> Result<()> {
    let (mut example, _) = prepared("core-hub", &["edge", "nats-0", "nats-1", "nats-2"])?;
    example.fleet.start_all()?;
    let fleet = &example.fleet;
    fleet.linked("edge").await?;
    fleet.client("nats-0", "alchemist").await?;

    let (mut example, _) = prepared("edge-callout", &["nats-0", "nats-leaf"])?;
    example.fleet.start_all()?;
    let fleet = &example.fleet;
    fleet.linked("nats-leaf").await?;
    fleet.client("nats-leaf", "app").await?;
    let stranger = let_in(fleet, "nats-leaf", "stranger", stranger(&example)?).await?;
    ensure!(!stranger, "without a service, a stranger is let in");
    Ok(())
}

#[tokio::test]
async fn every_node_of_the_hub_asks_the_same_service() -> Result<()> {
    let (mut example, issuer) = prepared("core-hub", &["nats-0", "nats-1", "nats-2"])?;
    example.fleet.start_all()?;
    for node in ["nats-0", "nats-1", "nats-2"] {
        routed(&example.fleet, node, 2).await?;
    }
    let (certificate, key) = example.certificate("client-1")?;
    let pem = std::fs::read_to_string(&certificate)?;
    let fleet = &example.fleet;
    let connect = async |server: &str| -> Result<Client> {
        let options =
            ConnectOptions::new().add_client_certificate(certificate.clone(), key.clone());
        fleet.connect(server, options).await
    };
    let service = service(fleet, "nats-1", issuer, "APP", vec![pem]).await?;
    // Interest in the service spreads over routes.
    let client = cim_testkit::until("nats-0 asks the service at nats-1", async || {
        connect("nats-0").await
    })
    .await?;
    let alchemist = fleet.client("nats-2", "alchemist").await?;
    let mut at_hub = hear(&alchemist, "device.>").await?;
    let others = rounds(&client, &["device.0001.x", "device.0003.x"], &mut at_hub).await?;
    assert_eq!(others, [""; 0]);
    let asked = service.requests();
    ensure!(
        asked
            .iter()
            .any(|request| request["nats"]["server_id"]["name"] == "nats-0")
    );
    Ok(())
}
