//! The connection: who we are to the server, from files.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use async_nats::{Client, ConnectOptions};

use super::api::Pauses;

/// Where the server is and how we log in.
#[derive(Debug, Clone, Default)]
pub struct Login {
    /// What the server calls the connection, in `/connz` and its log.
    pub name: String,
    /// URLs, such as `nats://127.0.0.1:4222`; never with a password.
    pub servers: Vec<String>,
    /// A `.creds` file.
    pub credentials: Option<PathBuf>,
    /// A file with an nkey seed.
    pub nkey_seed: Option<PathBuf>,
    /// A user, with the file of the password.
    pub user: Option<(String, PathBuf)>,
    /// Certificates of the authorities to trust, PEM.
    pub ca: Option<PathBuf>,
    /// Our certificate and its key, PEM.
    pub certificate: Option<(PathBuf, PathBuf)>,
}

/// Connects, again and again for as long as `patience`.
///
/// # Errors
/// Files that cannot be read, and the last try's reason.
pub async fn connect(login: &Login, patience: Duration) -> Result<Client> {
    for server in &login.servers {
        ensure!(
            !server.contains('@'),
            "a server's URL holds no user or password, for every user of the host can see it: use --user and --password-file"
        );
    }
    let mut pauses = Pauses::new(patience);
    loop {
        let options = options(login).await?;
        match options.connect(login.servers.as_slice()).await {
            Ok(client) => return Ok(client),
            Err(error) if !pauses.next().await => {
                return Err(error)
                    .with_context(|| format!("connecting to {}", login.servers.join(", ")));
            }
            Err(_) => {}
        }
    }
}

async fn options(login: &Login) -> Result<ConnectOptions> {
    let mut options = ConnectOptions::new().name(&login.name);
    if let Some(file) = &login.credentials {
        options = options
            .credentials_file(file)
            .await
            .with_context(|| format!("reading the credentials {}", file.display()))?;
    }
    if let Some(file) = &login.nkey_seed {
        options = options.nkey(secret(file)?);
    }
    if let Some((user, file)) = &login.user {
        options = options.user_and_password(user.clone(), secret(file)?);
    }
    if let Some(file) = &login.ca {
        options = options.add_root_certificates(file.clone());
    }
    if let Some((certificate, key)) = &login.certificate {
        options = options.add_client_certificate(certificate.clone(), key.clone());
    }
    Ok(options)
}

fn secret(file: &Path) -> Result<String> {
    let text = fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    Ok(text.trim().to_owned())
}
