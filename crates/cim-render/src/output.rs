//! Writes folders of artefacts: whole or not at all.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::Artefacts;

/// A folder that appears under its name only once it is complete.
pub struct Output {
    target: PathBuf,
    beside: PathBuf,
}

impl Output {
    /// Starts the folder `target`, which must not exist yet.
    ///
    /// # Errors
    /// A target that exists, or a parent that cannot be written.
    pub fn start(target: &Path) -> Result<Self> {
        ensure!(
            !target.exists(),
            "{} exists already: name a new folder",
            target.display()
        );
        let name = target
            .file_name()
            .with_context(|| format!("{} names no folder", target.display()))?
            .to_string_lossy();
        let beside = target.with_file_name(format!(".{name}.{}", std::process::id()));
        fs::create_dir_all(&beside).with_context(|| format!("creating {}", beside.display()))?;
        Ok(Self {
            target: target.to_owned(),
            beside,
        })
    }

    /// Writes one instance's files, into a folder of that name or right into the output.
    ///
    /// # Errors
    /// What the file system says.
    pub fn put(&self, folder: Option<&str>, artefacts: &Artefacts) -> Result<()> {
        let folder = self.beside.join(folder.unwrap_or(""));
        fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
        for (name, content) in &artefacts.files {
            let path = folder.join(name);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)
                    .with_context(|| format!("creating {}", parent.display()))?;
            }
            fs::write(&path, content).with_context(|| format!("writing {}", path.display()))?;
        }
        Ok(())
    }

    /// Writes one file right into the output.
    ///
    /// # Errors
    /// What the file system says.
    pub fn file(&self, name: &str, content: &str) -> Result<()> {
        let path = self.beside.join(name);
        fs::write(&path, content).with_context(|| format!("writing {}", path.display()))
    }

    /// Gives the folder its name.
    ///
    /// # Errors
    /// What the file system says.
    pub fn finish(self) -> Result<()> {
        fs::rename(&self.beside, &self.target).with_context(|| {
            format!(
                "renaming {} to {}",
                self.beside.display(),
                self.target.display()
            )
        })
    }
}

impl Drop for Output {
    /// Leaves nothing half-written behind; after `finish` there is nothing to remove.
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.beside);
    }
}
