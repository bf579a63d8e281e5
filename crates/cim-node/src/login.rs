//! Where the server is and who we are to it, on the command line: the same flags for every tool that connects.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::provision::connect::Login;

/// The flags.
#[derive(Debug, Clone, Args)]
pub struct Server {
    /// The server; may be given several times
    #[arg(long, value_name = "URL", default_value = "nats://127.0.0.1:4222")]
    pub server: Vec<String>,
    /// The JetStream domain, where it is not the server's own
    #[arg(long)]
    pub domain: Option<String>,
    /// A .creds file
    #[arg(long, value_name = "FILE")]
    pub credentials: Option<PathBuf>,
    /// A file with an nkey seed
    #[arg(long, value_name = "FILE")]
    pub nkey_seed: Option<PathBuf>,
    /// A user with a password
    #[arg(long, requires = "password_file")]
    pub user: Option<String>,
    /// The file of the password
    #[arg(long, value_name = "FILE", requires = "user")]
    pub password_file: Option<PathBuf>,
    /// Authorities to trust, PEM
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// Our certificate, PEM
    #[arg(long, value_name = "FILE", requires = "key")]
    pub certificate: Option<PathBuf>,
    /// Its key, PEM
    #[arg(long, value_name = "FILE", requires = "certificate")]
    pub key: Option<PathBuf>,
    /// How long what fails for now is tried again
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub wait: u64,
}

impl Server {
    /// What a connection of a client with this name takes of them.
    pub fn login(&self, name: &str) -> Login {
        Login {
            name: name.to_owned(),
            servers: self.server.clone(),
            credentials: self.credentials.clone(),
            nkey_seed: self.nkey_seed.clone(),
            user: self.user.clone().zip(self.password_file.clone()),
            ca: self.ca.clone(),
            certificate: self.certificate.clone().zip(self.key.clone()),
        }
    }

    /// How long what fails for now is tried again.
    pub fn patience(&self) -> Duration {
        Duration::from_secs(self.wait)
    }
}
