//! The connection: who we are to the server, from files.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use async_nats::{Auth, AuthError, Client, ConnectOptions};
use cim_creds::{Creds, KeyKind};
use zeroize::Zeroizing;

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
        let options = options(login)?;
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

/// Whoever connects anew, after minutes or months, logs in with what the files hold then: async-nats reads certificates at
/// each connection too, but creds that it is given by name only once.
///
/// # Errors
/// Files that cannot be read.
pub fn options(login: &Login) -> Result<ConnectOptions> {
    // What is wrong from the start is told, not tried for a minute.
    log_in(login, b"")?;
    let us = login.clone();
    let has_secret = us.credentials.is_some() || us.nkey_seed.is_some() || us.user.is_some();
    let mut options = match has_secret {
        true => ConnectOptions::with_auth_callback(move |nonce| {
            let auth = log_in(&us, &nonce);
            std::future::ready(auth.map_err(|error| AuthError::new(format!("{error:#}"))))
        }),
        false => ConnectOptions::new(),
    };
    options = options.name(&login.name);
    if let Some(file) = &login.ca {
        options = options.add_root_certificates(file.clone());
    }
    if let Some((certificate, key)) = &login.certificate {
        options = options.add_client_certificate(certificate.clone(), key.clone());
    }
    Ok(options)
}

/// What a server is told that sent this nonce.
fn log_in(login: &Login, nonce: &[u8]) -> Result<Auth> {
    let mut auth = Auth::new();
    if let Some(file) = &login.credentials {
        let doing = || format!("reading the credentials {}", file.display());
        let bytes = Zeroizing::new(fs::read(file).with_context(doing)?);
        let creds = Creds::parse(&bytes).with_context(doing)?;
        auth.jwt = Some(creds.jwt().to_owned());
        auth.signature = Some(creds.key().sign(nonce).with_context(doing)?);
    }
    if let Some(file) = &login.nkey_seed {
        let doing = || format!("reading the nkey seed {}", file.display());
        let key = cim_creds::key::key_pair(&secret(file)?, KeyKind::User).with_context(doing)?;
        auth.nkey = Some(key.public_key());
        auth.signature = Some(key.sign(nonce).with_context(doing)?);
    }
    if let Some((user, file)) = &login.user {
        auth.username = Some(user.clone());
        auth.password = Some(secret(file)?.to_string());
    }
    Ok(auth)
}

fn secret(file: &Path) -> Result<Zeroizing<String>> {
    let text = fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    let text = Zeroizing::new(text);
    Ok(Zeroizing::new(text.trim().to_owned()))
}
