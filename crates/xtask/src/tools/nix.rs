//! Nix: the machine's own where it is new enough, else Debian's, run from its own folder.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::apt::{self, Tree, Wanted};
use super::site::{Site, Tool};
use super::version::Version;
use crate::mirror::{self, Mirror};
use crate::process;
use crate::progress::Progress;

/// Older ones know no `auto-allocate-uids` that works, no relative path inputs, or no `nix config`.
const OLDEST: Version = Version::new(2, 26, 0);

const WANTED: Wanted = Wanted {
    name: "nix",
    packages: &["nix-bin", "patchelf"],
    programs: &["nix"],
    folders: &[],
};

/// Finds Nix or installs it.
pub fn ensure(site: &Site, progress: &Progress) -> Result<Tool> {
    let wanted = |version| version >= OLDEST;
    if let Some(tool) = site.on_path("nix", wanted) {
        for name in apt::names(&site.bin())?
            .iter()
            .filter(|name| is_nix_program(name))
        {
            mirror::remove(&site.bin().join(name))?;
        }
        return Ok(tool);
    }
    if let Ok(tree) = Tree::open(&site.root().join(WANTED.name)) {
        configure(site, &tree)?;
        if let Some(tool) = site.installed("nix", wanted) {
            return Ok(tool);
        }
    }
    let what = format!(
        "nix: unpacking Debian {}'s packages, as there is none >= {OLDEST} on PATH",
        apt::SUITE
    );
    progress.doing(&what, || install(site).context("installing nix"))
}

fn install(site: &Site) -> Result<Tool> {
    let tree = apt::unpack(site, WANTED, relink)?;
    configure(site, &tree)?;
    Tool::at(&site.bin().join("nix"))
}

/// Makes the one binary (the others are links to it) use its own loader and libraries where it will be. It has to be
/// DT_RPATH, not RUNPATH: that also holds for what the libraries load, and LD_LIBRARY_PATH does not come before it.
/// Starting it by the loader is no way: Nix runs /proc/self/exe as its build hook.
fn relink(tree: &Tree, placed: &Tree) -> Result<()> {
    let mut patchelf = tree.command("usr/bin/patchelf");
    patchelf.arg("--set-interpreter").arg(placed.loader());
    patchelf
        .arg("--force-rpath")
        .arg("--set-rpath")
        .arg(placed.libraries());
    process::output(patchelf.arg(tree.path("usr/bin/nix")))
        .context("relinking nix")
        .map(|_| ())
}

/// Writes nix.conf, and into bin a wrapper for each of Nix's programs that makes it read that file.
fn configure(site: &Site, tree: &Tree) -> Result<()> {
    let folder = tree.path("etc/nix");
    let mut conf = Mirror::at(&folder);
    conf.write(
        Path::new("nix.conf"),
        settings(site.root()).as_bytes(),
        false,
    )?;
    let mut bin = Mirror::at(&site.bin());
    for name in apt::names(&tree.path("usr/bin"))?
        .iter()
        .filter(|name| is_nix_program(name))
    {
        let program = tree.path("usr/bin").join(name);
        let (folder, program) = (quoted(&folder), quoted(&program));
        let wrapper = format!(
            "#!/bin/sh\nconf={folder}\nexport NIX_CONF_DIR=\"${{NIX_CONF_DIR:-$conf}}\"\nexec {program} \"$@\"\n"
        );
        bin.write(Path::new(name), wrapper.as_bytes(), true)?;
    }
    Ok(())
}

/// What a machine's own Nix needs on top of its settings to build with the stand-in, whose builders use the machine's
/// programs; for NIX_CONFIG.
pub fn extra_settings(tools: &Path) -> String {
    format!(
        "extra-experimental-features = nix-command flakes\nextra-sandbox-paths = {}\n",
        sandbox_paths(tools)
    )
}

/// The sandbox stays on and shows builders the machine's programs, read-only for them: the uids of
/// auto-allocate-uids own nothing (without them builders are root and can write to /usr).
fn settings(tools: &Path) -> String {
    format!(
        "experimental-features = nix-command flakes auto-allocate-uids
build-users-group =
auto-allocate-uids = true
sandbox = true
sandbox-fallback = false
sandbox-paths = {}
max-jobs = auto
substituters =
flake-registry =
warn-dirty = false
",
        sandbox_paths(tools)
    )
}

/// The machine's programs, Rust, and the systemd that may be in our own folder; a question mark lets a path be absent.
fn sandbox_paths(tools: &Path) -> String {
    let mut paths =
        String::from("/bin=/usr/bin /usr /lib=/usr/lib /lib64=/usr/lib64? /etc/alternatives?");
    for path in rust_homes().into_iter().chain([tools.join("systemd")]) {
        paths.push_str(&format!(" {}?", path.display()));
    }
    paths
}

/// Where rustfmt and cargo live, so that builders find them; what is under /usr is shown anyhow.
fn rust_homes() -> Vec<PathBuf> {
    let home = env::var_os("HOME").map(PathBuf::from);
    let under_home = |folder: &str| home.as_ref().map(|home| home.join(folder));
    let of = |variable: &str, folder: &str| {
        env::var_os(variable)
            .map(PathBuf::from)
            .or_else(|| under_home(folder))
    };
    let homes = [of("CARGO_HOME", ".cargo"), of("RUSTUP_HOME", ".rustup")];
    homes
        .into_iter()
        .flatten()
        .filter(|home| home.is_absolute() && !home.starts_with("/usr"))
        .collect()
}

/// `nix`, `nix-build`, …; not nixfmt, which is in the same bin.
fn is_nix_program(name: &str) -> bool {
    name == "nix" || name.starts_with("nix-")
}

/// `path` as one word of a shell script.
pub fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', "'\\''"))
}
