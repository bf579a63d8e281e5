//! systemd-analyze: the machine's own, else Debian's, run from its own folder.

use std::path::Path;

use anyhow::{Context, Result};

use super::apt::{self, Tree, Wanted};
use super::nix::quoted;
use super::site::{Site, Tool};
use super::version::Version;
use crate::mirror::{self, Mirror};
use crate::progress::Progress;

/// The first that knows `security --offline`.
const OLDEST: Version = Version::new(250, 0, 0);

const PROGRAM: &str = "systemd-analyze";

const WANTED: Wanted = Wanted {
    name: "systemd",
    packages: &["systemd"],
    programs: &[PROGRAM],
    folders: &["usr/lib/systemd/system"],
};

/// Finds systemd-analyze or installs it.
pub fn ensure(site: &Site, progress: &Progress) -> Result<Tool> {
    let wanted = |version| version >= OLDEST;
    if let Some(tool) = site.on_path(PROGRAM, wanted) {
        mirror::remove(&site.bin().join(PROGRAM))?;
        return Ok(tool);
    }
    if let Some(tool) = site.installed(PROGRAM, wanted) {
        return Ok(tool);
    }
    let what = format!(
        "{PROGRAM}: unpacking Debian {}'s packages, as there is none on PATH",
        apt::SUITE
    );
    progress.doing(&what, || {
        install(site).with_context(|| format!("installing {PROGRAM}"))
    })
}

/// Runs by the tree's loader: unlike Nix it starts nothing else. Its units stand in for the machine's, which has none.
fn install(site: &Site) -> Result<Tool> {
    let tree = apt::unpack(site, WANTED, |_, _| Ok(()))?;
    Mirror::at(&site.bin()).write(Path::new(PROGRAM), wrapper(&tree).as_bytes(), true)?;
    Tool::at(&site.bin().join(PROGRAM))
}

fn wrapper(tree: &Tree) -> String {
    let units = quoted(&tree.path("usr/lib/systemd/system"));
    let libraries = quoted(&tree.libraries());
    let loader = quoted(&tree.loader());
    let program = quoted(&tree.path("usr/bin/systemd-analyze"));
    format!(
        "#!/bin/sh
units={units}
export SYSTEMD_UNIT_PATH=\"${{SYSTEMD_UNIT_PATH:-$units:}}\"
exec {loader} --library-path {libraries}:{libraries}/systemd {program} \"$@\"
"
    )
}
