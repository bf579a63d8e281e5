//! A nats-server of our own on loopback, gone with everything in it when it is dropped.

use std::env;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use nkeys::KeyPair;
use serde::Deserialize;

use super::folder;
use super::guard::{CONFIG, LOG};
use crate::provision::connect::Login;

/// How long it may take to listen.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often we look.
const LOOK: Duration = Duration::from_millis(20);

/// The server, by its guard.
#[derive(Debug)]
pub struct Throwaway {
    guard: Child,
    folder: PathBuf,
    login: Login,
}

/// What nats-server writes into its ports file.
#[derive(Deserialize)]
struct Ports {
    nats: Vec<String>,
}

impl Throwaway {
    /// Starts one in a new folder inside `temp`. Only we may connect, by a key made for this.
    ///
    /// # Errors
    /// A binary that does not run, with what it said.
    pub fn start(nats_server: &Path, temp: &Path) -> Result<Self> {
        let key = KeyPair::new_user();
        let folder = temp.join(format!("cim-drill-{}", key.public_key()));
        let (guard, seed) = guarded(nats_server, &folder, &key).inspect_err(|_| {
            // There is no guard yet that would.
            let _ = fs::remove_dir_all(&folder);
        })?;
        let mut server = Self {
            guard,
            folder,
            login: Login {
                nkey_seed: Some(seed),
                ..Login::default()
            },
        };
        server.login.servers = server.listening(nats_server)?;
        Ok(server)
    }

    /// How to connect.
    pub fn login(&self) -> &Login {
        &self.login
    }

    /// A folder that goes with it.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn listening(&mut self, nats_server: &Path) -> Result<Vec<String>> {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(urls) = self.ports() {
                return Ok(urls);
            }
            let ended = self.guard.try_wait().context("waiting for the server")?;
            if ended.is_some() {
                let log = fs::read_to_string(self.folder.join(LOG)).unwrap_or_default();
                let last: Vec<_> = log.lines().rev().take(3).collect();
                // Nobody else removes it any more.
                let _ = fs::remove_dir_all(&self.folder);
                bail!(
                    "{} does not run: {}",
                    nats_server.display(),
                    last.join("; ")
                );
            }
            ensure!(
                Instant::now() < until,
                "{} does not listen after {} s",
                nats_server.display(),
                PATIENCE.as_secs()
            );
            std::thread::park_timeout(LOOK);
        }
    }

    fn ports(&self) -> Option<Vec<String>> {
        let files = fs::read_dir(&self.folder).ok()?.flatten();
        let mut files = files.map(|entry| entry.path());
        let file = files.find(|path| path.extension().is_some_and(|end| end == "ports"))?;
        let ports: Ports = serde_json::from_str(&fs::read_to_string(file).ok()?).ok()?;
        Some(ports.nats)
    }
}

/// The folder with what a server needs, the server's guard, and where the key is.
fn guarded(nats_server: &Path, folder: &Path, key: &KeyPair) -> Result<(Child, PathBuf)> {
    folder::make(folder)?;
    let seed = folder.join("user.nk");
    folder::write(&seed, &key.seed().context("making a key")?)?;
    folder::write(&folder.join(CONFIG), &config(folder, &key.public_key()))?;
    let guard = Command::new(env::current_exe().context("looking for ourselves")?)
        .arg("guard")
        .args([nats_server, folder])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // A Ctrl-C is for us; the guard notices that we are gone.
        .process_group(0)
        .spawn()
        .context("starting the guard of the throwaway server")?;
    Ok((guard, seed))
}

impl Drop for Throwaway {
    fn drop(&mut self) {
        // Its standard input closes, and it does the rest. There is nobody left to tell.
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

/// The largest messages, and room for what was reserved on a larger disk: the real disk is the limit.
fn config(folder: &Path, user: &str) -> String {
    format!(
        "server_name: cim-drill\nlisten: \"127.0.0.1:-1\"\nports_file_dir: \"{folder}\"\nmax_payload: 67108864\nmax_pending: 134217728\n\
         jetstream {{ store_dir: \"{folder}/js\", max_file_store: 1125899906842624, max_memory_store: 1125899906842624 }}\n\
         authorization {{ users: [{{ nkey: {user} }}] }}\n",
        folder = folder.display()
    )
}
