//! A cgroup for each host: with `--keep-unit` all would share their caller's, and each systemd would see the others'
//! processes in its units.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::command;
use crate::ground::NAME;
use crate::wait::until;

/// The folders of the hierarchies in which the lab has a group: one where there is only version 2, else version 2's
/// and systemd's own.
pub fn hierarchies() -> Vec<PathBuf> {
    let root = Path::new("/sys/fs/cgroup");
    if root.join("cgroup.procs").exists() {
        return vec![root.to_path_buf()];
    }
    ["unified", "systemd"]
        .map(|name| root.join(name))
        .into_iter()
        .filter(|path| path.join("cgroup.procs").exists())
        .collect()
}

/// Makes the groups of a host and gives their `cgroup.procs`.
pub fn create(host: &str) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for hierarchy in hierarchies() {
        let group = hierarchy.join(NAME).join(host);
        fs::create_dir_all(&group).with_context(|| format!("creating {}", group.display()))?;
        files.push(group.join("cgroup.procs"));
    }
    ensure!(
        !files.is_empty(),
        "there is no cgroup hierarchy below /sys/fs/cgroup that systemd could use"
    );
    Ok(files)
}

/// Kills every process of a host, or of the whole lab (`""`), and waits until none is left.
pub fn kill(host: &str) -> Result<()> {
    until(
        "no process of the lab is left",
        Duration::from_secs(20),
        || {
            let left = processes(host)?;
            for pid in &left {
                if let Some(pid) = Pid::from_raw(*pid) {
                    // One that ended meanwhile is what we want.
                    let _ = kill_process(pid, Signal::KILL);
                }
            }
            ensure!(left.is_empty(), "processes {left:?} are still there");
            Ok(())
        },
    )
}

/// The processes of a host, or of the whole lab (`""`).
pub fn processes(host: &str) -> Result<Vec<i32>> {
    let mut found = Vec::new();
    for hierarchy in hierarchies() {
        for group in groups(&hierarchy.join(NAME).join(host))? {
            // A group may go while we look.
            let text = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
            found.extend(text.lines().filter_map(|line| line.parse::<i32>().ok()));
        }
    }
    found.sort_unstable();
    found.dedup();
    // Those that are dead and not yet waited for hold nothing.
    found.retain(|pid| state(*pid) != Some('Z'));
    Ok(found)
}

/// The state letter of a process, as the kernel tells; `None`: there is no such process.
pub fn state(pid: i32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

/// Lets every stopped process of a host go on; gives those that were.
pub fn thaw(host: &str) -> Result<Vec<i32>> {
    let mut stopped = processes(host)?;
    stopped.retain(|pid| state(*pid) == Some('T'));
    for pid in stopped.iter().filter_map(|pid| Pid::from_raw(*pid)) {
        kill_process(pid, Signal::CONT).context("letting a stopped process go on")?;
    }
    Ok(stopped)
}

/// Removes the groups of the lab; they must be empty.
pub fn remove() -> Result<()> {
    for hierarchy in hierarchies() {
        for group in groups(&hierarchy.join(NAME))?.iter().rev() {
            until("a cgroup is empty", Duration::from_secs(10), || {
                command::gone(fs::remove_dir(group), group)
            })?;
        }
    }
    Ok(())
}

/// A group and all below it, parents first.
fn groups(group: &Path) -> Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    let mut next = vec![group.to_path_buf()];
    while let Some(group) = next.pop() {
        if !group.is_dir() {
            continue;
        }
        let below = command::names(&group)?
            .into_iter()
            .map(|name| group.join(name));
        next.extend(below.filter(|path| path.is_dir()));
        all.push(group);
    }
    Ok(all)
}
