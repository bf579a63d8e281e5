//! Arguments about the folder of secrets, and what commands do with it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use zeroize::Zeroizing;

use super::Desk;
use crate::files;
use crate::sops::{Folder, Format, Identities, Plain, Tree};

/// Where secrets are, and who opens them.
#[derive(Debug, clap::Args)]
pub struct Store {
    /// The folder of sealed files, with its .sops.yaml
    #[arg(long, value_name = "DIR", default_value = "secrets")]
    secrets: PathBuf,
    /// Your age key file; otherwise $SOPS_AGE_KEY_FILE, or where sops has it
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
}

impl Store {
    /// The folder.
    pub fn path(&self) -> &Path {
        &self.secrets
    }

    /// The folder with its rules.
    pub fn folder(&self) -> Result<Folder> {
        Folder::open(&self.secrets)
    }

    /// Puts into place what a killed run had prepared for these two folders; says so, and how many files.
    pub fn resume(&self, identity: &Path, desk: &Desk) -> Result<usize> {
        let ended = files::resume(&self.secrets, &[&self.secrets, identity])?;
        if let (Some(say), true) = (desk.say, ended > 0) {
            say(&format!(
                "a run was killed while it wrote: its last {ended} files are in place now"
            ));
        }
        Ok(ended)
    }

    /// The same for what is not to be done twice.
    pub fn must_be_whole(&self, identity: &Path, desk: &Desk) -> Result<()> {
        let ended = self.resume(identity, desk)?;
        ensure!(
            ended == 0,
            "a run was killed while it wrote: its last {ended} files are in place now; see `git status`, and run this again if it is still to be done"
        );
        Ok(())
    }

    /// The key file that an argument names.
    pub fn key_file(&self) -> Option<&Path> {
        self.keys.as_deref()
    }

    /// The operator's keys; an error that says where to get them, where there are none.
    pub fn identities(&self, desk: &Desk) -> Result<Identities> {
        let file = self.keys.as_ref().or(desk.keys.as_ref());
        Identities::read(file.context(
            "there is no age key file to open secrets with: give --keys FILE, or set SOPS_AGE_KEY_FILE",
        )?)
    }

    /// The operator's keys, if any are set.
    pub fn identities_if_any(&self, desk: &Desk) -> Result<Option<Identities>> {
        let file = self.keys.as_ref().or(desk.keys.as_ref());
        file.map(|file| Identities::read(file)).transpose()
    }

    /// Refuses a readable secret among the sealed ones.
    pub fn must_be_outside(&self, place: &Path) -> Result<()> {
        ensure!(
            !inside(place, &self.secrets),
            "{} is in {}, where everything is sealed: name a file elsewhere",
            place.display(),
            self.secrets.display()
        );
        Ok(())
    }

    /// A file with one entry set, or as a whole; `None` if it says so already.
    pub fn with(&self, secret: &Secret<'_>, desk: &Desk) -> Result<Option<Sealing>> {
        let folder = self.folder()?;
        let place = folder.place(secret.file)?;
        let format = Format::of(&place)?;
        let exists = files::exists(&place)?;
        let old = if exists && (secret.entry.is_some() || !secret.replace) {
            folder.read(secret.file, &self.identities(desk)?)?
        } else {
            None
        };
        let new = secret.plain(format, old.as_ref(), &place)?;
        if old.as_ref() == Some(&new) {
            return Ok(None);
        }
        let text = folder.seal(secret.file, &new, desk.now)?;
        Ok(Some(Sealing { place, text }))
    }
}

/// A secret and the sealed file that it goes to.
#[derive(Debug)]
pub struct Secret<'a> {
    /// The file's name in the folder.
    pub file: &'a str,
    /// The name in the file, which a YAML or JSON file needs.
    pub entry: Option<&'a str>,
    /// What it is.
    pub value: &'a [u8],
    /// Whether one that is there already may go.
    pub replace: bool,
}

/// A sealed file to be written.
#[derive(Debug)]
pub struct Sealing {
    /// Where.
    pub place: PathBuf,
    /// Its text.
    pub text: String,
}

impl Secret<'_> {
    fn plain(&self, format: Format, old: Option<&Plain>, place: &Path) -> Result<Plain> {
        let place = place.display();
        let bytes = || Plain::Bytes(Zeroizing::new(self.value.to_vec()));
        let Some(entry) = self.entry else {
            ensure!(
                format == Format::Binary,
                "{place} holds secrets by name: say which one this is, with --entry"
            );
            let new = bytes();
            ensure!(
                self.replace || old.is_none_or(|old| *old == new),
                "{place} exists: --renew replaces it"
            );
            return Ok(new);
        };
        ensure!(
            format != Format::Binary,
            "{place} holds one secret: leave --entry out, or end its name in .yaml"
        );
        name(entry)?;
        let text = std::str::from_utf8(self.value).ok();
        let text =
            text.context("the secret has other bytes than text: seal it in a file of its own")?;
        let mut tree = match old {
            Some(Plain::Tree(tree)) => tree.clone(),
            Some(Plain::Bytes(_)) => bail!("{place} holds one secret, not names"),
            None => Tree::Map(Vec::new()),
        };
        let new = Tree::text(text);
        let old = tree.get(entry);
        ensure!(
            self.replace || old.is_none_or(|old| *old == new),
            "{place} has {entry} already: --renew replaces it"
        );
        tree.set(entry, new)?;
        Ok(Plain::Tree(tree))
    }
}

/// Whether a file would be below a folder, through links too; either may be missing, and folders on the way.
pub fn inside(file: &Path, folder: &Path) -> bool {
    match (resolved(file), resolved(folder)) {
        (Some(file), Some(folder)) => file.starts_with(folder),
        _ => false,
    }
}

/// A path without links and dots, as far as it exists.
fn resolved(path: &Path) -> Option<PathBuf> {
    let path = std::path::absolute(path).ok()?;
    path.ancestors().find_map(|above| {
        let found = above.canonicalize().ok()?;
        Some(found.join(path.strip_prefix(above).ok()?))
    })
}

/// A name that sops-nix and people can write.
fn name(entry: &str) -> Result<()> {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    ensure!(
        !entry.is_empty() && entry.chars().all(good),
        "{entry:?} cannot name a secret: write letters, digits, dashes, dots and underscores"
    );
    Ok(())
}
