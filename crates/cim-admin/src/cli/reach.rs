//! Arguments about a running hub, and logging in to it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use cim_creds::Creds;
use zeroize::Zeroizing;

use super::Desk;
use super::store::Store;
use crate::files;
use crate::push::{Committed, Hub, Login, Pace};
use crate::sops::Plain;

/// Where the desk keeps what is for operators alone.
pub const OPERATORS: &str = "operator.yaml";

/// The entry with the creds of the desk's user in the system account.
const DESK: &str = "desk.creds";

/// Seconds that clocks may be apart.
const LEEWAY: i64 = 60;

/// Which hub, who we are to it, and what it should have.
#[derive(Debug, clap::Args)]
pub struct Reach {
    /// A node of the hub, such as nats://hub-1.example.com:4222; may be given again
    #[arg(
        long = "server",
        value_name = "URL",
        required = true,
        value_delimiter = ','
    )]
    servers: Vec<String>,
    /// The folder of public keys, JWTs and certificates
    #[arg(long, value_name = "DIR", default_value = "identity")]
    identity: PathBuf,
    /// Creds of a user of the system account; otherwise desk.creds of secrets/operator.yaml, opened in memory
    #[arg(long, value_name = "FILE")]
    creds: Option<PathBuf>,
    /// Authorities to trust; otherwise identity/ca.pem, if it is there
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// A node that must be among those who answer; may be given again
    #[arg(long = "node", value_name = "NAME")]
    nodes: Vec<String>,
    /// Requests under way at once
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u16).range(1..))]
    at_once: u16,
    #[command(flatten)]
    store: Store,
}

impl Reach {
    /// What is committed.
    pub fn committed(&self) -> Result<Committed> {
        files::whole(self.store.path())?;
        Committed::read(&self.identity)
    }

    /// The folder of what is committed.
    pub fn identity(&self) -> &Path {
        &self.identity
    }

    /// The folder of what is sealed.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Nodes that must answer.
    pub fn nodes(&self) -> &[String] {
        &self.nodes
    }

    /// How fast to go.
    pub fn pace(&self) -> Pace {
        Pace {
            at_once: self.at_once.into(),
            patience: Duration::from_secs(3),
        }
    }

    /// Logs in.
    pub async fn hub(&self, desk: &Desk) -> Result<Hub> {
        let trusted = self.identity.join("ca.pem");
        let login = Login {
            servers: self.servers.clone(),
            creds: self.creds(desk)?,
            ca: match &self.ca {
                Some(file) => {
                    files::read(file)?;
                    Some(file.clone())
                }
                None => files::exists(&trusted)?.then_some(trusted),
            },
        };
        Hub::connect(&login).await
    }

    fn creds(&self, desk: &Desk) -> Result<Zeroizing<String>> {
        if let Some(file) = &self.creds {
            return checked(&files::read(file)?, &file.display().to_string(), desk);
        }
        let place = self.store.path().join(OPERATORS);
        let place = place.display();
        let found = self
            .store
            .folder()?
            .read(OPERATORS, &self.store.identities(desk)?)?;
        let Some(Plain::Tree(tree)) = found else {
            bail!("there is no {place}: `cim-admin identity make` makes it, or give --creds FILE");
        };
        let text = tree.get(DESK).and_then(|value| value.as_text());
        let text = text.with_context(|| {
            format!(
                "{place} has no {DESK}: `cim-admin identity make` makes it, or give --creds FILE"
            )
        })?;
        checked(text.as_bytes(), &format!("{DESK} of {place}"), desk)
    }
}

/// Creds that are whole and hold now.
fn checked(bytes: &[u8], of: &str, desk: &Desk) -> Result<Zeroizing<String>> {
    let read = || {
        let creds = Creds::parse(bytes)?;
        let claims = &creds.token().claims;
        claims.holds_at(desk.now.unix_timestamp(), LEEWAY)?;
        anyhow::Ok(creds.text()?)
    };
    read().with_context(|| format!("reading {of}"))
}

/// Runs what talks to a network.
///
/// # Errors
/// What it fails with.
pub fn online<T>(doing: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime
        .context("starting to wait for a network")?
        .block_on(doing)
}
