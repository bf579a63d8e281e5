//! What is declared: the files of a folder, all read before anything is said about one.

use std::collections::BTreeMap;
use std::fs;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread::{self, ScopedJoinHandle};

use cim_spec::asset::{Consumer, Field, KeyValue, ObjectStore, Provision, Stream};

use super::asset::{Asset, bucket_problem, name_problem};
use super::file::{self, Mistake};
use super::tree::{Tree, text};

/// A folder's assets.
#[derive(Debug, Default)]
pub struct Declared {
    /// Each asset's configuration, in order.
    pub assets: BTreeMap<Asset, Wanted>,
    /// What stands beside them.
    pub provision: Provision,
}

/// One declared asset.
#[derive(Debug)]
pub struct Wanted {
    /// As the file says it.
    pub said: Tree,
    /// As the server takes it: of a bucket, its stream.
    pub config: Tree,
    /// The fields that the file may have.
    pub fields: &'static [Field],
}

/// Everything that is wrong with the files, each with its file.
#[derive(Debug)]
pub struct Mistakes(pub Vec<String>);

const FOLDERS: [&str; 4] = ["streams", "kv", "object-stores", "consumers"];

/// Reads `streams/`, `kv/`, `object-stores/`, `consumers/<stream>/` and `provision.json`; other files are others' business.
///
/// # Errors
/// Every file that is not as it should be.
pub fn read(folder: &Path) -> Result<Declared, Mistakes> {
    let mut reader = Reader {
        folder,
        declared: Declared::default(),
        mistakes: Vec::new(),
    };
    if let Err(error) = fs::read_dir(folder) {
        reader.wrong(
            "",
            &format!("{}: {error}", folder.display()),
            "name the folder that the build wrote the assets to",
        );
        return Err(Mistakes(reader.mistakes));
    }
    let mut files = Vec::new();
    for name in FOLDERS {
        for (path, file) in reader.files(name) {
            if name == "consumers" {
                files.extend(reader.consumers(&path, &file));
            } else {
                files.push((path, file, name));
            }
        }
    }
    for ((_, file, folder), read) in files.iter().zip(contents(&files)) {
        reader.asset(file, folder, read);
    }
    reader.sidecar();
    reader.clashes();
    match reader.mistakes.is_empty() {
        true => Ok(reader.declared),
        false => Err(Mistakes(reader.mistakes)),
    }
}

/// Where it is, what it is called in the folder, and which of [`FOLDERS`] it is in.
type File = (PathBuf, String, &'static str);

/// What a file says, and what the server takes for it.
type Content = Result<(Tree, Tree), Mistake>;

/// What files hold, in their order. There may be thousands: every processor reads.
fn contents(files: &[File]) -> Vec<Content> {
    let readers = thread::available_parallelism().map_or(1, usize::from);
    let each = files.len().div_ceil(readers).max(1);
    let read = |files: &[File]| -> Vec<Content> {
        let content = |(path, _, folder): &File| content(path, folder);
        files.iter().map(content).collect()
    };
    thread::scope(|scope| {
        let parts: Vec<_> = files
            .chunks(each)
            .map(|part| scope.spawn(move || read(part)))
            .collect();
        let joined = parts.into_iter().map(ScopedJoinHandle::join);
        joined
            .flat_map(|part| part.unwrap_or_else(|panic| resume_unwind(panic)))
            .collect()
    })
}

fn content(path: &Path, folder: &str) -> Content {
    match folder {
        "streams" => {
            file::read::<Stream>(path, Stream::FIELDS).map(|(_, tree)| (tree.clone(), tree))
        }
        "kv" => file::read::<KeyValue>(path, KeyValue::FIELDS)
            .and_then(|(kv, tree)| Ok((tree, file::tree(&kv.stream())?))),
        "object-stores" => file::read::<ObjectStore>(path, ObjectStore::FIELDS)
            .and_then(|(store, tree)| Ok((tree, file::tree(&store.stream())?))),
        _ => file::read::<Consumer>(path, Consumer::FIELDS).map(|(_, tree)| (tree.clone(), tree)),
    }
}

struct Reader<'a> {
    folder: &'a Path,
    declared: Declared,
    mistakes: Vec<String>,
}

impl Reader<'_> {
    fn wrong(&mut self, at: &str, what: &str, help: &str) {
        let at = if at.is_empty() {
            String::new()
        } else {
            format!("{at}: ")
        };
        self.mistakes.push(format!("{at}{what}\n  help: {help}"));
    }

    /// What a folder holds, by name; one that is not there holds nothing.
    fn files(&mut self, under: &str) -> Vec<(PathBuf, String)> {
        let folder = self.folder.join(under);
        if !folder.exists() {
            return Vec::new();
        }
        let entries =
            fs::read_dir(&folder).and_then(|entries| entries.collect::<Result<Vec<_>, _>>());
        match entries {
            Ok(entries) => {
                let name = |entry: &fs::DirEntry| {
                    format!("{under}/{}", entry.file_name().to_string_lossy())
                };
                let mut files: Vec<_> = entries
                    .iter()
                    .map(|entry| (entry.path(), name(entry)))
                    .collect();
                files.sort();
                files
            }
            Err(error) => {
                self.wrong(
                    under,
                    &format!("{error}"),
                    "make it a folder that this user may read",
                );
                Vec::new()
            }
        }
    }

    fn consumers(&mut self, path: &Path, file: &str) -> Vec<File> {
        if path.is_dir() {
            let files = self.files(file).into_iter();
            return files
                .map(|(path, file)| (path, file, "consumers"))
                .collect();
        }
        self.wrong(
            file,
            "is in no stream's folder",
            "a consumer's file is consumers/<stream>/<consumer>.json",
        );
        Vec::new()
    }

    fn asset(&mut self, file: &str, folder: &str, read: Content) {
        let Some((parent, name)) = file
            .strip_suffix(".json")
            .and_then(|stem| stem.rsplit_once('/'))
        else {
            self.wrong(
                file,
                "is not an asset's file",
                "name it <asset>.json, or put it elsewhere",
            );
            return;
        };
        let (asset, fields, key) = match folder {
            "streams" => (Asset::Stream(name.to_owned()), Stream::FIELDS, "name"),
            "kv" => (Asset::KeyValue(name.to_owned()), KeyValue::FIELDS, "bucket"),
            "object-stores" => (
                Asset::ObjectStore(name.to_owned()),
                ObjectStore::FIELDS,
                "bucket",
            ),
            _ => {
                let stream = parent
                    .strip_prefix("consumers/")
                    .unwrap_or(parent)
                    .to_owned();
                (
                    Asset::Consumer {
                        stream,
                        name: name.to_owned(),
                    },
                    Consumer::FIELDS,
                    "durable_name",
                )
            }
        };
        match read {
            Ok((said, config)) => {
                let before = self.mistakes.len();
                self.named(file, name, key, &said);
                for Mistake { what, help } in file::rules(&asset, &said) {
                    self.wrong(file, &what, &help);
                }
                if self.mistakes.len() == before {
                    self.declared.assets.insert(
                        asset,
                        Wanted {
                            said,
                            config,
                            fields,
                        },
                    );
                }
            }
            Err(Mistake { what, help }) => self.wrong(file, &what, &help),
        }
    }

    /// The name in a file is one, and is the file's.
    fn named(&mut self, file: &str, stem: &str, key: &str, said: &Tree) {
        let name = text(said, key);
        let problem = if key == "bucket" {
            bucket_problem(name)
        } else {
            name_problem(name)
        };
        let kind = if key == "bucket" {
            "letters, digits, `-` and `_`"
        } else {
            "no `.`, `*`, `>`, `/`, `\\` or white space"
        };
        if !said.contains_key(key) {
            self.wrong(
                file,
                &format!("{key} is missing"),
                &format!("write \"{key}\": {stem:?}"),
            );
        } else if let Some(problem) = problem {
            self.wrong(
                file,
                &format!("{key} {name:?} {problem}"),
                &format!("a name has {kind}"),
            );
        } else if name != stem {
            self.wrong(file, &format!("{key} is {name:?}"), &format!("a file is named after its asset: call it {name}.json, or write \"{key}\": {stem:?}"));
        }
    }

    fn sidecar(&mut self) {
        let path = self.folder.join("provision.json");
        if !path.exists() {
            return;
        }
        match file::sidecar(&path) {
            Ok(provision) => self.declared.provision = provision,
            Err(Mistake { what, help }) => self.wrong("provision.json", &what, &help),
        }
    }

    /// No stream is declared twice, as a stream and as a bucket.
    fn clashes(&mut self) {
        let mut owners = BTreeMap::<String, Vec<String>>::new();
        for asset in self.declared.assets.keys() {
            if !matches!(asset, Asset::Consumer { .. }) {
                owners
                    .entry(asset.stream())
                    .or_default()
                    .push(asset.to_string());
            }
        }
        for (stream, owners) in owners.into_iter().filter(|(_, owners)| owners.len() > 1) {
            self.wrong(
                &owners.join(" and "),
                &format!("are both the stream {stream} on the server"),
                "remove one of them",
            );
        }
    }
}
