//! A folder made to hold exactly the files it is given, touching only what differs.

use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// A folder under construction: put files in, then [`Mirror::finish`] removes everything else.
#[derive(Debug)]
pub struct Mirror {
    root: PathBuf,
    kept: BTreeSet<PathBuf>,
}

impl Mirror {
    /// Begins a mirror at `root`, which may exist.
    pub fn at(root: &Path) -> Self {
        Self {
            root: root.to_path_buf(),
            kept: BTreeSet::new(),
        }
    }

    /// Puts the file or symbolic link `from` at `to`, with its executable bit.
    pub fn copy(&mut self, to: &Path, from: &Path) -> Result<()> {
        let found =
            fs::symlink_metadata(from).with_context(|| format!("reading {}", from.display()))?;
        if found.is_symlink() {
            let link = fs::read_link(from)
                .with_context(|| format!("reading the link {}", from.display()))?;
            return self.link(to, &link);
        }
        if !found.is_file() {
            bail!("copying {}: neither a file nor a link", from.display());
        }
        let content = fs::read(from).with_context(|| format!("reading {}", from.display()))?;
        self.write(to, &content, is_executable(&found))
    }

    /// Puts everything under the folder `from` at the same paths.
    pub fn copy_folder(&mut self, from: &Path) -> Result<()> {
        let mut folders = vec![PathBuf::new()];
        while let Some(folder) = folders.pop() {
            for (name, kind) in list(&from.join(&folder))? {
                let path = folder.join(name);
                if kind.is_dir() {
                    folders.push(path);
                } else {
                    self.copy(&path, &from.join(&path))?;
                }
            }
        }
        Ok(())
    }

    /// Puts a file with this content at `to`.
    pub fn write(&mut self, to: &Path, content: &[u8], executable: bool) -> Result<()> {
        let path = self.place(to)?;
        let mode = if executable { 0o755 } else { 0o644 };
        let same = match fs::symlink_metadata(&path) {
            Ok(found) if found.is_file() && found.len() == content.len() as u64 => {
                is_executable(&found) == executable
                    && fs::read(&path).is_ok_and(|old| old == content)
            }
            _ => false,
        };
        if same {
            return Ok(());
        }
        remove(&path)?;
        fs::write(&path, content).with_context(|| format!("writing {}", path.display()))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(mode))
            .with_context(|| format!("setting the mode of {}", path.display()))
    }

    /// Removes what was not put in.
    pub fn finish(self) -> Result<()> {
        prune(&self.root, Path::new(""), &self.kept).map(|_| ())
    }

    fn link(&mut self, to: &Path, target: &Path) -> Result<()> {
        let path = self.place(to)?;
        if fs::read_link(&path).is_ok_and(|old| old == target) {
            return Ok(());
        }
        remove(&path)?;
        symlink(target, &path).with_context(|| format!("linking {}", path.display()))
    }

    /// Notes that `to` stays and makes its folder, in the place of a file or link if need be.
    fn place(&mut self, to: &Path) -> Result<PathBuf> {
        self.kept.insert(to.to_path_buf());
        let path = self.root.join(to);
        let mut folder = self.root.clone();
        for part in to.parent().into_iter().flat_map(Path::components) {
            folder.push(part);
            if fs::symlink_metadata(&folder).is_ok_and(|found| !found.is_dir()) {
                remove(&folder)?;
            }
        }
        fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
        Ok(path)
    }
}

/// Removes all under `folder` that is not in `kept`, and says whether anything is left.
fn prune(root: &Path, folder: &Path, kept: &BTreeSet<PathBuf>) -> Result<bool> {
    let here = root.join(folder);
    let mut left = false;
    for (name, kind) in list(&here)? {
        let path = folder.join(name);
        if kind.is_dir() {
            left |= prune(root, &path, kept)?;
        } else if kept.contains(&path) {
            left = true;
        } else {
            remove(&root.join(&path))?;
        }
    }
    if !left && !folder.as_os_str().is_empty() {
        fs::remove_dir(&here).with_context(|| format!("removing {}", here.display()))?;
    }
    Ok(left)
}

/// Removes the file, link or folder at `path` if there is one.
pub fn remove(path: &Path) -> Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", path.display()))
        }
        _ => Ok(()),
    }
}

fn list(folder: &Path) -> Result<Vec<(std::ffi::OsString, fs::FileType)>> {
    let context = || format!("listing {}", folder.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(context)? {
        let entry = entry.with_context(context)?;
        found.push((entry.file_name(), entry.file_type().with_context(context)?));
    }
    Ok(found)
}

fn is_executable(found: &Metadata) -> bool {
    found.permissions().mode() & 0o100 != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_exactly_what_was_put_in_and_leaves_equal_files_alone() {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path();
        let put = |files: &[(&str, &str)]| {
            let mut mirror = Mirror::at(root);
            for (path, content) in files {
                mirror
                    .write(Path::new(path), content.as_bytes(), false)
                    .unwrap();
            }
            mirror.finish().unwrap();
        };
        put(&[("a", "1"), ("d/e/f", "2"), ("g/h", "3")]);
        let before = fs::metadata(root.join("a")).unwrap();
        put(&[
            ("a", "1"),
            ("d", "now a file"),
            ("g/h/i", "now in a folder"),
        ]);
        let after = fs::metadata(root.join("a")).unwrap();
        assert_eq!(before.modified().unwrap(), after.modified().unwrap());
        assert_eq!(fs::read_to_string(root.join("d")).unwrap(), "now a file");
        assert_eq!(
            fs::read_to_string(root.join("g/h/i")).unwrap(),
            "now in a folder"
        );
        put(&[("a", "2")]);
        assert_eq!(fs::read_to_string(root.join("a")).unwrap(), "2");
        assert_eq!(list(root).unwrap().len(), 1);
    }

    #[test]
    fn copies_links_as_links_and_keeps_the_executable_bit() {
        let scratch = tempfile::tempdir().unwrap();
        let from = scratch.path().join("from");
        fs::create_dir_all(from.join("bin")).unwrap();
        fs::write(from.join("bin/tool"), "#!/bin/sh\n").unwrap();
        fs::set_permissions(from.join("bin/tool"), fs::Permissions::from_mode(0o755)).unwrap();
        symlink("bin/tool", from.join("link")).unwrap();
        let to = scratch.path().join("to");
        for _ in 0..2 {
            let mut mirror = Mirror::at(&to);
            mirror.copy_folder(&from).unwrap();
            mirror.finish().unwrap();
        }
        assert!(is_executable(&fs::metadata(to.join("bin/tool")).unwrap()));
        assert_eq!(
            fs::read_link(to.join("link")).unwrap(),
            Path::new("bin/tool")
        );
    }
}
