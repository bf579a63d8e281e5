//! A real nats-server in operator mode, and clients of it.

use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use async_nats::{Client, ConnectOptions, Subscriber};
use cim_check::Server;
use cim_creds::body::permissions::UserPermissionLimits;
use cim_creds::{Account, Claims, Creds, KeyPair, User};
use cim_testkit::{nats_server, until};
use tempfile::TempDir;

use crate::keys::{account_with, operator, pair, strict_operator};

/// The folder goes after the server.
pub struct Running {
    server: Server,
    _dir: TempDir,
}

/// Seconds since 1970.
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

/// An account JWT by the operator's signing key, with the account's public key.
pub fn issue(account: &KeyPair, name: &str, nats: Account) -> Result<(String, String)> {
    let public = account.public_key();
    let token = Claims::new(&public, nats)
        .named(name)
        .encode(&operator(2), now())?;
    Ok((public, token))
}

/// Starts a server that trusts the strict operator, with a system account of its own beside the
/// accounts given.
pub fn start(accounts: Vec<(String, String)>) -> Result<Running> {
    let mut root = strict_operator();
    root.nats.system_account = system().0.public_key();
    start_as(&root.encode(&operator(1), now())?, accounts)
}

/// The same with an operator JWT of any kind.
pub fn start_as(root: &str, mut accounts: Vec<(String, String)>) -> Result<Running> {
    let dir = tempfile::tempdir().context("creating a folder")?;
    let (sys, sys_key) = system();
    accounts.push(issue(&sys, "SYS", account_with(&[&sys_key]))?);
    let config = dir.path().join("nats.conf");
    fs::write(
        &config,
        conf(dir.path(), root, &sys.public_key(), &accounts),
    )?;
    let server = Server::start(&nats_server()?, &config)?;
    Ok(Running { server, _dir: dir })
}

/// The system account's identity and signing key.
pub fn system() -> (KeyPair, KeyPair) {
    let account = |raw| pair(nkeys::KeyPairType::Account, raw);
    (account(100), account(101))
}

fn conf(dir: &Path, root: &str, system: &str, accounts: &[(String, String)]) -> String {
    let preload: String = accounts
        .iter()
        .map(|(public, token)| format!("  {public}: \"{token}\"\n"))
        .collect();
    let dir = dir.display();
    // The log says why a login is refused only with `debug`.
    format!(
        "listen: \"127.0.0.1:-1\"\nserver_name: \"creds\"\nports_file_dir: \"{dir}\"\ndebug: true\n\
         jetstream {{ store_dir: \"{dir}/js\" }}\n\
         operator: \"{root}\"\nsystem_account: \"{system}\"\nresolver: MEMORY\n\
         resolver_preload: {{\n{preload}}}\n"
    )
}

impl Running {
    /// Logs in.
    pub async fn connect(&self, creds: &str) -> Result<Client> {
        self.connect_with(creds, |options| options).await
    }

    /// Logs in with more options.
    pub async fn connect_with(
        &self,
        creds: &str,
        more: impl FnOnce(ConnectOptions) -> ConnectOptions,
    ) -> Result<Client> {
        let options = more(ConnectOptions::with_credentials(creds)?);
        Ok(options.connect(self.server.url()).await?)
    }

    /// Fails to log in, for the reason that the server logs.
    pub async fn refuses(&self, creds: &str, reason: &str) -> Result<()> {
        let before = self.log()?.len();
        ensure!(self.connect(creds).await.is_err(), "it was let in");
        let logged = async || {
            let log = self.log()?;
            let new = log.get(before..).unwrap_or_default();
            ensure!(new.contains(reason), "the log has only:\n{new}");
            Ok(())
        };
        until(&format!("the server logs {reason:?}"), logged).await
    }

    pub fn log(&self) -> Result<String> {
        fs::read_to_string(self.server.log()).context("reading the log")
    }
}

/// Subscribes, and waits until the server knows: it answers in the order in which it was asked,
/// and a flush alone waits for nothing.
pub async fn subscribe(client: &Client, subject: &'static str) -> Result<Subscriber> {
    let subscriber = client.subscribe(subject).await?;
    client.request("$SYS.REQ.USER.INFO", "".into()).await?;
    Ok(subscriber)
}

/// A `.creds` text for a new user of `account` that `key` signs.
pub fn creds(account: &KeyPair, key: &KeyPair, name: &str, scoped: bool) -> Result<String> {
    let nats = if scoped {
        User::scoped(account.public_key())
    } else {
        User::of(account.public_key(), UserPermissionLimits::default())
    };
    let user = KeyPair::new_user();
    let claims = Claims::new(user.public_key(), nats).named(name);
    let creds = Creds::new(claims.encode(key, now())?, user)?;
    Ok(creds.text()?.to_string())
}
