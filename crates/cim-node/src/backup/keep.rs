//! Which backups go: never the newest good one, never what is damaged or holds a file of somebody else's.

use std::path::{Path, PathBuf};

use anyhow::Result;
use time::{Duration, OffsetDateTime};

use super::folder::{self, Folder};
use super::manifest::Manifest;
use super::problem::{Level, Problem};
use super::{check, status};

/// How many are kept. A backup stays if either says so; if neither is set, all stay.
#[derive(Debug, Clone, Copy, Default)]
pub struct Keep {
    /// So many of the newest good ones.
    pub newest: Option<usize>,
    /// All of so many days.
    pub days: Option<u32>,
}

impl Keep {
    /// Removes what need not be kept; gives what went.
    ///
    /// # Errors
    /// Files that cannot be read or removed.
    pub fn prune(
        self,
        folder: &Folder,
        now: OffsetDateTime,
    ) -> Result<(Vec<PathBuf>, Vec<Problem>)> {
        let (mut gone, mut problems) = (Vec::new(), Vec::new());
        if self.newest.is_none() && self.days.is_none() {
            return Ok((gone, problems));
        }
        let mut good = 0;
        for backup in folder::backups(folder.path())?.into_iter().rev() {
            let manifest = match sound(&backup) {
                Ok(manifest) => manifest,
                Err(problem) => {
                    problems.push(problem);
                    continue;
                }
            };
            if good > 0 && !self.keeps(good, &manifest, now) {
                folder.remove(&backup)?;
                gone.push(backup);
            }
            good += 1;
        }
        Ok((gone, problems))
    }

    /// `newer`: how many good ones are newer.
    fn keeps(self, newer: usize, manifest: &Manifest, now: OffsetDateTime) -> bool {
        let among = self.newest.is_some_and(|keep| newer < keep);
        // A moment that cannot be read is no reason to remove anything.
        let start = status::moment(&manifest.start);
        let young = |days: u32| start.is_none_or(|start| now - start < Duration::days(days.into()));
        among || self.days.is_some_and(young)
    }
}

/// A backup that we made and that is whole, as far as sizes tell; else why it stays.
fn sound(backup: &Path) -> Result<Manifest, Problem> {
    let place = backup.display().to_string();
    let stays = |problem: &Problem| {
        let what = format!("stays, for {} {}", problem.place, problem.what);
        Problem::new(place.clone(), what, "look at it, and remove it by hand").level(Level::Warning)
    };
    let manifest = check::glance(backup);
    let manifest = manifest.map_err(|problems| match problems.first() {
        Some(problem) => stays(problem),
        None => Problem::new(place.clone(), "stays", "look at it").level(Level::Warning),
    })?;
    match check::strangers(backup, &manifest).first() {
        Some(stranger) => Err(stays(stranger)),
        None => Ok(manifest),
    }
}
