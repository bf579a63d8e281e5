//! Tools that are crates: formatters, and deploy-rs's `activate`; compiled once, without the parts we do not use.

use anyhow::{Context, Result};

use super::site::{Site, Tool};
use super::version::Version;
use crate::mirror;
use crate::process;
use crate::progress::Progress;
use crate::workspace::Workspace;

struct Crate {
    program: &'static str,
    package: &'static str,
    version: Version,
    features: &'static str,
    /// The oldest that is taken from PATH; none is, where the name says too little.
    oldest: Option<Version>,
}

const CRATES: [Crate; 3] = [
    // The same format as Haskell's nixfmt 1.2, which nixpkgs has; older ones differ.
    Crate {
        program: "nixfmt",
        package: "nixfmt_rs",
        version: Version::new(0, 5, 3),
        features: "cli",
        oldest: Some(Version::new(1, 2, 0)),
    },
    Crate {
        program: "deadnix",
        package: "deadnix",
        version: Version::new(1, 3, 1),
        features: "",
        oldest: Some(Version::new(1, 2, 0)),
    },
    Crate {
        program: "taplo",
        package: "taplo-cli",
        version: Version::new(0, 10, 0),
        features: "",
        oldest: Some(Version::new(0, 9, 3)),
    },
];

/// What deploy-rs runs on a host; the deploying side (`deploy`) is left out.
const ACTIVATE: Crate = Crate {
    program: "activate",
    package: "deploy-rs",
    version: Version::new(1, 0, 0),
    features: "",
    oldest: None,
};

/// Finds nixfmt, deadnix and taplo or compiles them, one after the other.
pub fn ensure(site: &Site, workspace: &Workspace, progress: &Progress) -> Result<[Tool; 3]> {
    let [nixfmt, deadnix, taplo] = &CRATES;
    let one = |wanted| one(wanted, site, workspace, progress);
    let tools = [one(nixfmt)?, one(deadnix)?, one(taplo)?];
    // Only now: they have dependencies in common.
    mirror::remove(site.build())?;
    Ok(tools)
}

/// Finds deploy-rs's `activate` or compiles it.
pub fn activate(site: &Site, workspace: &Workspace, progress: &Progress) -> Result<Tool> {
    let tool = one(&ACTIVATE, site, workspace, progress)?;
    mirror::remove(site.build())?;
    Ok(tool)
}

fn one(wanted: &Crate, site: &Site, workspace: &Workspace, progress: &Progress) -> Result<Tool> {
    let Crate {
        program,
        version,
        oldest,
        ..
    } = wanted;
    // Ours first, unlike elsewhere: compiling it again because PATH changed takes a minute.
    if let Some(tool) = site.installed(program, |found| found == *version) {
        return Ok(tool);
    }
    let mut why = String::new();
    if let Some(oldest) = oldest {
        if let Some(tool) = site.on_path(program, |found| found >= *oldest) {
            mirror::remove(&site.bin().join(program))?;
            return Ok(tool);
        }
        why = format!(", as there is none >= {oldest} on PATH");
    }
    let what = format!("{program} {version}: compiling{why}");
    progress.doing(&what, || {
        install(wanted, site, workspace).with_context(|| format!("installing {program}"))
    })
}

/// cargo puts a program in its place only when it is whole; `--force`, for its own list may say more than is there.
/// Unoptimised: they take milliseconds on our files either way, and compile in two thirds of the time.
fn install(wanted: &Crate, site: &Site, workspace: &Workspace) -> Result<Tool> {
    let mut cargo = workspace.cargo();
    cargo.args([
        "install",
        "--quiet",
        "--locked",
        "--force",
        "--no-default-features",
    ]);
    cargo
        .args(["--features", wanted.features])
        .arg("--root")
        .arg(site.root());
    cargo.args(["--bin", wanted.program]);
    cargo.arg(format!("{}@{}", wanted.package, wanted.version));
    cargo.env("CARGO_TARGET_DIR", site.build());
    for (setting, value) in [
        ("OPT_LEVEL", "0"),
        ("LTO", "off"),
        ("CODEGEN_UNITS", "16"),
        ("STRIP", "true"),
    ] {
        cargo.env(format!("CARGO_PROFILE_RELEASE_{setting}"), value);
    }
    process::output(&mut cargo)?;
    Tool::at(&site.bin().join(wanted.program))
}
