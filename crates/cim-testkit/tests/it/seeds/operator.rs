//! A hub in operator mode that is not ours, for leaves with a `.creds` file.

use std::fs;

use anyhow::{Context, Result};
use async_nats::{Client, ConnectOptions};
use cim_check::Server;
use cim_render::places::Listener;
use cim_spec::plan::Address;
use cim_testkit::{Ports, nats_server};
use nkeys::KeyPair;
use serde_json::json;

use super::{Example, jwt};

/// The hub, and the account that it gave the leaf.
pub struct Hub {
    pub server: Server,
    account: KeyPair,
    ca: std::path::PathBuf,
}

/// Starts a hub at the address that the leaf dials, which knows the leaf by what is now in its `.creds` file.
/// Leaves need a certificate if this one has one, and may send and receive what its flows say.
pub fn start(example: &mut Example, leaf: &str, address: &str) -> Result<Hub> {
    let dir = example.dir.path().join("operator-hub");
    example.fleet.identify(&dir, "hub")?;
    let (ports, _held) = Ports::Free.choose(1)?;
    let port = |listener| {
        ports
            .first()
            .and_then(|ports| ports.get(&listener).copied())
    };
    let leafnodes = port(Listener::Leafnodes).context("no port")?;
    let link = example.fleet.member(leaf)?.plan().link.as_ref();
    let mut remotes = link.iter().flat_map(|link| &link.remotes);
    let has_certificate = remotes.any(|remote| {
        remote
            .tls
            .as_ref()
            .is_some_and(|tls| tls.identity.is_some())
    });

    let (operator, account, system) = (
        KeyPair::new_operator(),
        KeyPair::new_account(),
        KeyPair::new_account(),
    );
    let conf = json!({
        "server_name": "hub",
        "listen": "127.0.0.1:-1",
        "http": "127.0.0.1:-1",
        "ports_file_dir": dir,
        "operator": jwt::sign(&operator, &operator.public_key(), None, &json!({"type": "operator", "version": 2}))?,
        "system_account": system.public_key(),
        "resolver": "MEMORY",
        "resolver_preload": {
            system.public_key(): account_jwt(&operator, &system)?,
            account.public_key(): account_jwt(&operator, &account)?,
        },
        "leafnodes": {
            "listen": format!("127.0.0.1:{leafnodes}"),
            "tls": {
                "cert_file": dir.join("cert.pem"),
                "key_file": dir.join("key.pem"),
                "ca_file": dir.join("ca.pem"),
                "verify": has_certificate,
            },
        },
    });
    let path = dir.join("nats.conf");
    fs::write(&path, conf.to_string()).context("writing the hub's config")?;
    let mut server = Server::start(&nats_server()?, &path)?;
    server.healthy()?;

    let hub = Hub {
        server,
        account,
        ca: dir.join("ca.pem"),
    };
    hub.admit(example, leaf)?;
    let address = Address {
        host: address.to_owned(),
        port: 7422,
    };
    example
        .fleet
        .outside(Listener::Leafnodes, address, leafnodes)?;
    Ok(hub)
}

impl Hub {
    /// Gives the leaf new credentials.
    pub fn admit(&self, example: &Example, leaf: &str) -> Result<()> {
        let member = example.fleet.member(leaf)?;
        let link = member.plan().link.as_ref().context("no leaf")?;
        let exports = link.exports.iter().map(|flow| flow.arrives_as());
        let imports = link.imports.iter().map(|flow| flow.subject.clone());
        let claims = jwt::user(
            &exports.collect::<Vec<_>>(),
            &imports.collect::<Vec<_>>(),
            &["LEAFNODE"],
        );
        let user = KeyPair::new_user();
        let jwt = jwt::sign(&self.account, &user.public_key(), None, &claims)?;
        let file = member.dir().join("leaf.creds");
        fs::write(file, jwt::credentials(&jwt, &user)?).context("writing credentials")
    }

    /// Connects as somebody who may do everything in the leaf's account.
    pub async fn client(&self) -> Result<Client> {
        let user = KeyPair::new_user();
        let everything = [">".to_owned()];
        let claims = jwt::user(&everything, &everything, &[]);
        let jwt = jwt::sign(&self.account, &user.public_key(), None, &claims)?;
        let options = ConnectOptions::with_credentials(&jwt::credentials(&jwt, &user)?)
            .context("reading credentials")?
            .add_root_certificates(self.ca.clone());
        Ok(options.connect(self.server.url()).await?)
    }

    /// Which leaves hang on it.
    pub fn leaves(&self) -> Result<Vec<String>> {
        let leafz: serde_json::Value = self.server.get("/leafz")?;
        let leaves = leafz["leafs"].as_array().into_iter().flatten();
        let names = leaves.filter_map(|leaf| leaf["name"].as_str());
        Ok(names.map(str::to_owned).collect())
    }
}

fn account_jwt(operator: &KeyPair, account: &KeyPair) -> Result<String> {
    let claims = json!({
        "type": "account",
        "version": 2,
        "limits": {"subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1,
            "wildcards": true, "conn": -1, "leaf": -1},
        "default_permissions": {"pub": {}, "sub": {}},
    });
    jwt::sign(operator, &account.public_key(), None, &claims)
}
