//! Every secret that was made, looked for everywhere; and controls, which must be found.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::needles::{Finder, Needles};
use super::search::{self, Search};
use super::watch::Seen;
use super::{FIRST, MORE, Test};
use crate::process;

impl Test<'_> {
    /// Every secret of both fleets, looked for everywhere.
    pub fn nothing_leaked(&self, before: &BTreeSet<PathBuf>, seen: &Seen) -> Result<()> {
        let mut needles = Needles::default();
        let folder = &self.estate.folder;
        needles.add_folder("", &folder.join("secrets"), &self.estate.keys)?;
        let stranger = self.dir.path().join("stranger/secrets");
        needles.add_folder("the stranger's ", &stranger, &self.strangers_keys())?;
        let hosts = &self.estate.hosts;
        for host in FIRST.iter().chain(&MORE) {
            needles.add(&format!("ssh key of {host}"), &hosts.private(host)?)?;
            needles.add(&format!("age key of {host}"), &hosts.age_key(host)?)?;
        }
        needles.add("control", &self.control)?;
        needles.add_others(self.replaced.take());
        let finder = needles.finder()?;
        self.secrets_are_found(&finder)?;
        self.only_the_operators_own(&finder)?;
        self.processes(&finder, seen)?;
        self.store(&finder, before)?;
        self.history(&finder)
    }

    /// The search can find: in the hosts' memory is everything that the hosts opened.
    fn secrets_are_found(&self, finder: &Finder) -> Result<()> {
        let mut memory = Search::default();
        memory.tree(finder, self.estate.hosts.folder())?;
        let found: BTreeSet<_> = memory.found.iter().map(|(name, _)| name.as_str()).collect();
        let hosts = FIRST.iter().chain(&MORE);
        let hosts: Vec<String> = hosts.map(|host| format!("{host}.yaml: ")).collect();
        let missed: Vec<_> = finder
            .names()
            .into_iter()
            .filter(|name| {
                hosts.iter().any(|host| name.starts_with(host)) || name.starts_with("ssh")
            })
            .filter(|name| !found.contains(name))
            .collect();
        ensure!(
            missed.is_empty(),
            "hosts opened secrets that the search does not find in their memory: {missed:?}"
        );
        self.progress.note(&format!(
            "{} secrets are looked for; in the hosts' memory {} are found",
            finder.names().len(),
            found.len()
        ));
        Ok(())
    }

    /// On disk are the two operators' own key files and what `contexts` opened, 0600, each with its own, and nothing else.
    fn only_the_operators_own(&self, finder: &Finder) -> Result<()> {
        let mut disk = Search::default();
        disk.tree(finder, self.dir.path())?;
        let mut expected = BTreeSet::new();
        let keys = [self.estate.keys.clone(), self.strangers_keys()];
        let keys = keys
            .into_iter()
            .map(|keys| (keys.display().to_string(), keys));
        for (name, file) in keys.chain(self.opened()) {
            let found =
                fs::metadata(&file).with_context(|| format!("reading {}", file.display()))?;
            let mode = found.permissions().mode() & 0o777;
            ensure!(mode == 0o600, "{} has mode {mode:o}", file.display());
            expected.insert((name, file.display().to_string()));
        }
        ensure!(
            disk.found == expected,
            "on disk are these secrets, and may be only {expected:?}:\n{}",
            disk.shown()
        );
        self.said(
            "on disk, beside the operators' own keys and contexts",
            &disk,
        );
        Ok(())
    }

    /// Nobody's arguments, environment, temporary file or output.
    fn processes(&self, finder: &Finder, seen: &Seen) -> Result<()> {
        let mut search = Search::default();
        let said = self.project.said();
        ensure!(
            said.contains("made the operator's key") && said.contains("running 8 flake checks"),
            "commands must say what they do, or nothing is proven of it:\n{said}"
        );
        search.look(finder, "what commands printed", said.as_bytes());
        for (text, place) in &seen.texts {
            search.look(finder, place, text);
        }
        let is_seen = |place: &str| {
            let mut places = search.found.iter().filter(|(name, _)| name == "control");
            places.any(|(_, found)| found.starts_with(place))
        };
        let tmp = self.project.tmp.display().to_string();
        for place in ["the arguments of", "the environment of", &tmp] {
            ensure!(
                is_seen(place),
                "the watch did not see the control in {place}"
            );
        }
        for program in [
            "cim-admin identity make",
            "cim-admin rotate",
            "cim-admin accounts push",
            "cim-admin contexts",
            "cim-admin decommission",
            "nats-server -c",
            "sops decrypt",
        ] {
            ensure!(
                seen.texts.values().any(|place| place.contains(program)),
                "the watch saw no `{program}` run, so it proves nothing"
            );
        }
        ensure!(
            search.found.iter().all(|(name, _)| name == "control"),
            "while it ran, others could see:\n{}",
            search.shown()
        );
        self.progress.note(&format!(
            "{} processes and {} versions of files were seen",
            seen.processes, seen.files
        ));
        Ok(())
    }

    /// What came into the store meanwhile; the control is put there at last.
    fn store(&self, finder: &Finder, before: &BTreeSet<PathBuf>) -> Result<()> {
        let mut search = Search::default();
        for path in search::store()?.difference(before) {
            search.tree(finder, path)?;
        }
        ensure!(
            search.found.is_empty(),
            "in the Nix store are:\n{}",
            search.shown()
        );
        self.said("new in the store", &search);
        let file = self.project.tmp.join("control");
        fs::write(&file, &self.control).context("writing the control")?;
        let mut nix = self.flake.tool("nix")?;
        let added = process::output(nix.args(["store", "add"]).arg(&file))?;
        self.finds_control("the store", |search| {
            search.tree(finder, Path::new(added.trim()))
        })
    }

    /// Every object of git, of all stages; the control is committed at last, and taken back.
    fn history(&self, finder: &Finder) -> Result<()> {
        let mut search = Search::default();
        search.git(finder, &self.project.folder)?;
        ensure!(search.found.is_empty(), "in git are:\n{}", search.shown());
        self.said("in git", &search);
        let file = self.project.folder.join("control");
        fs::write(&file, &self.control).context("writing the control")?;
        self.project.commit("the control")?;
        self.project
            .git(&["reset", "--hard", "--quiet", "HEAD~1"])?;
        self.finds_control("git", |search| search.git(finder, &self.project.folder))
    }

    /// The search fails where it must.
    fn finds_control(
        &self,
        place: &str,
        look: impl FnOnce(&mut Search) -> Result<()>,
    ) -> Result<()> {
        let mut search = Search::default();
        look(&mut search)?;
        ensure!(
            search.found.iter().any(|(name, _)| name == "control"),
            "the search does not find the control in {place}"
        );
        Ok(())
    }

    fn said(&self, place: &str, search: &Search) {
        self.progress.note(&format!(
            "{place}: {} places, {} kB, none with a secret",
            search.places,
            search.bytes / 1_000
        ));
    }
}
