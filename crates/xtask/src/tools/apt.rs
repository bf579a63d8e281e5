//! Debian packages in a folder of their own: downloaded with all they depend on, unpacked, never installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::site::Site;
use crate::mirror;
use crate::process;

/// The Debian release that packages are taken from, whatever the machine's own is.
pub const SUITE: &str = "trixie";

const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// What to unpack and what of it to keep.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// The folder in `target/tools` that it becomes.
    pub name: &'static str,
    /// The packages, whose dependencies come along.
    pub packages: &'static [&'static str],
    /// Programs in usr/bin whose names begin so are kept; the rest are not (some are setuid root).
    pub programs: &'static [&'static str],
    /// Further folders that are kept, beside the libraries.
    pub folders: &'static [&'static str],
}

/// A Debian file tree with its own C library and loader.
#[derive(Clone, Debug)]
pub struct Tree {
    root: PathBuf,
    triplet: String,
    loader: String,
}

impl Tree {
    /// Looks for the loader under `root`, which also tells the machine's Debian triplet.
    pub fn open(root: &Path) -> Result<Self> {
        for triplet in names(&root.join("usr/lib"))? {
            let folder = root.join("usr/lib").join(&triplet);
            if !triplet.contains("-linux-gnu") || !folder.is_dir() {
                continue;
            }
            if let Some(loader) = names(&folder)?
                .into_iter()
                .find(|name| name.starts_with("ld-linux"))
            {
                return Ok(Self {
                    root: root.to_path_buf(),
                    triplet,
                    loader,
                });
            }
        }
        bail!(
            "looking for the loader in {}: there is none",
            root.display()
        )
    }

    /// The same tree where it will be once its folder is `root`.
    pub fn moved_to(&self, root: &Path) -> Self {
        Self {
            root: root.to_path_buf(),
            ..self.clone()
        }
    }

    /// A file or folder of the tree.
    pub fn path(&self, inside: &str) -> PathBuf {
        self.root.join(inside)
    }

    /// The folder of the tree's libraries.
    pub fn libraries(&self) -> PathBuf {
        self.root.join("usr/lib").join(&self.triplet)
    }

    /// The tree's own dynamic loader.
    pub fn loader(&self) -> PathBuf {
        self.libraries().join(&self.loader)
    }

    /// A program of the tree, run with the tree's libraries.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.loader());
        command
            .arg("--library-path")
            .arg(self.libraries())
            .arg(self.path(program));
        command
    }
}

/// Unpacks what is `wanted` beside its final place, lets `prepare` work on it (it is given the tree as it is and as
/// it will be), and then moves it there.
pub fn unpack(
    site: &Site,
    wanted: Wanted,
    prepare: impl FnOnce(&Tree, &Tree) -> Result<()>,
) -> Result<Tree> {
    let partial = site.fresh(wanted.name)?;
    let all = partial.join("all");
    for package in download(&partial.join("apt"), wanted.packages)? {
        process::output(Command::new("dpkg-deb").arg("-x").arg(&package).arg(&all))?;
    }
    let tree = Tree::open(&all)?;
    let place = site.root().join(wanted.name);
    let placed = tree.moved_to(&place);
    prepare(&tree, &placed)?;
    let kept = partial.join("kept");
    keep(&tree, wanted, &kept)?;
    mirror::remove(&place)?;
    rename(&kept, &place)?;
    mirror::remove(&partial)?;
    Ok(placed)
}

/// Downloads `packages` and all they depend on with an apt state of its own, in which nothing is installed yet.
fn download(state: &Path, packages: &[&str]) -> Result<Vec<PathBuf>> {
    for folder in ["lists/partial", "cache/archives/partial"] {
        let path = state.join(folder);
        fs::create_dir_all(&path).with_context(|| format!("creating {}", path.display()))?;
    }
    let source = format!(
        "deb [signed-by={KEYRING}] {} {SUITE} main\n",
        mirror_of_this_machine()?
    );
    write(&state.join("sources.list"), &source)?;
    write(&state.join("status"), "")?;
    process::output(apt_get(state)?.arg("update"))?;
    process::output(
        apt_get(state)?
            .args(["-y", "--download-only", "install"])
            .args(packages),
    )?;
    let archives = state.join("cache/archives");
    let debs = names(&archives)?
        .into_iter()
        .filter(|name| name.ends_with(".deb"));
    Ok(debs.map(|name| archives.join(name)).collect())
}

/// apt-get that reads and writes only in the folder `state`, but for the machine's proxy settings and keyring.
fn apt_get(state: &Path) -> Result<Command> {
    let native = process::output(Command::new("dpkg").arg("--print-architecture"))?;
    let state = state.display();
    let mut apt = Command::new("apt-get");
    apt.arg("-qq");
    for option in [
        format!("Dir::Etc::sourcelist={state}/sources.list"),
        "Dir::Etc::sourceparts=/dev/null".into(),
        "Dir::Etc::preferences=/dev/null".into(),
        "Dir::Etc::preferencesparts=/dev/null".into(),
        format!("Dir::State={state}"),
        format!("Dir::State::status={state}/status"),
        format!("Dir::Cache={state}/cache"),
        format!("APT::Architectures={}", native.trim()),
        "APT::Install-Recommends=false".into(),
        "APT::Sandbox::User=root".into(),
        "Acquire::Check-Valid-Until=false".into(),
        "Acquire::Languages=none".into(),
        "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false".into(),
        "Acquire::Retries=3".into(),
    ] {
        apt.arg("-o").arg(option);
    }
    Ok(apt)
}

/// The Debian archive that this machine's apt already uses; the security archive is another.
fn mirror_of_this_machine() -> Result<String> {
    let format = "$(REPO_URI)|$(ORIGIN)";
    let targets = process::output(Command::new("apt-get").args([
        "indextargets",
        "--format",
        format,
        "Created-By: Packages",
    ]))
    .context("asking apt for its archives")?;
    let debian = |line: &str| {
        let (uri, origin) = line.split_once('|')?;
        // A machine that never ran `apt-get update` does not know the origins yet.
        let main = matches!(origin, "Debian" | "") && !uri.contains("security");
        main.then(|| uri.to_owned())
    };
    targets
        .lines()
        .find_map(debian)
        .context("looking for a Debian archive in apt's sources: there is none")
}

/// Moves the part of the tree that is `wanted` to `place`.
fn keep(tree: &Tree, wanted: Wanted, place: &Path) -> Result<()> {
    for useless in names(&tree.libraries())? {
        if useless == "gconv" || useless.starts_with("perl") {
            mirror::remove(&tree.libraries().join(useless))?;
        }
    }
    let libraries = format!("usr/lib/{}", tree.triplet);
    let programs = names(&tree.path("usr/bin"))?
        .into_iter()
        .filter(|name| wanted.programs.iter().any(|known| name.starts_with(known)));
    let programs = programs.map(|name| format!("usr/bin/{name}"));
    let folders = wanted.folders.iter().map(|folder| (*folder).to_owned());
    for path in programs.chain(folders).chain([libraries]) {
        rename(&tree.path(&path), &place.join(&path))?;
    }
    Ok(())
}

fn rename(from: &Path, to: &Path) -> Result<()> {
    let context = || format!("moving {} to {}", from.display(), to.display());
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).with_context(context)?;
    }
    fs::rename(from, to).with_context(context)
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}

/// The names of a folder's entries, in order.
pub fn names(folder: &Path) -> Result<Vec<String>> {
    let context = || format!("listing {}", folder.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).with_context(context)? {
        names.push(
            entry
                .with_context(context)?
                .file_name()
                .to_string_lossy()
                .into_owned(),
        );
    }
    names.sort();
    Ok(names)
}
