//! What the lab stands on: root, programs, one lock, and a name by which all of it is found and removed.

use std::env;
use std::fs::{self, File};
use std::path::Path;
use std::thread;

use anyhow::{Context, Result, bail, ensure};

use crate::left::mounts;
use crate::{cgroup, command, net};

/// The name that everything of a lab carries.
pub const NAME: &str = "cim-lab";

/// Where a lab keeps its files: a tmpfs of its own, while it runs.
pub const STATE: &str = "/run/cim-lab";

const LOCK: &str = "/run/cim-lab.lock";

/// Programs of this machine that a lab runs, each with the Debian package that has it.
pub const PROGRAMS: [(&str, &str); 5] = [
    ("systemd-nspawn", "systemd-container"),
    ("ip", "iproute2"),
    ("nft", "nftables"),
    ("nsenter", "util-linux"),
    ("mount", "mount"),
];

/// The one lab of this machine; everything of it is removed when this is dropped.
#[derive(Debug)]
pub struct Ground {
    _lock: File,
}

impl Ground {
    /// Takes the machine's one lab, after removing what a killed one left.
    ///
    /// # Errors
    /// Not root, a missing program, no namespaces, or another lab that is running.
    pub fn take() -> Result<Self> {
        possible()?;
        for (program, package) in PROGRAMS {
            ensure!(
                on_path(program),
                "there is no {program} on PATH: apt-get install --no-install-recommends {package}"
            );
        }
        ensure!(
            Path::new("/nix/store").is_dir(),
            "there is no /nix/store: `cargo xtask lab` fills it"
        );
        let lock = File::create(LOCK).with_context(|| format!("creating {LOCK}"))?;
        if lock.try_lock().is_err() {
            bail!("another lab runs on this machine: it holds {LOCK}");
        }
        clean_up().context("removing what an earlier lab left")?;
        let ground = Self { _lock: lock };
        fs::create_dir_all(STATE).with_context(|| format!("creating {STATE}"))?;
        command::run(
            "mount",
            &format!("-t tmpfs -o mode=0755,size=4g {NAME} {STATE}"),
        )?;
        Ok(ground)
    }
}

/// Whether this machine lets a lab boot hosts at all.
///
/// # Errors
/// Not root, or no namespaces.
pub fn possible() -> Result<()> {
    ensure!(
        rustix::process::geteuid().is_root(),
        "the lab boots hosts and needs root; `cargo xtask test --no-lab` leaves it out"
    );
    command::run("unshare", "--mount --net --pid --fork --uts --ipc true").context(
        "the lab boots hosts and needs namespaces; `cargo xtask test --no-lab` leaves it out",
    )?;
    Ok(())
}

impl Drop for Ground {
    fn drop(&mut self) {
        if let Err(error) = clean_up() {
            eprintln!("error: removing the lab: {error:#}");
        }
    }
}

/// Removes the lab when this process is interrupted or terminated, and ends it.
///
/// # Errors
/// A machine that gives no thread.
pub fn clean_up_when_interrupted() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("listening for signals")?;
    let listen = move || {
        runtime.block_on(async {
            use tokio::signal::unix::{SignalKind, signal};
            let (Ok(mut interrupt), Ok(mut terminate)) = (
                signal(SignalKind::interrupt()),
                signal(SignalKind::terminate()),
            ) else {
                return;
            };
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            eprintln!("interrupted: removing the lab");
            // The rest of this process may have been making things meanwhile: twice.
            let removed = clean_up().and_then(|()| clean_up());
            if let Err(error) = removed {
                eprintln!("error: removing the lab: {error:#}");
            }
            std::process::exit(130);
        });
    };
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(listen)
        .context("listening for signals")?;
    Ok(())
}

/// Removes processes, mounts, networks, groups and files of whatever lab was here.
pub fn clean_up() -> Result<()> {
    cgroup::kill("")?;
    for mount in mounts()?.iter().rev() {
        command::output(
            std::process::Command::new("umount")
                .arg("--lazy")
                .arg(mount),
        )?;
    }
    let left = mounts()?;
    ensure!(left.is_empty(), "{left:?} are still mounted");
    net::remove()?;
    cgroup::remove()?;
    let state = Path::new(STATE);
    command::gone(fs::remove_dir_all(state), state)
}

fn on_path(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}
