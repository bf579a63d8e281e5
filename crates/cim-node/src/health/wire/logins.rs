//! How `cim-health` logs in to its server: flags, one login for each account.

use std::fs;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context, Result, bail};
use cim_spec::artefact::{Health, host_key_variable};
use cim_spec::plan::HEALTH_LOGIN;
use clap::Args;

use crate::provision::connect::Login;

/// The flags.
#[derive(Debug, Clone, Default, Args)]
pub struct Logins {
    /// A .creds file, or one with an nkey seed, for an account; may be given several times
    #[arg(long, value_name = "ACCOUNT=FILE", group = "who")]
    pub login: Vec<AccountLogin>,
    /// The keys that the host made when the server started, in the accounts that health.json names
    #[arg(long, group = "who")]
    pub host_keys: bool,
    /// The server for clients; may be given several times
    #[arg(long, value_name = "URL", requires = "who")]
    pub server: Vec<String>,
    /// Authorities to trust, PEM
    #[arg(long, value_name = "FILE", requires = "who")]
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

/// The key that the host made for an account; `None`: it makes none in operator mode.
fn host_key(health: &Health, account: &str) -> Option<AccountLogin> {
    let variable = host_key_variable(&format!("{account}.{HEALTH_LOGIN}"));
    let mut entries = health.secrets.iter().flat_map(|secrets| &secrets.entries);
    let key = entries.find(|entry| entry.variable == variable)?;
    Some(AccountLogin {
        account: account.to_owned(),
        file: (&key.file).into(),
    })
}

impl Logins {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.login.is_empty() && !self.host_keys
    }

    /// Those for an instance: with the files of its keys, where these are to be taken.
    pub(super) fn to(&self, health: &Health) -> Self {
        let mut logins = self.clone();
        if self.host_keys {
            let accounts = health.watch.accounts.iter();
            logins
                .login
                .extend(accounts.filter_map(|account| host_key(health, account)));
        }
        logins
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
