//! Clients of a fleet's servers: who they are, and what they trust.

use anyhow::{Context, Result};
use async_nats::{Client, ConnectOptions};
use cim_spec::plan::Proof;

use crate::Fleet;

/// A password that tests give to users who can have nothing better.
pub const PASSWORD: &str = "s3cret";

/// bcrypt of [`PASSWORD`], of the cheapest kind.
pub const PASSWORD_HASH: &str = "$2a$04$abcdefghijklmnopqrstuuLZYjhNQAOdpbzt4WxWlUHjv1wsyH5DG";

impl Fleet {
    /// The words with which `cim-health` logs in to a server.
    ///
    /// # Errors
    /// A name that no server has.
    pub fn health_logins(&self, name: &str) -> Result<Vec<String>> {
        let member = self.member(name)?;
        let accounts = &self.health(name)?.watch.accounts;
        let files = accounts.iter().map(|account| {
            let file = member.login_file(account, "health");
            format!("--login={account}={}", file.display())
        });
        let tls = member.plan().client.tls.as_ref();
        let ca = tls.map(|_| format!("--ca={}", self.ca_file().display()));
        let own = tls.filter(|tls| tls.verifies()).map(|_| {
            let file = |name: &str| member.dir().join(name).display().to_string();
            let (certificate, key) = (file("cert.pem"), file("key.pem"));
            [
                format!("--certificate={certificate}"),
                format!("--key={key}"),
            ]
        });
        let server = format!("--server={}", member.url());
        Ok(files
            .chain([server])
            .chain(ca)
            .chain(own.into_iter().flatten())
            .collect())
    }

    /// The seed that stands for a user of a server's accounts, or for a leaf that it knows.
    ///
    /// # Errors
    /// A user who is not there, or is not known by an nkey.
    pub fn seed(&self, server: &str, user: &str) -> Result<&str> {
        let principals = self.member(server)?.plan.accounts.iter();
        let proof = principals
            .flat_map(|account| &account.principals)
            .find(|principal| principal.name == user)
            .map(|principal| &principal.proof);
        let Some(Proof::Nkey(public)) = proof else {
            anyhow::bail!("{server} has no user {user} with an nkey");
        };
        self.keys
            .seed(public)
            .with_context(|| format!("{user} has no throwaway key"))
    }

    /// Connects as a user of a server's accounts. The client does not reconnect elsewhere.
    ///
    /// # Errors
    /// A server that refuses.
    pub async fn client(&self, server: &str, user: &str) -> Result<Client> {
        let seed = self.seed(server, user)?.to_owned();
        let mut options = ConnectOptions::with_nkey(seed).name(user);
        let member = self.member(server)?;
        if member
            .plan
            .client
            .tls
            .as_ref()
            .is_some_and(|tls| tls.verifies())
        {
            // Whose it is does not matter to a user with a key.
            let file = |name| member.dir.join(name);
            options = options.add_client_certificate(file("cert.pem"), file("key.pem"));
        }
        self.connect(server, options)
            .await
            .with_context(|| format!("connecting to {server} as {user}"))
    }

    /// Connects to a server, with TLS where it has some. Authorities of a server with files of its own are the
    /// caller's to name.
    ///
    /// # Errors
    /// A server that refuses.
    pub async fn connect(&self, server: &str, options: ConnectOptions) -> Result<Client> {
        let member = self.member(server)?;
        let tls = member.plan.client.tls.is_some();
        let mut options = options.require_tls(tls).ignore_discovered_servers();
        if tls && member.dir.join("ca.pem").is_file() {
            options = options.add_root_certificates(self.ca_file());
        }
        Ok(options.connect(member.url()).await?)
    }
}
