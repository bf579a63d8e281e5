//! Where secrets are looked for: folders, what came into the Nix store, and all objects of a git repository.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::needles::Finder;

/// What was found, and how much was looked at.
#[derive(Default)]
pub struct Search {
    /// Secret and place.
    pub found: BTreeSet<(String, String)>,
    /// Files, objects or texts.
    pub places: usize,
    /// Bytes of them.
    pub bytes: usize,
}

impl Search {
    /// Looks at some bytes.
    pub fn look(&mut self, finder: &Finder, place: &str, bytes: &[u8]) {
        self.places += 1;
        self.bytes += bytes.len();
        let names = finder.found(bytes).into_iter();
        self.found
            .extend(names.map(|name| (name.to_owned(), place.to_owned())));
    }

    /// Looks at a file or all files of a folder, their names too. Links are what they say.
    pub fn tree(&mut self, finder: &Finder, path: &Path) -> Result<()> {
        match self.below(finder, path) {
            // Another process may take away what was listed.
            Err(err) if err.kind() == ErrorKind::NotFound => Ok(()),
            looked => looked.with_context(|| format!("reading {}", path.display())),
        }
    }

    fn below(&mut self, finder: &Finder, path: &Path) -> io::Result<()> {
        let place = path.display().to_string();
        let kind = path.symlink_metadata()?.file_type();
        self.look(finder, &place, place.as_bytes());
        if kind.is_dir() {
            for entry in fs::read_dir(path)? {
                match self.below(finder, &entry?.path()) {
                    Err(err) if err.kind() == ErrorKind::NotFound => {}
                    looked => looked?,
                }
            }
        } else if kind.is_symlink() {
            let link = fs::read_link(path)?;
            self.look(finder, &place, link.as_os_str().as_encoded_bytes());
        } else if kind.is_file() {
            self.look(finder, &place, &fs::read(path)?);
        }
        Ok(())
    }

    /// Looks at every object of a repository, also at those that no branch has.
    pub fn git(&mut self, finder: &Finder, repository: &Path) -> Result<()> {
        let mut git = Command::new("git");
        git.arg("-C").arg(repository);
        git.args(["cat-file", "--batch", "--batch-all-objects"]);
        let output = git.output().context("running git cat-file")?;
        ensure!(
            output.status.success(),
            "git cat-file in {}: {}",
            repository.display(),
            String::from_utf8_lossy(&output.stderr)
        );
        let place = format!("git objects of {}", repository.display());
        self.look(finder, &place, &output.stdout);
        Ok(())
    }

    /// One line for each thing found.
    pub fn shown(&self) -> String {
        let lines = self.found.iter();
        let lines: Vec<_> = lines
            .map(|(name, place)| format!("  {name}, in {place}"))
            .collect();
        lines.join("\n")
    }
}

/// What is in the Nix store.
pub fn store() -> Result<BTreeSet<PathBuf>> {
    let reading = "reading /nix/store";
    fs::read_dir("/nix/store")
        .context(reading)?
        .map(|entry| Ok(entry.context(reading)?.path()))
        .collect()
}
