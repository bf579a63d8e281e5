//! The folder that tools are installed into, and what is found there and on PATH.

use std::env;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::version::Version;
use crate::mirror;
use crate::process;
use crate::progress::Progress;
use crate::workspace::Workspace;

/// A program that runs and says its version.
#[derive(Clone, Debug)]
pub struct Tool {
    /// Where it is.
    pub path: PathBuf,
    /// The version it prints.
    pub version: Version,
}

impl Tool {
    /// Asks the program at `path` for its version.
    pub fn at(path: &Path) -> Result<Self> {
        let context = || format!("asking {} for its version", path.display());
        let mut command = Command::new(path);
        // sops asks the network for a newer one, and says so at length.
        command
            .arg("--version")
            .env("SOPS_DISABLE_VERSION_CHECK", "1");
        let output = process::output(&mut command).with_context(context)?;
        Ok(Self {
            path: path.to_path_buf(),
            version: Version::printed(&output).with_context(context)?,
        })
    }
}

/// `target/tools`, and the PATH that was there before it.
#[derive(Debug)]
pub struct Site {
    root: PathBuf,
    build: PathBuf,
    path: Vec<PathBuf>,
}

impl Site {
    /// Makes the folders, empty as they may be.
    pub fn open(workspace: &Workspace) -> Result<Self> {
        let root = workspace.target.join("tools");
        let build = workspace.target.join("tools-build");
        let bin = root.join("bin");
        fs::create_dir_all(&bin).with_context(|| format!("creating {}", bin.display()))?;
        let path = env::var_os("PATH").unwrap_or_default();
        let path = env::split_paths(&path)
            .filter(|folder| *folder != bin)
            .collect();
        Ok(Self { root, build, path })
    }

    /// Waits until no other xtask installs; the lock goes with the file.
    pub fn lock(&self, progress: &Progress) -> Result<File> {
        let path = self.root.join(".lock");
        let context = || format!("locking {}", path.display());
        let file = File::create(&path).with_context(context)?;
        if file.try_lock().is_err() {
            progress.note("waiting for another xtask that is installing tools");
            file.lock().with_context(context)?;
        }
        Ok(file)
    }

    /// The folder that goes first on the PATH of child processes.
    pub fn bin(&self) -> PathBuf {
        self.root.join("bin")
    }

    /// The whole of `target/tools`.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where crates are compiled.
    pub fn build(&self) -> &Path {
        &self.build
    }

    /// An empty folder to prepare `name` in, on the same file system as its final place.
    pub fn fresh(&self, name: &str) -> Result<PathBuf> {
        let path = self.root.join(format!(".partial-{name}"));
        mirror::remove(&path)?;
        fs::create_dir_all(&path).with_context(|| format!("creating {}", path.display()))?;
        Ok(path)
    }

    /// The tool `name` of the machine, if it runs and its version is `wanted`.
    pub fn on_path(&self, name: &str, wanted: impl Fn(Version) -> bool) -> Option<Tool> {
        let mut candidates = self
            .path
            .iter()
            .map(|folder| folder.join(name))
            .filter(|path| is_program(path));
        candidates.find_map(|path| Tool::at(&path).ok().filter(|tool| wanted(tool.version)))
    }

    /// Whether the machine has a program `name`.
    pub fn has(&self, name: &str) -> bool {
        self.path
            .iter()
            .any(|folder| is_program(&folder.join(name)))
    }

    /// The tool `name` that an earlier run installed, if it runs and its version is `wanted`.
    pub fn installed(&self, name: &str, wanted: impl Fn(Version) -> bool) -> Option<Tool> {
        let path = self.bin().join(name);
        let tool = is_program(&path).then(|| Tool::at(&path).ok()).flatten();
        tool.filter(|tool| wanted(tool.version))
    }
}

fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}
