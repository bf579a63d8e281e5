//! A real nats-server in operator mode with an identity that one command made, TLS on both sides.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use async_nats::{Client, ConnectOptions};
use cim_admin::sops::Plain;
use cim_check::Server;
use cim_testkit::nats_server;
use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::fleet::Fleet;

/// The hub as its host would run it: public files as they are, the key where sops-nix would put it.
fn hub(fleet: &Fleet) -> Result<Server> {
    let path = |name: &str| fleet.path(name).display().to_string();
    let keys: Value = serde_json::from_str(&fleet.read("identity/keys.json")?)?;
    let nkey = |account: &str| {
        keys["accounts"][account]["nkey"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let jwt = |account: &str| fleet.read(&format!("identity/accounts/{account}.jwt"));
    fs::write(
        fleet.path("hub.key"),
        fleet.entry("hub-1.yaml", "cim-hub-1.key")?,
    )?;
    let text = format!(
        "listen: \"127.0.0.1:-1\"\nserver_name: \"hub-1\"\nports_file_dir: \"{}\"\n\
         operator: \"{}\"\nsystem_account: {}\nresolver: MEMORY\n\
         resolver_preload {{\n {}: {}\n {}: {}\n}}\n\
         tls {{ cert_file: \"{}\", key_file: \"{}\", ca_file: \"{}\", verify: true }}\n",
        path(""),
        path("identity/operator.jwt"),
        nkey("SYS"),
        nkey("SYS"),
        jwt("SYS")?.trim(),
        nkey("CIM"),
        jwt("CIM")?.trim(),
        path("identity/certificates/cim-hub-1.pem"),
        path("hub.key"),
        path("identity/ca.pem"),
    );
    fs::write(fleet.path("nats.conf"), text)?;
    Server::start(&nats_server()?, &fleet.path("nats.conf"))
}

async fn connect(fleet: &Fleet, server: &Server, creds: &str) -> Result<Client> {
    fs::write(
        fleet.path("leaf.key"),
        fleet.entry("plant-a.yaml", "cim-plant-a.key")?,
    )?;
    let certificate = fleet.path("identity/certificates/cim-plant-a.pem");
    let client = ConnectOptions::with_credentials(creds)?
        .add_root_certificates(fleet.path("identity/ca.pem"))
        .add_client_certificate(certificate, fleet.path("leaf.key"))
        .require_tls(true)
        .connection_timeout(Duration::from_secs(5))
        .connect(server.url().replace("nats://", "tls://"))
        .await?;
    client.flush().await?;
    Ok(client)
}

fn creds(fleet: &Fleet, file: &str) -> Result<String> {
    match fleet.opened(file)? {
        Plain::Bytes(bytes) => Ok(String::from_utf8(bytes.to_vec())?),
        Plain::Tree(_) => anyhow::bail!("{file} is no creds file"),
    }
}

async fn hears_itself(client: &Client) -> Result<()> {
    let mut heard = client.subscribe("here").await?;
    client.publish("here", "x".into()).await?;
    let message = tokio::time::timeout(Duration::from_secs(20), heard.next()).await?;
    message.map(drop).context("a message")
}

#[tokio::test]
async fn a_server_takes_what_one_command_made() {
    let mut fleet = Fleet::new().unwrap();
    fleet.plan["hosts"]["hub-1"]["secrets"]["cim-hub-1.key"]["names"] =
        json!(["localhost", "127.0.0.1"]);
    fleet.make(&["--new-keys"]).unwrap();
    let server = hub(&fleet).unwrap();
    let smith = creds(&fleet, "users/CIM/smith.creds").unwrap();
    let client = connect(&fleet, &server, &smith).await.unwrap();
    hears_itself(&client).await.unwrap();
    // The desk asks the system account what only it may.
    let desk = fleet.entry("operator.yaml", "desk.creds").unwrap();
    let desk = connect(&fleet, &server, &desk).await.unwrap();
    let answer = desk
        .request("$SYS.REQ.SERVER.PING.VARZ", "".into())
        .await
        .unwrap();
    assert!(!answer.payload.is_empty());
    // A leaf's creds open leaf links and nothing else.
    let leaf = fleet.entry("plant-a.yaml", "cim-plant-a.creds").unwrap();
    refused(connect(&fleet, &server, &leaf).await, server.log()).unwrap();
    // Another fleet's user is nobody here.
    let other = Fleet::new().unwrap();
    other.make(&["--new-keys"]).unwrap();
    let stranger = creds(&other, "users/CIM/smith.creds").unwrap();
    refused(connect(&fleet, &server, &stranger).await, server.log()).unwrap();
}

fn refused(connected: Result<Client>, log: &Path) -> Result<()> {
    let Err(error) = connected else {
        anyhow::bail!("it was let in:\n{}", fs::read_to_string(log)?);
    };
    let said = format!("{error:#}").to_lowercase();
    ensure!(said.contains("authorization violation"), "{said}");
    Ok(())
}
