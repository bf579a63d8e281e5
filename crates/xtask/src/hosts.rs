//! Hosts as far as secrets go: each has an ssh key of its own and opens its sealed file with it, by the real sops and
//! into memory, as sops-nix does.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use cim_admin::sops::Identities;
use tempfile::TempDir;

use crate::{private, process};

/// A file system without a disk, on every Linux.
const MEMORY: &str = "/dev/shm";

/// Hosts that live in memory; nothing is left of them when this is dropped.
pub struct Hosts {
    memory: TempDir,
    /// Where sops and ssh-keygen are found.
    path: OsString,
}

impl Hosts {
    /// No host yet. `path` is the PATH for the programs.
    pub fn new(path: OsString) -> Result<Self> {
        let mounts = fs::read_to_string("/proc/self/mounts").context("reading what is mounted")?;
        let is_memory = mounts.lines().any(|line| {
            let mut words = line.split(' ').skip(1);
            (words.next(), words.next()) == (Some(MEMORY), Some("tmpfs"))
        });
        ensure!(
            is_memory,
            "{MEMORY} is no tmpfs here: secrets would be opened onto a disk; mount one there"
        );
        let memory = tempfile::Builder::new()
            .prefix("cim-hosts-")
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir_in(MEMORY)
            .with_context(|| format!("creating a folder in {MEMORY}"))?;
        Ok(Self { memory, path })
    }

    /// What stands for the disks of all hosts.
    pub fn folder(&self) -> &Path {
        self.memory.path()
    }

    /// Makes a host; gives its public ssh key.
    pub fn add(&self, host: &str) -> Result<String> {
        let run = self.secrets(host);
        fs::create_dir_all(&run).with_context(|| format!("creating {}", run.display()))?;
        let key = self.ssh_key(host);
        let mut keygen = self.command("ssh-keygen");
        keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", host, "-f"]);
        process::quiet(keygen.arg(&key))?;
        let public = key.with_extension("pub");
        let text =
            fs::read_to_string(&public).with_context(|| format!("reading {}", public.display()))?;
        Ok(text.trim().to_owned())
    }

    /// The private ssh key of a host.
    pub fn private(&self, host: &str) -> Result<String> {
        let key = self.ssh_key(host);
        fs::read_to_string(&key).with_context(|| format!("reading {}", key.display()))
    }

    /// The same as an age key.
    pub fn age_key(&self, host: &str) -> Result<String> {
        let keys = Identities::read(&self.ssh_key(host))?;
        Ok(keys.text().to_string())
    }

    /// Opens a sealed file with the key of a host; gives where each entry lies, by its name.
    pub fn open(&self, host: &str, sealed: &Path) -> Result<BTreeMap<String, PathBuf>> {
        // sops-nix converts the ssh key, too, and has the age key in its folder while it opens.
        let keys = self.secrets(host).join("age-keys.txt");
        private::write(&keys, &self.age_key(host)?)?;
        let opened = self.decrypt(&keys, sealed, "json");
        fs::remove_file(&keys).with_context(|| format!("removing {}", keys.display()))?;
        let entries: BTreeMap<String, String> = serde_json::from_str(&opened?)
            .with_context(|| format!("reading what {} holds", sealed.display()))?;
        let mut files = BTreeMap::new();
        for (entry, value) in entries {
            let file = self.secrets(host).join(&entry);
            private::write(&file, &value)?;
            files.insert(entry, file);
        }
        Ok(files)
    }

    /// What the real sops makes of a sealed file with a file of age keys; `to` is a format of it.
    pub fn decrypt(&self, keys: &Path, sealed: &Path, to: &str) -> Result<String> {
        let mut sops = self.command("sops");
        sops.env("SOPS_AGE_KEY_FILE", keys)
            .args(["decrypt", "--output-type", to]);
        process::output(sops.arg(sealed))
    }

    /// Where sops-nix puts what a host's file holds.
    fn secrets(&self, host: &str) -> PathBuf {
        self.folder().join(host).join("run-secrets")
    }

    fn ssh_key(&self, host: &str) -> PathBuf {
        self.folder().join(host).join("ssh_host_ed25519_key")
    }

    /// A program that finds no keys but those it is given.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env("PATH", &self.path)
            .env("HOME", self.folder())
            .env("XDG_CONFIG_HOME", self.folder())
            .env_remove("SOPS_AGE_KEY")
            .env_remove("SOPS_AGE_SSH_PRIVATE_KEY_FILE");
        command
    }
}
