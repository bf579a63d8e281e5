//! The folder `secrets/`: files by name, sealed for whom its `.sops.yaml` says, and all of it checked.

use std::path::{Component, Path, PathBuf};
use std::{fs, io};

use anyhow::{Context, Result, ensure};
use time::OffsetDateTime;

use super::config::Config;
use super::keys::Identities;
use super::plain::{Format, Plain};
use super::seal::seal;
use super::sealed::Sealed;
use crate::{files, parallel};

/// Where the rules stand in the folder.
pub const SETTINGS: &str = ".sops.yaml";

/// Files that need no seal.
const OPEN: [&str; 3] = [SETTINGS, ".gitignore", ".gitattributes"];

/// The folder and its rules.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    config: Config,
}

/// What was found about one file.
#[derive(Debug, serde::Serialize)]
pub struct Finding {
    /// Its path below the folder.
    pub file: String,
    /// Whom it is sealed for.
    pub recipients: Vec<String>,
    /// Whether it was opened and its MAC held.
    pub opened: bool,
    /// What is wrong, and what to do.
    pub problems: Vec<String>,
}

impl Folder {
    /// Reads the folder's rules.
    ///
    /// # Errors
    /// A `.sops.yaml` that is missing or cannot be read.
    pub fn open(path: &Path) -> Result<Self> {
        files::whole(path)?;
        let settings = path.join(SETTINGS);
        ensure!(
            files::exists(&settings)?,
            "{} is missing: it says whom each file is sealed for; write creation_rules with path_regex and age",
            settings.display()
        );
        let bytes = files::read(&settings)?;
        let config =
            Config::read(&bytes).with_context(|| format!("reading {}", settings.display()))?;
        Ok(Self {
            path: path.to_owned(),
            config,
        })
    }

    /// The folder with rules that are about to be written.
    pub fn with(path: &Path, config: Config) -> Self {
        Self {
            path: path.to_owned(),
            config,
        }
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Names of every file that is to be sealed, in order; none where there is no folder.
    ///
    /// # Errors
    /// A folder that cannot be listed.
    pub fn names(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        if files::exists(&self.path)? {
            list(&self.path, "", &mut names)
                .with_context(|| format!("listing {}", self.path.display()))?;
        }
        names.sort();
        Ok(names)
    }

    /// Where a file stands.
    ///
    /// # Errors
    /// A name that leads out of the folder, or that no secret can have.
    pub fn place(&self, name: &str) -> Result<PathBuf> {
        let inside = Path::new(name)
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        ensure!(
            inside && !name.is_empty() && !name.ends_with('/') && !name.contains(char::is_control),
            "{name:?} is no file in {}: write its name, such as hub-1.yaml",
            self.path.display()
        );
        ensure!(
            !OPEN.contains(&name),
            "{name} is never sealed: choose another name"
        );
        Ok(self.path.join(name))
    }

    /// What a file holds; `None` where there is no file.
    ///
    /// # Errors
    /// A file that cannot be opened, or was changed.
    pub fn read(&self, name: &str, identities: &Identities) -> Result<Option<Plain>> {
        let place = self.place(name)?;
        if !files::exists(&place)? {
            return Ok(None);
        }
        let opened = || {
            let bytes = files::read(&place)?;
            let opening = || format!("opening {}", place.display());
            let sealed = Format::of(&place).and_then(|format| Sealed::read(&bytes, format));
            sealed
                .and_then(|sealed| sealed.open(identities))
                .with_context(opening)
        };
        opened().map(Some)
    }

    /// A file's new text, sealed for whom its rule names.
    ///
    /// # Errors
    /// No rule for it, and what [`seal`] says.
    pub fn seal(&self, name: &str, plain: &Plain, now: OffsetDateTime) -> Result<String> {
        let place = self.place(name)?;
        let sealed = || {
            let recipients = self.recipients(name)?;
            seal(plain, Format::of(&place)?, recipients, now)
        };
        sealed().with_context(|| format!("sealing {}", place.display()))
    }

    /// Whom a file is to be sealed for.
    ///
    /// # Errors
    /// No rule for it.
    pub fn recipients(&self, name: &str) -> Result<&[super::Recipient]> {
        let settings = self.path.join(SETTINGS);
        let found = self.config.recipients(name);
        found.with_context(|| format!("{}", settings.display()))
    }

    /// Checks every file: sealed, for whom the rules say and nobody else, nothing readable; and
    /// with keys, that it opens and nothing was changed.
    ///
    /// # Errors
    /// A folder that cannot be listed.
    pub fn check(&self, identities: Option<&Identities>) -> Result<Vec<Finding>> {
        let finding = |name: &String| Ok(self.finding(name.clone(), identities));
        parallel::each(&self.names()?, finding)
    }

    fn finding(&self, file: String, identities: Option<&Identities>) -> Finding {
        let mut finding = Finding {
            file,
            recipients: Vec::new(),
            opened: false,
            problems: Vec::new(),
        };
        if let Err(error) = self.examine(&mut finding, identities) {
            finding.problems.push(format!("{error:#}"));
        }
        finding
    }

    fn examine(&self, finding: &mut Finding, identities: Option<&Identities>) -> Result<()> {
        let place = self.path.join(&finding.file);
        let format = Format::of(&place)?;
        let bytes = files::read(&place)?;
        let sealed = Sealed::read(&bytes, format)?;
        finding.recipients = sealed.recipients().into_iter().map(str::to_owned).collect();
        for kind in sealed.foreign() {
            let problem = format!("it is sealed for {kind} too, which no rule of ours names");
            finding.problems.push(problem);
        }
        for name in sealed.readable() {
            finding
                .problems
                .push(format!("{name:?} is not sealed: anybody can read it"));
        }
        finding.problems.extend(self.strangers(finding)?);
        if let Some(identities) = identities {
            sealed.open(identities)?;
            finding.opened = true;
        }
        Ok(())
    }

    /// Differences between whom a file is sealed for and whom its rule names.
    fn strangers(&self, finding: &Finding) -> Result<Vec<String>> {
        let wanted: Vec<String> = self
            .recipients(&finding.file)?
            .iter()
            .map(ToString::to_string)
            .collect();
        let found = &finding.recipients;
        let missing = wanted.iter().filter(|key| !found.contains(key));
        let missing =
            missing.map(|key| format!("{key} cannot open it: seal it again, `{}`", AGAIN));
        let extra = found.iter().filter(|key| !wanted.contains(key));
        let extra = extra.map(|key| {
            format!("{key} can open it and no rule names it: seal it again, `{AGAIN}`, with new secrets in it")
        });
        Ok(missing.chain(extra).collect())
    }
}

const AGAIN: &str = "cim-admin secrets encrypt --again";

fn list(folder: &Path, below: &str, names: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = format!("{below}{}", name.to_string_lossy());
        if entry.file_type()?.is_dir() {
            list(&entry.path(), &format!("{name}/"), names)?;
        } else if !OPEN.contains(&name.as_str()) {
            names.push(name);
        }
    }
    Ok(())
}
