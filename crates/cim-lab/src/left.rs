//! What there is of a lab on this machine.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::ground::{NAME, STATE};
use crate::{cgroup, command, net};

/// What there is of a lab on this machine, one line each; nothing after a lab has gone.
///
/// # Errors
/// A machine that does not tell.
pub fn leftovers() -> Result<Vec<String>> {
    let mut found = Vec::new();
    let processes = cgroup::processes("")?;
    found.extend(processes.iter().map(|pid| format!("process {pid}")));
    found.extend(of_this_process()?);
    found.extend(
        mounts()?
            .iter()
            .map(|path| format!("mount {}", path.display())),
    );
    found.extend(net::left()?);
    for hierarchy in cgroup::hierarchies() {
        let group = hierarchy.join(NAME);
        if group.exists() {
            found.push(format!("cgroup {}", group.display()));
        }
    }
    if Path::new(STATE).exists() {
        found.push(format!("folder {STATE}"));
    }
    Ok(found)
}

/// Mount points of a lab, in the order they were made.
pub fn mounts() -> Result<Vec<PathBuf>> {
    let table = command::read(Path::new("/proc/self/mounts"))?;
    let points = table.lines().filter_map(|line| line.split(' ').nth(1));
    Ok(points
        .map(PathBuf::from)
        .filter(|path| path.starts_with(STATE))
        .collect())
}

/// Children that ended and nobody waited for, and threads that are still in another network.
fn of_this_process() -> Result<Vec<String>> {
    let tasks = Path::new("/proc/self/task");
    let network = |path: &Path| fs::read_link(path.join("ns/net"));
    let ours = network(Path::new("/proc/self")).context("reading which network this is")?;
    let mut found = Vec::new();
    for id in command::names(tasks)? {
        // A thread may end while we look.
        let task = tasks.join(&id);
        if network(&task).is_ok_and(|theirs| theirs != ours) {
            found.push(format!("namespace of thread {id}"));
        }
        let children = fs::read_to_string(task.join("children")).unwrap_or_default();
        let dead = children
            .split_whitespace()
            .filter_map(|pid| pid.parse().ok())
            .filter(|pid| cgroup::state(*pid) == Some('Z'));
        found.extend(dead.map(|pid| format!("process {pid}, which ended and nobody waited for")));
    }
    Ok(found)
}
