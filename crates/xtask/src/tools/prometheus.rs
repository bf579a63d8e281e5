//! Prometheus and its promtool: tests hold alerts and dashboards against them.

use std::path::Path;

use anyhow::{Context, Result};

use super::apt::{self, Tree, Wanted};
use super::nix::quoted;
use super::site::{Site, Tool};
use super::version::Version;
use crate::mirror::Mirror;
use crate::progress::Progress;

/// The first that knows `keep_firing_for`.
const OLDEST: Version = Version::new(2, 42, 0);

const PROGRAMS: [&str; 2] = ["prometheus", "promtool"];

const WANTED: Wanted = Wanted {
    name: "prometheus",
    packages: &["prometheus", "promtool"],
    programs: &PROGRAMS,
    folders: &[],
};

/// Finds Prometheus and promtool or installs both.
pub fn ensure(site: &Site, progress: &Progress) -> Result<[Tool; 2]> {
    let wanted = |version| version >= OLDEST;
    let on_path = PROGRAMS.map(|name| site.on_path(name, wanted));
    if let [Some(prometheus), Some(promtool)] = on_path {
        return Ok([prometheus, promtool]);
    }
    let installed = PROGRAMS.map(|name| site.installed(name, wanted));
    if let [Some(prometheus), Some(promtool)] = installed {
        return Ok([prometheus, promtool]);
    }
    let what = format!(
        "prometheus and promtool: unpacking Debian {}'s packages, as there are not both on PATH",
        apt::SUITE
    );
    progress.doing(&what, || install(site).context("installing prometheus"))
}

fn install(site: &Site) -> Result<[Tool; 2]> {
    let tree = apt::unpack(site, WANTED, |_, _| Ok(()))?;
    let mut bin = Mirror::at(&site.bin());
    for program in PROGRAMS {
        bin.write(Path::new(program), wrapper(&tree, program).as_bytes(), true)?;
    }
    let [prometheus, promtool] = PROGRAMS.map(|program| Tool::at(&site.bin().join(program)));
    Ok([prometheus?, promtool?])
}

/// Runs by the tree's loader: none of them starts another program.
fn wrapper(tree: &Tree, program: &str) -> String {
    let loader = quoted(&tree.loader());
    let libraries = quoted(&tree.libraries());
    let program = quoted(&tree.path(&format!("usr/bin/{program}")));
    format!("#!/bin/sh\nexec {loader} --library-path {libraries} {program} \"$@\"\n")
}
