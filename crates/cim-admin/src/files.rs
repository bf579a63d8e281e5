//! Files are read whole and within bounds, and written beside and then renamed, all or none.

mod note;

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempPath;
use zeroize::Zeroizing;

use self::note::Note;
pub use self::note::{resume, whole};
use crate::parallel;

/// How the names begin of files that are written beside their places.
const BESIDE: &str = ".cim-";

/// No file of ours comes near it; what is larger is the wrong file.
const LARGEST: u64 = 16 << 20;

/// Reads a file, which may be a secret.
///
/// # Errors
/// A file that is missing, unreadable, a folder, or larger than 16 MiB.
pub fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>> {
    let doing = || format!("reading {}", path.display());
    let file = File::open(path).with_context(doing)?;
    from(file).with_context(doing)
}

/// Reads all there is, within the same bounds.
///
/// # Errors
/// What the source says, and more than 16 MiB.
pub fn from(source: impl Read) -> Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(1 << 16));
    source.take(LARGEST + 1).read_to_end(&mut bytes)?;
    ensure!(
        bytes.len() as u64 <= LARGEST,
        "it is larger than 16 MiB: this is not the file that is meant"
    );
    Ok(bytes)
}

/// Whether something stands at `path`, a broken link too.
///
/// # Errors
/// A folder that cannot be searched.
pub fn exists(path: &Path) -> Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).with_context(|| format!("looking for {}", path.display())),
    }
}

/// Files that are written together: all prepared beside their places, then all renamed.
///
/// Until [`Batch::commit`] nothing is written; where that fails, it leaves nothing behind.
#[derive(Default)]
pub struct Batch {
    files: Vec<Planned>,
    places: HashSet<PathBuf>,
    noted_in: Option<PathBuf>,
}

struct Planned {
    place: PathBuf,
    bytes: Zeroizing<Vec<u8>>,
    mode: Mode,
}

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Its owner alone: 0600.
    Secret,
    /// Everyone: 0644.
    Public,
}

impl Batch {
    /// A batch that [`resume`] ends where a kill cut it short, by a note in this folder of sealed files.
    pub fn noted_in(secrets: &Path) -> Self {
        Self {
            noted_in: Some(secrets.to_owned()),
            ..Self::default()
        }
    }

    /// Takes in a file.
    ///
    /// # Errors
    /// A place that is a folder, or taken by another file of the batch.
    pub fn put(&mut self, place: &Path, bytes: &[u8], mode: Mode) -> Result<()> {
        let doing = || format!("writing {}", place.display());
        ensure!(
            !place.is_dir(),
            "{}: it is a folder: name a file in it",
            doing()
        );
        ensure!(
            self.places.insert(place.to_owned()),
            "{}: two things would be written there: name another file for one of them",
            doing()
        );
        self.files.push(Planned {
            place: place.to_owned(),
            bytes: Zeroizing::new(bytes.to_vec()),
            mode,
        });
        Ok(())
    }

    /// Takes in another batch's files, after its own.
    ///
    /// # Errors
    /// A place that both have.
    pub fn extend(&mut self, other: Self) -> Result<()> {
        self.noted_in = self.noted_in.take().or(other.noted_in);
        other
            .files
            .iter()
            .try_for_each(|file| self.put(&file.place, &file.bytes, file.mode))
    }

    /// Where files would be written, in the order of [`Batch::put`].
    pub fn places(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|file| file.place.as_path())
    }

    /// Writes every file.
    ///
    /// # Errors
    /// What the file system says. Where a rename fails after others, the message names those.
    pub fn commit(self) -> Result<()> {
        let mut folders = Folders::default();
        for file in &self.files {
            let making = folders.make(file.folder());
            making.with_context(|| format!("writing {}", file.place.display()))?;
        }
        let (_note, beside) = self.prepare()?;
        for (index, (file, beside)) in self.files.iter().zip(beside).enumerate() {
            let place = file.place.display();
            if let Err(error) = beside.persist(&file.place) {
                ensure!(index > 0, "writing {place}: {}", error.error);
                let done = listed(self.places().take(index));
                bail!("writing {place}: {} (already written: {done})", error.error);
            }
        }
        Ok(())
    }

    /// Writes every file beside its place, and then the note of all of them.
    fn prepare(&self) -> Result<(Option<Note>, Vec<TempPath>)> {
        // A disk takes many files at once in the time that it takes one.
        let prepare = |file: &Planned| {
            let prepared = file.prepare();
            prepared.with_context(|| format!("writing {}", file.place.display()))
        };
        let beside = parallel::each(&self.files, prepare)?;
        let pairs = beside.iter().zip(&self.files);
        let mut pairs = pairs.map(|(beside, file)| (&**beside, file.place.as_path()));
        let noted_in = self.noted_in.as_ref().filter(|_| !self.files.is_empty());
        let note = noted_in.map(|folder| Note::write(folder, &mut pairs));
        Ok((note.transpose()?, beside))
    }
}

/// The first few, and how many more.
fn listed<'a>(places: impl Iterator<Item = &'a Path>) -> String {
    let mut places: Vec<String> = places.map(|place| place.display().to_string()).collect();
    let more = places.len().saturating_sub(20);
    places.truncate(20);
    if more > 0 {
        places.push(format!("and {more} more"));
    }
    places.join(", ")
}

impl Planned {
    fn folder(&self) -> &Path {
        match self.place.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        }
    }

    /// Closed again, since there may be more files than a process may have open.
    fn prepare(&self) -> Result<TempPath> {
        // 0600 from its first byte on.
        let mut file = tempfile::Builder::new()
            .prefix(BESIDE)
            .tempfile_in(self.folder())?;
        file.write_all(&self.bytes)?;
        if self.mode == Mode::Public {
            let everyone = fs::Permissions::from_mode(0o644);
            file.as_file().set_permissions(everyone)?;
        }
        file.as_file().sync_all()?;
        Ok(file.into_temp_path())
    }
}

/// Folders that were made on the way; dropped, it removes those that nothing came into.
#[derive(Default)]
struct Folders(Vec<PathBuf>);

impl Folders {
    fn make(&mut self, folder: &Path) -> Result<()> {
        let missing: Vec<&Path> = folder
            .ancestors()
            .take_while(|folder| *folder != Path::new("") && !folder.exists())
            .collect();
        for folder in missing.into_iter().rev() {
            fs::create_dir(folder).with_context(|| format!("making {}", folder.display()))?;
            self.0.push(folder.to_owned());
        }
        Ok(())
    }
}

impl Drop for Folders {
    fn drop(&mut self) {
        for folder in self.0.iter().rev() {
            // One with something in it stays.
            let _ = fs::remove_dir(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_or_none_and_no_folder_stays_behind() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (dir.path().join("new/deep/a"), dir.path().join("file/b"));
        fs::write(dir.path().join("file"), "").unwrap();
        let mut batch = Batch::default();
        assert!(batch.put(dir.path(), b"", Mode::Public).is_err());
        batch.put(&a, b"secret", Mode::Secret).unwrap();
        batch.put(&b, b"", Mode::Public).unwrap();
        let error = format!("{:#}", batch.commit().unwrap_err());
        assert!(error.contains("file/b"), "{error}");
        let left: Vec<_> = fs::read_dir(dir.path()).unwrap().collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }

    #[test]
    fn secrets_are_their_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        let place = |name: &str| dir.path().join("new").join(name);
        let mut batch = Batch::default();
        batch.put(&place("key"), b"k", Mode::Secret).unwrap();
        batch.put(&place("pem"), b"c", Mode::Public).unwrap();
        assert!(batch.put(&place("key"), b"x", Mode::Secret).is_err());
        batch.commit().unwrap();
        let mode = |name| fs::metadata(place(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("key"), mode("pem")), (0o600, 0o644));
        assert_eq!(fs::read_dir(dir.path().join("new")).unwrap().count(), 2);
    }

    #[test]
    fn the_wrong_file_is_not_swallowed_whole() {
        let error = read(Path::new("/dev/zero")).unwrap_err();
        assert!(format!("{error:#}").contains("larger than 16 MiB"));
        assert!(read(Path::new("/")).is_err());
    }
}
