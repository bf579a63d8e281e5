//! Seeds 000 and 001, auth callout: unknown clients are asked about, and everybody who is declared is not.

use std::sync::{Arc, Mutex};

use anyhow::{Context, Result, ensure};
use async_nats::{Client, ConnectOptions};
use cim_testkit::Fleet;
use futures_util::StreamExt;
use nkeys::KeyPair;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::{COMMITTED_ISSUER, Example, example_with, jwt, let_in};
use crate::support::{crosses, hear, rounds, routed};

/// A service that answers as long as it lives.
struct Service {
    requests: Arc<Mutex<Vec<Value>>>,
    task: JoinHandle<Result<()>>,
}

impl Drop for Service {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Service {
    /// Answers as user `callout` of a server.
    async fn start(fleet: &Fleet, server: &str, registry: Registry) -> Result<Self> {
        let client = fleet.client(server, "callout").await?;
        let mut asked = hear(&client, "$SYS.REQ.USER.AUTH").await?;
        cim_testkit::taken(&client).await?;
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let task = tokio::spawn(async move {
            while let Some(message) = asked.next().await {
                let request = jwt::claims(&String::from_utf8_lossy(&message.payload))?;
                let answer = registry.answer(&request)?;
                if let Ok(mut seen) = seen.lock() {
                    seen.push(request);
                }
                let reply = message.reply.context("nobody waits for an answer")?;
                client.publish(reply, answer.into()).await?;
            }
            Ok(())
        });
        Ok(Self { requests, task })
    }

    /// What it was asked, as claims.
    fn requests(&self) -> Vec<Value> {
        let requests = self.requests.lock();
        requests
            .map(|requests| requests.clone())
            .unwrap_or_default()
    }
}

/// Who is let in: whoever shows this certificate gets into the account, to publish under `device.0003`.
struct Registry {
    issuer: KeyPair,
    account: &'static str,
    certificate: String,
}

impl Registry {
    fn answer(&self, request: &Value) -> Result<String> {
        let asked = &request["nats"];
        let user = asked["user_nkey"].as_str().context("no user")?;
        let shown = asked["client_tls"]["verified_chains"][0][0].as_str();
        let mut answer = json!({"type": "authorization_response", "version": 2});
        if shown.map(str::trim) == Some(self.certificate.trim()) {
            let claims = jwt::user(&["device.0003.>".to_owned()], &["_INBOX.>".to_owned()], &[]);
            answer["jwt"] = jwt::sign(&self.issuer, user, Some(self.account), &claims)?.into();
        } else {
            answer["error"] = "not registered".into();
        }
        jwt::sign(
            &self.issuer,
            user,
            asked["server_id"]["id"].as_str(),
            &answer,
        )
    }
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
    let registry = Registry {
        issuer,
        account: "DEVICES",
        certificate: pem,
    };
    let service = Service::start(fleet, "nats-leaf", registry).await?;

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
    speaks(&fleet.client("nats-0", "alchemist").await?).await?;

    let (mut example, _) = prepared("edge-callout", &["nats-0", "nats-leaf"])?;
    example.fleet.start_all()?;
    let fleet = &example.fleet;
    fleet.linked("nats-leaf").await?;
    speaks(&fleet.client("nats-leaf", "app").await?).await?;
    let stranger = let_in(fleet, "nats-leaf", "stranger", stranger(&example)?).await?;
    ensure!(!stranger, "without a service, a stranger is let in");
    Ok(())
}

/// The server has let the client in: it hears itself.
async fn speaks(client: &Client) -> Result<()> {
    crosses(client, "device.x", &mut hear(client, "device.x").await?).await
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
    let registry = Registry {
        issuer,
        account: "APP",
        certificate: pem,
    };
    let service = Service::start(fleet, "nats-1", registry).await?;
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
