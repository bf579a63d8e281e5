//! What activation does with a system: units, `/etc`, users, and the files that the network's owner writes.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::command::{gone, names, read, write};

/// Where units go.
const UNITS: &str = "etc/systemd/system";

/// Ids of system users count down from here, as in NixOS.
const LAST_ID: u32 = 999;

#[derive(Deserialize)]
struct Accounts {
    users: BTreeMap<String, User>,
    groups: BTreeMap<String, Group>,
}

#[derive(Deserialize)]
struct User {
    uid: Option<u32>,
    group: String,
}

#[derive(Deserialize)]
struct Group {
    gid: Option<u32>,
}

#[derive(Deserialize)]
struct Mode {
    mode: String,
}

/// Puts a system's units and files into a root, and takes away those of the system before.
pub fn install(root: &Path, toplevel: &Path, before: Option<&Path>) -> Result<()> {
    for (from, to) in [("units", UNITS), ("etc", "etc")] {
        if let Some(before) = before {
            for path in files(&before.join(from))? {
                let place = root.join(to).join(&path);
                gone(fs::remove_file(&place), &place)?;
            }
        }
        for path in files(&toplevel.join(from))? {
            copy(&toplevel.join(from).join(&path), &root.join(to).join(&path))?;
        }
    }
    let modes: BTreeMap<String, Mode> = json(&toplevel.join("etc-modes.json"))?;
    for (path, Mode { mode }) in modes {
        let place = root.join("etc").join(path);
        let bits = u32::from_str_radix(&mode, 8).with_context(|| format!("the mode {mode}"))?;
        fs::set_permissions(&place, fs::Permissions::from_mode(bits))
            .with_context(|| format!("setting the mode of {}", place.display()))?;
    }
    Ok(())
}

/// Only the files of a system's `/etc/cim`, with the units left as they are: what a wrong table of triggers makes.
pub fn install_config(root: &Path, toplevel: &Path) -> Result<()> {
    for path in files(&toplevel.join("etc/cim"))? {
        let path = Path::new("etc/cim").join(path);
        copy(&toplevel.join(&path), &root.join(&path))?;
    }
    Ok(())
}

/// The files of a system that a root does not hold as they are, by their paths there.
pub fn differing(root: &Path, toplevel: &Path) -> Result<Vec<PathBuf>> {
    let mut differing = Vec::new();
    for (from, to) in [("units", UNITS), ("etc", "etc")] {
        for path in files(&toplevel.join(from))? {
            let (built, there) = (toplevel.join(from).join(&path), root.join(to).join(&path));
            let same = match fs::read_link(&built) {
                Ok(target) => fs::read_link(&there).is_ok_and(|found| found == target),
                Err(_) => fs::read(&built)
                    .is_ok_and(|text| fs::read(&there).is_ok_and(|found| found == text)),
            };
            if !same {
                differing.push(Path::new("/").join(to).join(path));
            }
        }
    }
    Ok(differing)
}

/// Makes the users and groups that a system declares and the root does not have; gives the ids of the users.
pub fn users(root: &Path, toplevel: &Path) -> Result<BTreeMap<String, u32>> {
    let accounts: Accounts = json(&toplevel.join("users.json"))?;
    let (passwd, group) = (root.join("etc/passwd"), root.join("etc/group"));
    let mut gids = ids(&read(&group)?);
    let mut uids = ids(&read(&passwd)?);
    let taken: Vec<u32> = gids.values().chain(uids.values()).copied().collect();
    let mut free_ids = (0..=LAST_ID).rev().filter(|id| !taken.contains(id));
    for (name, wanted) in accounts.groups {
        if let Entry::Vacant(free) = gids.entry(name) {
            let gid = wanted.gid.or_else(|| free_ids.next());
            let gid = gid.context("no id is free")?;
            append(&group, &format!("{}:x:{gid}:\n", free.key()))?;
            free.insert(gid);
        }
    }
    for (name, wanted) in accounts.users {
        if uids.contains_key(&name) {
            continue;
        }
        let gid = gids.get(&wanted.group);
        let gid = gid.with_context(|| format!("no group {}", wanted.group))?;
        let uid = wanted.uid.unwrap_or(*gid);
        append(
            &passwd,
            &format!("{name}:x:{uid}:{gid}::/var/empty:/usr/sbin/nologin\n"),
        )?;
        uids.insert(name, uid);
    }
    Ok(uids)
}

/// Names and addresses of the fleet, and the host's own name.
pub fn name(root: &Path, host: &str, fleet: &[(String, String)]) -> Result<()> {
    let mut hosts = String::from("127.0.0.1 localhost\n");
    for (name, address) in fleet {
        hosts.push_str(&format!("{address} {name}\n"));
    }
    write(&root.join("etc/hosts"), hosts)?;
    write(&root.join("etc/hostname"), format!("{host}\n"))
}

/// The units of ours in a system.
pub fn units(toplevel: &Path) -> Result<BTreeMap<String, String>> {
    let folder = toplevel.join("units");
    let mut units = BTreeMap::new();
    for name in names(&folder)? {
        let path = folder.join(&name);
        if path.is_file() {
            units.insert(name, read(&path)?);
        }
    }
    Ok(units)
}

fn ids(table: &str) -> BTreeMap<String, u32> {
    let entry = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next()?.to_owned();
        Some((name, fields.nth(1)?.parse().ok()?))
    };
    table.lines().filter_map(entry).collect()
}

fn append(path: &Path, line: &str) -> Result<()> {
    fs::OpenOptions::new()
        .append(true)
        .open(path)
        .and_then(|mut file| file.write_all(line.as_bytes()))
        .with_context(|| format!("writing {}", path.display()))
}

/// Every file and link below a folder, by its path from there.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut next = vec![PathBuf::new()];
    while let Some(path) = next.pop() {
        let here = folder.join(&path);
        let is_folder = fs::symlink_metadata(&here).is_ok_and(|found| found.is_dir());
        if is_folder {
            next.extend(names(&here)?.into_iter().map(|name| path.join(name)));
        } else if here.symlink_metadata().is_ok() {
            found.push(path);
        }
    }
    Ok(found)
}

/// Copies a file or link, in the place of whatever is there.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let doing = || format!("installing {}", to.display());
    gone(fs::remove_file(to), to)?;
    if let Ok(target) = fs::read_link(from) {
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder).with_context(doing)?;
        }
        return symlink(target, to).with_context(doing);
    }
    let content = fs::read(from).with_context(doing)?;
    write(to, content)
}

fn json<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<T> {
    serde_json::from_str(&read(path)?).with_context(|| format!("reading {}", path.display()))
}
