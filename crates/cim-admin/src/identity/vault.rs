//! The folder `secrets/` as it is, opened, and what is to become of it: sealed again is only what changes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::progress::Progress;
use crate::sops::{Folder, Format, Identities, Plain, Sealed, Tree};
use crate::{files, parallel};

/// The operator's own file: seeds and CA keys, for operators alone.
pub const OPERATOR: &str = "operator.yaml";

/// Sealed files by their names, opened.
pub struct Vault {
    folder: Folder,
    files: BTreeMap<String, File>,
}

struct File {
    content: Content,
    /// Whom it is sealed for; `None`: there is no such file yet.
    recipients: Option<BTreeSet<String>>,
    changed: bool,
}

enum Content {
    Names(Names),
    Bytes(Zeroizing<Vec<u8>>),
}

/// Entries in the order of the file.
#[derive(Default)]
struct Names {
    entries: Vec<(String, Tree)>,
    places: HashMap<String, usize>,
}

/// A sealed file's new text.
pub struct Sealing {
    /// Its name in the folder.
    pub name: String,
    /// Where it goes.
    pub place: PathBuf,
    /// Its text.
    pub text: String,
}

impl Vault {
    /// Opens every file that `identity make` has to do with: the operator's, hosts', users' and leaves'. Files of
    /// others that are not sealed for `identities` are let be, unless `hosts` has them.
    ///
    /// # Errors
    /// What cannot be read, or was changed since it was sealed; all of it at once.
    pub fn open(
        folder: Folder,
        identities: &Identities,
        hosts: &BTreeSet<String>,
        progress: &Progress,
    ) -> Result<Self> {
        let ours = |name: &String| match name.split_once('/') {
            Some((top, _)) => ["users", "leaves", "services"].contains(&top),
            None => name.ends_with(".yaml"),
        };
        let names: Vec<String> = folder.names()?.into_iter().filter(ours).collect();
        let must = |name: &str| name == OPERATOR || name.contains('/') || hosts.contains(name);
        progress.doing("opening sealed files", names.len());
        let opened = parallel::each(&names, |name| {
            progress.step();
            let place = folder.place(name)?;
            let opening = || format!("opening {}", place.display());
            open(&files::read(&place)?, &place, identities, must(name)).with_context(opening)
        })?;
        let files = names.into_iter().zip(opened);
        Ok(Self {
            files: files
                .filter_map(|(name, file)| Some((name, file?)))
                .collect(),
            folder,
        })
    }

    /// Where a file stands, for messages.
    pub fn shown(&self, file: &str) -> String {
        self.folder.path().join(file).display().to_string()
    }

    /// What a file is that must be there and is not, and what to do; `or` is said of one that is missing.
    pub fn absent(&self, file: &str, or: &str) -> String {
        if self.folder.path().join(file).is_dir() {
            return "is a folder: move it away, and restore the file from git".to_owned();
        }
        format!("is missing: restore it from git; {or}")
    }

    /// Where an entry stands, for messages.
    pub fn place(&self, file: &str, entry: &str) -> String {
        format!("{}: {entry}", self.shown(file))
    }

    /// Whether a file is there, or is to be.
    pub fn has(&self, file: &str) -> bool {
        self.files.contains_key(file)
    }

    /// Names of all files.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// A text in a file of names.
    pub fn entry(&self, file: &str, name: &str) -> Option<&str> {
        match &self.files.get(file)?.content {
            Content::Names(names) => names.get(name)?.as_text(),
            Content::Bytes(_) => None,
        }
    }

    /// Names and texts of a file of names; none of any other.
    pub fn entries(&self, file: &str) -> impl Iterator<Item = (&str, &str)> {
        let entries = match self.files.get(file).map(|file| &file.content) {
            Some(Content::Names(names)) => names.entries.as_slice(),
            _ => &[],
        };
        let texts = entries.iter();
        texts.filter_map(|(name, value)| Some((name.as_str(), value.as_text()?)))
    }

    /// What a file holds that is one secret.
    pub fn whole(&self, file: &str) -> Option<&[u8]> {
        match &self.files.get(file)?.content {
            Content::Bytes(bytes) => Some(bytes),
            Content::Names(_) => None,
        }
    }

    /// Sets a text in a file of names; whether that changed it.
    ///
    /// # Errors
    /// A file that is one secret.
    pub fn set(&mut self, file: &str, name: &str, text: &str) -> Result<bool> {
        if self.entry(file, name) == Some(text) {
            return Ok(false);
        }
        let new = || File::new(Content::Names(Names::default()));
        let file = self.files.entry(file.to_owned()).or_insert_with(new);
        let Content::Names(names) = &mut file.content else {
            bail!("it holds one secret, not names");
        };
        names.set(name, Tree::text(text));
        file.changed = true;
        Ok(true)
    }

    /// Sets a file that is one secret; whether that changed it.
    pub fn put(&mut self, file: &str, bytes: &[u8]) -> bool {
        if self.whole(file) == Some(bytes) {
            return false;
        }
        let content = Content::Bytes(Zeroizing::new(bytes.to_vec()));
        let recipients = self.files.remove(file).and_then(|old| old.recipients);
        let mut new = File::new(content);
        new.recipients = recipients;
        self.files.insert(file.to_owned(), new);
        true
    }

    /// Takes a text out of a file of names; whether it was there.
    pub fn take(&mut self, file: &str, name: &str) -> bool {
        let Some(File {
            content: Content::Names(names),
            changed,
            ..
        }) = self.files.get_mut(file)
        else {
            return false;
        };
        let there = names.take(name);
        *changed |= there;
        there
    }

    /// Forgets a file that is one secret, which is then made anew; on disk it stays until then.
    pub fn forget(&mut self, file: &str) {
        self.files.remove(file);
    }

    /// Seals what was changed, and what others are to open than do now.
    ///
    /// # Errors
    /// A file that no rule is for.
    pub fn seal(&self, now: OffsetDateTime, progress: &Progress) -> Result<Vec<Sealing>> {
        let files: Vec<(&String, &File)> = self.files.iter().collect();
        progress.doing("sealing files", files.len());
        let sealed = parallel::each(&files, |(name, file)| {
            progress.step();
            // Nobody's: a host that left the plan may have no rule any more.
            let known = self.folder.recipients(name);
            let (Ok(wanted), false) = (&known, file.changed) else {
                return match file.changed {
                    true => self.sealed(name, file, now).map(Some),
                    false => Ok(None),
                };
            };
            let wanted: BTreeSet<String> = wanted.iter().map(ToString::to_string).collect();
            if file.recipients.as_ref() == Some(&wanted) {
                return Ok(None);
            }
            self.sealed(name, file, now).map(Some)
        })?;
        Ok(sealed.into_iter().flatten().collect())
    }

    fn sealed(&self, name: &str, file: &File, now: OffsetDateTime) -> Result<Sealing> {
        let plain = match &file.content {
            Content::Names(names) => Plain::Tree(Tree::Map(names.entries.clone())),
            Content::Bytes(bytes) => Plain::Bytes(bytes.clone()),
        };
        Ok(Sealing {
            name: name.to_owned(),
            place: self.folder.place(name)?,
            text: self.folder.seal(name, &plain, now)?,
        })
    }
}

/// `None`: it is sealed for others.
fn open(
    bytes: &[u8],
    place: &std::path::Path,
    identities: &Identities,
    must: bool,
) -> Result<Option<File>> {
    let sealed = Sealed::read(bytes, Format::of(place)?);
    let sealed = match sealed {
        Err(_) if !must => return Ok(None),
        sealed => sealed?,
    };
    let recipients: BTreeSet<String> = sealed.recipients().into_iter().map(str::to_owned).collect();
    let ours = identities.recipients();
    if !must && !ours.iter().any(|key| recipients.contains(&key.to_string())) {
        return Ok(None);
    }
    let content = match sealed.open(identities)? {
        Plain::Bytes(bytes) => Content::Bytes(bytes),
        Plain::Tree(tree) => Content::Names(Names::from(tree)),
    };
    Ok(Some(File {
        content,
        recipients: Some(recipients),
        changed: false,
    }))
}

impl File {
    fn new(content: Content) -> Self {
        Self {
            content,
            recipients: None,
            changed: true,
        }
    }
}

impl From<Tree> for Names {
    fn from(tree: Tree) -> Self {
        let mut names = Self::default();
        if let Tree::Map(entries) = tree {
            for (name, value) in entries {
                names.set(&name, value);
            }
        }
        names
    }
}

impl Names {
    fn get(&self, name: &str) -> Option<&Tree> {
        self.places.get(name).map(|&place| &self.entries[place].1)
    }

    fn take(&mut self, name: &str) -> bool {
        let Some(place) = self.places.remove(name) else {
            return false;
        };
        self.entries.remove(place);
        self.places
            .values_mut()
            .filter(|other| **other > place)
            .for_each(|other| *other -= 1);
        true
    }

    fn set(&mut self, name: &str, value: Tree) {
        match self.places.get(name) {
            Some(&place) => self.entries[place].1 = value,
            None => {
                self.places.insert(name.to_owned(), self.entries.len());
                self.entries.push((name.to_owned(), value));
            }
        }
    }
}
