//! The real sops, age, age-keygen and ssh-keygen. A missing one fails the test.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};
use cim_admin::files::{Batch, Mode};
use cim_admin::sops::{Identities, Recipient};
use tempfile::TempDir;

/// A tool: `$NAME` in capitals, else the one on `PATH`.
pub fn tool(name: &str) -> Result<PathBuf> {
    let variable = name.to_uppercase().replace('-', "_");
    let named = env::var_os(&variable).map(PathBuf::from);
    let on_path = || {
        env::split_paths(&env::var_os("PATH")?)
            .map(|dir| dir.join(name))
            .find(|file| file.is_file())
    };
    named.or_else(on_path).with_context(|| {
        format!(
            "no {name}: run `cargo xtask test`, which brings one, or set {variable} to its path"
        )
    })
}

/// A folder with a key file, and sops to run in it.
pub struct Real {
    pub dir: TempDir,
    pub keys: Identities,
    sops: PathBuf,
}

impl Real {
    pub fn new() -> Result<Self> {
        let real = Self {
            dir: tempfile::tempdir()?,
            keys: Identities::generate(),
            sops: tool("sops")?,
        };
        let mut batch = Batch::default();
        let text = real.keys.text();
        batch.put(&real.path("keys.txt"), text.as_bytes(), Mode::Secret)?;
        batch.commit()?;
        Ok(real)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn recipient(&self) -> Recipient {
        self.keys.recipients().remove(0)
    }

    pub fn put(&self, name: &str, bytes: &[u8]) -> Result<()> {
        Ok(std::fs::write(self.path(name), bytes)?)
    }

    /// Runs sops in the folder with the folder's keys.
    pub fn sops(&self, args: &[&str]) -> Result<Output> {
        let mut command = Command::new(&self.sops);
        command
            .current_dir(self.dir.path())
            .env_remove("SOPS_AGE_KEY")
            .env("SOPS_AGE_KEY_FILE", self.path("keys.txt"))
            .args(args);
        command.output().context("running sops")
    }

    /// What the real sops makes of a sealed file.
    pub fn opened(&self, name: &str, from: &str, to: &str) -> Result<Vec<u8>> {
        done(self.sops(&["decrypt", "--input-type", from, "--output-type", to, name])?)
    }

    /// A readable file as the real sops seals it.
    pub fn sealed(&self, name: &str, kind: &str) -> Result<Vec<u8>> {
        let recipient = self.recipient().to_string();
        let kinds = ["--input-type", kind, "--output-type", kind];
        let args = [&["encrypt", "--age", &recipient][..], &kinds, &[name]].concat();
        done(self.sops(&args)?)
    }
}

/// What a program printed.
pub fn done(output: Output) -> Result<Vec<u8>> {
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(output.stdout)
}

/// Runs a tool in a folder.
pub fn run(name: &str, dir: &Path, args: &[&str]) -> Result<Vec<u8>> {
    let output = Command::new(tool(name)?)
        .current_dir(dir)
        .args(args)
        .output();
    done(output.with_context(|| format!("running {name}"))?)
}
