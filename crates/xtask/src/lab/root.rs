//! What hosts of the lab share: a small Debian with systemd, made once; and the programs that run it.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::mirror;
use crate::process;
use crate::progress::Progress;

/// The Debian release of the root.
const SUITE: &str = "trixie";

/// Bumped when the root is made in another way.
const STAMP: &str = "cim-lab-root-2";

/// What no host needs; paths of the packages' files.
const EXCLUDED: [&str; 7] = [
    "/usr/share/doc/*",
    "/usr/share/man/*",
    "/usr/share/locale/*",
    "/usr/share/i18n/*",
    "/usr/share/info/*",
    "/usr/share/zoneinfo/*",
    "/usr/lib/udev/hwdb.d/*",
];

/// Debian's own units that would only cost time.
const MASKED: &str = "systemd-timesyncd systemd-networkd systemd-resolved getty@tty1 e2scrub_reap remote-fs.target \
     systemd-pstore e2scrub_all.timer fstrim.timer apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
     systemd-logind console-getty systemd-userdbd.socket";

/// Finds or makes the root; installs the machine's programs that are missing.
pub fn ensure(dir: &Path, progress: &Progress) -> Result<PathBuf> {
    programs(progress)?;
    let root = dir.join("root");
    if root.join("etc").join(STAMP).exists() {
        return Ok(root);
    }
    progress.doing(
        &format!("making the lab's root: the smallest Debian {SUITE} that boots systemd"),
        || make(dir, &root).context("making the lab's root"),
    )?;
    Ok(root)
}

/// A lab needs the machine's own namespaces and so the machine's own programs: installed by apt, as root.
fn programs(progress: &Progress) -> Result<()> {
    let path = env::var_os("PATH").unwrap_or_default();
    let missing =
        |program: &str| !env::split_paths(&path).any(|folder| folder.join(program).is_file());
    let packages: Vec<&str> = cim_lab::PROGRAMS
        .iter()
        .chain(&[("mmdebstrap", "mmdebstrap")])
        .filter(|(program, _)| missing(program))
        .map(|(_, package)| *package)
        .collect();
    if packages.is_empty() {
        return Ok(());
    }
    let what = format!(
        "installing {} on this machine with apt-get",
        packages.join(", ")
    );
    progress.doing(&what, || {
        process::output(Command::new("apt-get").args(["-qq", "update"]))?;
        let mut apt = Command::new("apt-get");
        apt.args(["-qq", "install", "--yes", "--no-install-recommends"]);
        process::output(apt.args(&packages).env("DEBIAN_FRONTEND", "noninteractive"))?;
        Ok(())
    })
}

fn make(dir: &Path, root: &Path) -> Result<()> {
    let partial = dir.join("root.partial");
    fs::create_dir_all(dir).with_context(|| format!("creating {}", dir.display()))?;
    mirror::remove(&partial)?;
    let mut debootstrap = Command::new("mmdebstrap");
    debootstrap.args([
        "--quiet",
        "--variant=essential",
        // nix-bin: deploy-rs keeps generations with nix-env.
        "--include=systemd,procps,nix-bin",
        "--aptopt=Acquire::Check-Valid-Until \"false\"",
        "--aptopt=APT::Install-Recommends \"false\"",
    ]);
    debootstrap.args(EXCLUDED.map(|path| format!("--dpkgopt=path-exclude={path}")));
    for hook in hooks() {
        debootstrap.arg(format!("--customize-hook={hook}"));
    }
    process::output(debootstrap.arg(SUITE).arg(&partial))?;
    ensure!(
        partial.join("usr/lib/systemd/systemd").exists(),
        "mmdebstrap made a root without systemd"
    );
    mirror::remove(root)?;
    fs::rename(&partial, root).with_context(|| format!("moving the root to {}", root.display()))
}

/// Shell that mmdebstrap runs at the end; `$1` is the root.
fn hooks() -> [String; 3] {
    [
        "rm -rf \"$1\"/var/lib/apt/lists/* \"$1\"/var/cache/* \"$1\"/var/log/* \"$1\"/usr/share/bash-completion \
         \"$1\"/usr/share/zsh"
            .to_owned(),
        format!(
            "for unit in {MASKED}; do ln -sf /dev/null \"$1\"/etc/systemd/system/${{unit}}$(case $unit in *.*) ;; \
             *) echo .service ;; esac); done; ln -sf /usr/lib/systemd/system/multi-user.target \
             \"$1\"/etc/systemd/system/default.target"
        ),
        format!(
            "rm -f \"$1\"/etc/hostname; : > \"$1\"/etc/machine-id; mkdir -p \"$1\"/nix/store; : > \"$1\"/etc/{STAMP}"
        ),
    ]
}
