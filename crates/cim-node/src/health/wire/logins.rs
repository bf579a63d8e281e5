//! How `cim-health` logs in to its server: flags, one login for each account.

use std::fs;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::provision::connect::Login;

/// The flags.
#[derive(Debug, Clone, Default, Args)]
pub struct Logins {
    /// A .creds file, or one with an nkey seed, for an account; may be given several times
    #[arg(long, value_name = "ACCOUNT=FILE")]
    pub login: Vec<AccountLogin>,
    /// The server for clients; may be given several times
    #[arg(long, value_name = "URL", requires = "login")]
    pub server: Vec<String>,
    /// Authorities to trust, PEM
    #[arg(long, value_name = "FILE", requires = "login")]
    pub ca: Option<PathBuf>,
    /// Our certificate, PEM
    #[arg(long, value_name = "FILE", requires = "key")]
    pub certificate: Option<PathBuf>,
    /// Its key, PEM
    #[arg(long, value_name = "FILE", requires = "certificate")]
    pub key: Option<PathBuf>,
}

/// The file of one account.
#[derive(Debug, Clone)]
pub struct AccountLogin {
    account: String,
    file: PathBuf,
}

impl FromStr for AccountLogin {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((account, file)) if !account.is_empty() && !file.is_empty() => Ok(Self {
                account: account.to_owned(),
                file: file.into(),
            }),
            _ => Err("write ACCOUNT=FILE, for example CIM=/run/cim-hub-1/CIM.health.nk"),
        }
    }
}

impl Logins {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.login.is_empty()
    }

    /// That of an account, as its file is now.
    pub(super) fn of(&self, account: &str) -> Result<Login> {
        let mut given = self.login.iter();
        let Some(given) = given.find(|login| login.account == account) else {
            bail!("no login was given: --login {account}=FILE");
        };
        let file = &given.file;
        let text =
            fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
        let is_creds = text.contains("NATS USER JWT");
        let default = || vec!["nats://127.0.0.1:4222".to_owned()];
        Ok(Login {
            name: "cim-health".to_owned(),
            servers: match self.server.is_empty() {
                true => default(),
                false => self.server.clone(),
            },
            credentials: is_creds.then(|| file.clone()),
            nkey_seed: (!is_creds).then(|| file.clone()),
            user: None,
            ca: self.ca.clone(),
            certificate: self.certificate.clone().zip(self.key.clone()),
        })
    }
}
