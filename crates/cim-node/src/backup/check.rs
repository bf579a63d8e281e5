//! Whether a backup is whole: every file there, of its size and checksum, and nothing else.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::manifest::{Digested, MANIFEST, Manifest, SUMS};
use super::problem::{Level, Problem};
use super::status::DRILL;
use super::{folder, hex};

/// What to do about a file that is not as it was written.
const ANOTHER: &str =
    "take another backup; `cim-backup list` names them, and look at the disk that holds this one";

/// Looks without reading the large files: the manifest, its checksum, every file's size.
///
/// # Errors
/// All that is wrong.
pub fn glance(backup: &Path) -> Result<Manifest, Vec<Problem>> {
    look(backup, &|path| {
        let size = fs::metadata(path)?.len();
        Ok((size, None))
    })
}

/// Reads every file.
///
/// # Errors
/// All that is wrong.
pub fn read(backup: &Path) -> Result<Manifest, Vec<Problem>> {
    look(backup, &|path| {
        let Digested { size, sha256 } = folder::digest(path)?;
        Ok((size, Some(sha256)))
    })
}

type Measure = dyn Fn(&Path) -> std::io::Result<(u64, Option<String>)>;

fn look(backup: &Path, measure: &Measure) -> Result<Manifest, Vec<Problem>> {
    let place = backup.display().to_string();
    if folder::is_partial(backup) {
        let what = "was never finished, or is being written";
        let help = "take another backup; the next `cim-backup create` removes this one";
        return Err(vec![Problem::new(place, what, help)]);
    }
    if !backup.is_dir() {
        let help = "name a folder that `cim-backup create` made, or the one that it makes them in";
        return Err(vec![Problem::new(place, "is no folder", help)]);
    }
    let (manifest, text) = Manifest::read(backup).map_err(|problem| vec![problem])?;
    let mut problems: Vec<Problem> = sums(backup, &manifest, &text).into_iter().collect();
    for (name, written) in manifest.files() {
        let path = backup.join(&name);
        if let Some(what) = file(&path, written, measure) {
            problems.push(Problem::new(path.display().to_string(), what, ANOTHER));
        }
    }
    problems.extend(strangers(backup, &manifest));
    match problems
        .iter()
        .any(|problem| problem.level > Level::Warning)
    {
        true => Err(problems),
        false => Ok(manifest),
    }
}

fn file(path: &Path, written: &Digested, measure: &Measure) -> Option<String> {
    match measure(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Some("is missing".to_owned()),
        Err(error) => Some(format!("cannot be read: {error}")),
        Ok((size, _)) if size != written.size => Some(format!(
            "is cut or has grown: {size} bytes, and {} were written",
            written.size
        )),
        Ok((_, Some(found))) if found != written.sha256 => Some(format!(
            "is damaged: its SHA-256 is {found}, and {} was written",
            written.sha256
        )),
        Ok(_) => None,
    }
}

/// The sums must be what this very manifest gives, to the byte.
fn sums(backup: &Path, manifest: &Manifest, text: &str) -> Option<Problem> {
    let path = backup.join(SUMS);
    let damaged =
        |place: &Path, what: String| Some(Problem::new(place.display().to_string(), what, ANOTHER));
    let found = match fs::read(&path) {
        Ok(found) => found,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return damaged(&path, "is missing".to_owned());
        }
        Err(error) => return damaged(&path, format!("cannot be read: {error}")),
    };
    let digest = hex(&Sha256::digest(text));
    if found == manifest.sums(&digest).as_bytes() {
        return None;
    }
    let found = String::from_utf8_lossy(&found);
    let line = format!("{digest}  {MANIFEST}");
    if found.lines().any(|one| one == line) {
        return damaged(&path, format!("is damaged: it is not what {MANIFEST} says"));
    }
    let what = format!("is damaged, or {SUMS} is: its SHA-256 is {digest}, which is not there");
    damaged(&backup.join(MANIFEST), what)
}

/// Files that are not of the backup: somebody else's, so nobody removes them.
pub fn strangers(backup: &Path, manifest: &Manifest) -> Vec<Problem> {
    let mut ours: BTreeSet<String> = manifest.files().map(|(name, _)| name).collect();
    ours.extend([MANIFEST, SUMS, DRILL].map(str::to_owned));
    let mut found = Vec::new();
    walk(backup, "", &mut found);
    found.sort();
    let strange = found.into_iter().filter(|name| !ours.contains(name));
    strange
        .map(|name| {
            let place = backup.join(name).display().to_string();
            let help = "move it elsewhere: the backup is not removed while it is there";
            Problem::new(place, "is not of this backup", help).level(Level::Warning)
        })
        .collect()
}

/// Every file below a folder, by its path in it. What cannot be read was named by then.
fn walk(folder: &Path, inside: &str, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = format!("{inside}{}", entry.file_name().to_string_lossy());
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => walk(&entry.path(), &format!("{name}/"), found),
            _ => found.push(name),
        }
    }
}
