//! A real nats-server that knows its users by their certificates, and clients that show one.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use async_nats::{Client, ConnectOptions};
use cim_admin::pki::{Address, Authority, CommonName, Key, Made, Validity};
use cim_check::Server;
use cim_testkit::{nats_server, until};
use futures_util::StreamExt;
use tempfile::TempDir;
use time::OffsetDateTime;

/// A root and an issuing CA.
pub struct Ca {
    pub root: Made,
    pub authority: Authority,
}

pub fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

pub fn days(days: i64) -> time::Duration {
    time::Duration::days(days)
}

pub fn name(name: &str) -> CommonName {
    CommonName::new(name).unwrap()
}

pub fn loopback() -> [Address; 2] {
    ["127.0.0.1", "localhost"].map(|text| text.parse().unwrap())
}

impl Ca {
    pub fn new(at: OffsetDateTime) -> Self {
        let valid = |lifetime| Validity::starting(at, lifetime).unwrap();
        let called = |text| CommonName::authority(text).unwrap();
        let (above, root) = Authority::root(&called("Test root"), valid(days(90))).unwrap();
        let issuer = above
            .intermediate(&called("Test issuing"), valid(days(60)))
            .unwrap();
        // As a second run reads it: from its files.
        let key = Key::read(issuer.key.as_ref().unwrap().as_bytes()).unwrap();
        let authority = Authority::read(issuer.certificate.as_bytes(), &key, at).unwrap();
        Self { root, authority }
    }

    pub fn client(&self, called: &str) -> Made {
        let validity = Validity::starting(now(), days(1)).unwrap();
        self.authority.client(&name(called), validity).unwrap()
    }

    pub fn server(&self, called: &str) -> Made {
        let validity = Validity::starting(now(), days(1)).unwrap();
        self.authority
            .server(&name(called), &loopback(), validity)
            .unwrap()
    }
}

/// A server and its folder, which goes after it.
pub struct Running {
    pub server: Server,
    pub dir: TempDir,
}

/// Writes a certificate and its key as two files.
pub fn put(dir: &Path, file: &str, made: &Made) -> Result<(PathBuf, PathBuf)> {
    let (certificate, key) = (
        dir.join(format!("{file}.pem")),
        dir.join(format!("{file}.key")),
    );
    fs::write(&certificate, &made.certificate)?;
    if let Some(made) = &made.key {
        fs::write(&key, made.as_bytes())?;
    }
    Ok((certificate, key))
}

/// A `tls` block for these files.
pub fn tls(dir: &Path, file: &str, more: &str) -> String {
    let dir = dir.display();
    format!(
        "tls {{ cert_file: \"{dir}/{file}.pem\", key_file: \"{dir}/{file}.key\", ca_file: \"{dir}/root.pem\", {more} }}"
    )
}

impl Running {
    /// Starts a server with this certificate, which trusts `ca` and has these users.
    pub fn start(
        ca: &Ca,
        made: &Made,
        users: &[&str],
        more: impl Fn(&Path) -> String,
    ) -> Result<Self> {
        Self::start_with(ca, made, users, "verify_and_map: true", more)
    }

    /// The same with what the `tls` block for clients says beside its files.
    pub fn start_with(
        ca: &Ca,
        made: &Made,
        users: &[&str],
        listener: &str,
        more: impl Fn(&Path) -> String,
    ) -> Result<Self> {
        let dir = tempfile::tempdir().context("creating a folder")?;
        let path = dir.path();
        fs::write(path.join("root.pem"), &ca.root.certificate)?;
        put(path, "server", made)?;
        let users: String = users
            .iter()
            .map(|user| {
                format!("{{ user: \"{user}\", allowed_connection_types: [STANDARD, LEAFNODE] }}\n")
            })
            .collect();
        let config = path.join("nats.conf");
        // The log says why a login is refused only with `debug`.
        let text = format!(
            "listen: \"127.0.0.1:-1\"\nserver_name: \"pki\"\nports_file_dir: \"{}\"\ndebug: true\n{}\n\
             accounts {{ APP {{ users: [\n{users}] }} }}\n{}\n",
            path.display(),
            tls(path, "server", listener),
            more(path),
        );
        fs::write(&config, text)?;
        let server = Server::start(&nats_server()?, &config)?;
        Ok(Self { server, dir })
    }

    /// Connects as the owner of a certificate.
    pub async fn connect(&self, made: &Made, key: &str) -> Result<Client> {
        let (certificate, file) = put(self.dir.path(), "client", made)?;
        fs::write(&file, key)?;
        let options = ConnectOptions::new()
            .add_root_certificates(self.dir.path().join("root.pem"))
            .add_client_certificate(certificate, file)
            .require_tls(true)
            .connection_timeout(Duration::from_secs(5));
        let client = options
            .connect(self.server.url().replace("nats://", "tls://"))
            .await?;
        client.flush().await?;
        Ok(client)
    }

    /// It is let in, and can send a message to itself.
    pub async fn accepts(&self, made: &Made) -> Result<()> {
        let key = made.key.as_ref().context("a certificate with its key")?;
        self.accepts_with(made, key).await
    }

    pub async fn accepts_with(&self, made: &Made, key: &str) -> Result<()> {
        let client = self.connect(made, key).await?;
        let mut subscriber = client.subscribe("here").await?;
        client.publish("here", "x".into()).await?;
        let message = tokio::time::timeout(Duration::from_secs(20), subscriber.next()).await?;
        message.map(drop).context("a message")
    }

    /// It is refused, for the reason that the server logs.
    pub async fn refuses(&self, made: &Made, reason: &str) -> Result<()> {
        let before = self.log()?.len();
        let key = made.key.as_ref().context("a certificate with its key")?;
        ensure!(self.connect(made, key).await.is_err(), "it was let in");
        self.logs(before, reason).await
    }

    /// The url of its listener for leaves, which its log alone tells.
    pub async fn leafnodes(&self) -> Result<String> {
        until("the server listens for leaves", async || {
            let log = self.log()?;
            let told = log.split("Listening for leafnode connections on ").nth(1);
            let address = told.and_then(|rest| rest.lines().next());
            Ok(format!("tls://{}", address.context("it does not yet")?))
        })
        .await
    }

    /// Waits until the log has the reason after its first `before` bytes.
    pub async fn logs(&self, before: usize, reason: &str) -> Result<()> {
        until(&format!("the server logs {reason:?}"), async || {
            let log = self.log()?;
            let new = log.get(before..).unwrap_or_default();
            ensure!(new.contains(reason), "the log has only:\n{new}");
            Ok(())
        })
        .await
    }

    pub fn log(&self) -> Result<String> {
        fs::read_to_string(self.server.log()).context("reading the log")
    }
}
