//! Gives every file of a backup to a command, on its standard input.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use super::manifest::{Digested, MANIFEST, Manifest, SUMS};
use super::problem::Problem;
use super::{folder, status};

/// How much of what a command said is repeated.
const TAIL: usize = 500;

/// A command and its arguments; `{}` in them stands for `<backup>/<file>`.
#[derive(Debug, Clone)]
pub struct Sink(pub Vec<String>);

impl Sink {
    /// Runs it once a file; the manifest and the sums come last, so that a copy with them is whole. Stops at the first
    /// failure.
    ///
    /// # Errors
    /// The file, and what the command said.
    pub fn send(&self, backup: &Path, manifest: &Manifest) -> Result<usize, Problem> {
        let mut files: Vec<(String, Digested)> = manifest
            .files()
            .map(|(name, file)| (name, file.clone()))
            .collect();
        for name in [MANIFEST, SUMS] {
            let path = backup.join(name);
            let file = folder::digest(&path).map_err(|error| {
                Problem::new(path.display().to_string(), error.to_string(), "run again")
            })?;
            files.push((name.to_owned(), file));
        }
        for (name, file) in &files {
            if let Err(error) = self.run(backup, name, file) {
                return Err(Problem::new(
                    backup.join(name).display().to_string(),
                    format!("--sink {:?} did not take it: {error:#}", self.0.join(" ")),
                    "the backup itself is whole and stays, and older ones too; run the command by hand to see why, then `cim-backup create` again",
                ));
            }
        }
        Ok(files.len())
    }

    fn run(&self, backup: &Path, name: &str, file: &Digested) -> Result<()> {
        let full = format!("{}/{name}", status::name(backup));
        let mut words = self.0.iter().map(|word| word.replace("{}", &full));
        let program = words.next().context("it names no command")?;
        let input = File::open(backup.join(name)).context("reading it")?;
        let mut child = Command::new(&program)
            .args(words)
            .env("CIM_BACKUP_NAME", status::name(backup))
            .env("CIM_BACKUP_FILE", name)
            .env("CIM_BACKUP_SIZE", file.size.to_string())
            .env("CIM_BACKUP_SHA256", &file.sha256)
            .stdin(input)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting {program:?}"))?;
        let mut said = Vec::new();
        if let Some(mut stderr) = child.stderr.take() {
            stderr.read_to_end(&mut said).context("listening to it")?;
        }
        let status = child.wait().context("waiting for it")?;
        let said = String::from_utf8_lossy(&said).trim().to_owned();
        let from = said.char_indices().rev().nth(TAIL).map_or(0, |(at, _)| at);
        let said = said.get(from..).unwrap_or_default();
        anyhow::ensure!(status.success(), "{status}: {said}");
        Ok(())
    }
}
