//! The step `identity`: from an empty folder to servers in operator mode by one command, and no secret anywhere on the way.

mod needles;
mod project;
mod search;
mod watch;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use cim_testkit::Ports;
use serde_json::Value;
use tempfile::TempDir;

use self::needles::{Finder, Needles};
use self::project::Project;
use self::search::Search;
use self::watch::{Seen, Watch};
use super::{Session, compare};
use crate::demo::operator;
use crate::demo::table::Table;
use crate::estate::{self, Estate};
use crate::flake::Flake;
use crate::hosts::Hosts;
use crate::process;
use crate::progress::Progress;

/// The hosts of the template, and those that it grows by.
const FIRST: [&str; 2] = ["hub", "plant-a"];
const MORE: [&str; 3] = ["hub-2", "hub-3", "plant-b"];

/// The specs of all instances, by host and name.
const SPECS: &str = "builtins.mapAttrs (_: host: builtins.mapAttrs (_: instance: instance.spec) host.config.services.cim.instances)";

/// What the step works with.
struct Test<'a> {
    flake: &'a Flake,
    progress: &'a Progress,
    nats_server: PathBuf,
    cim_admin: PathBuf,
    /// Everything on disk.
    dir: TempDir,
    project: Project,
    estate: Estate,
    /// What no secret contains, put where secrets are looked for.
    control: String,
}

/// The step.
pub fn run(session: &mut Session) -> Result<()> {
    let tools = session.tools()?;
    let flake = session.flake()?;
    let specs = crate::golden::specs(&flake, &session.progress)?;
    let dir = tempfile::tempdir().context("creating an empty folder")?;
    let project = Project::new(dir.path(), &flake)?;
    let safe = dir.path().join("safe");
    fs::create_dir(&safe).with_context(|| format!("creating {}", safe.display()))?;
    let uuid = "/proc/sys/kernel/random/uuid";
    let uuid = fs::read_to_string(uuid).with_context(|| format!("reading {uuid}"))?;
    let test = Test {
        flake: &flake,
        progress: &session.progress,
        nats_server: tools.nats_server.path.clone(),
        cim_admin: session.workspace.built("cim-admin"),
        estate: Estate {
            hosts: Hosts::new(tools.path_env()?)?,
            folder: project.folder.clone(),
            keys: safe.join("keys.txt"),
        },
        project,
        dir,
        control: format!("cim-control-{}", uuid.trim()),
    };
    let store = search::store()?;
    let watch = Watch::begin(vec![
        test.project.folder.clone(),
        test.project.tmp.clone(),
        test.project.cache.clone(),
        test.dir.path().join("servers"),
    ]);
    let planted = test.plant()?;
    // Whatever comes of it, the thread ends; it looks for the last time when the control is gone.
    let went = test.all(&specs);
    drop(planted);
    let seen = watch.end();
    went?;
    test.nothing_leaked(&store, &seen?)
}

/// A process with the control among its arguments and in its environment, and a temporary file that holds it; gone when
/// dropped.
struct Planted(Child, PathBuf);

impl Drop for Planted {
    fn drop(&mut self) {
        // Gone already, or about to be.
        let _ = self.0.kill();
        let _ = self.0.wait();
        let _ = fs::remove_file(&self.1);
    }
}

impl Test<'_> {
    fn all(&self, specs: &Path) -> Result<()> {
        let progress = self.progress;
        progress.doing("an empty folder becomes a fleet", || self.first())?;
        progress.doing("the fleet grows", || self.grown())?;
        progress.doing("the fleet runs in operator mode", || self.runs(specs))
    }

    /// The template, which does not check, the one command, with which it does, and once more, which changes nothing.
    fn first(&self) -> Result<()> {
        self.project.begin(self.flake)?;
        self.meet(&FIRST)?;
        self.project.commit("the template")?;
        let (status, said) = self.project.check()?;
        ensure!(!status.success(), "without an identity it checks:\n{said}");
        for wanted in [
            "there is no secrets/hub.yaml, which must hold cim-hub.key",
            "there is no identity/ca.pem",
            "nix run .#identity",
        ] {
            ensure!(said.contains(wanted), "it must say {wanted:?}:\n{said}");
        }
        self.project.identity(&self.estate.keys, &["--new-keys"])?;
        self.checks("what one command made")?;
        self.project.identity(&self.estate.keys, &[])?;
        let changed = self.project.git(&["status", "--porcelain"])?;
        ensure!(changed.is_empty(), "a second run changes:\n{changed}");
        Ok(())
    }

    /// Three more hosts, and the same command again.
    fn grown(&self) -> Result<()> {
        let key = "secrets/plant-a.yaml";
        let before = self.project.git(&["rev-parse", &format!("HEAD:{key}")])?;
        self.project.grow(self.flake, &MORE)?;
        self.meet(&MORE)?;
        self.project.git(&["add", "--all"])?;
        self.project.identity(&self.estate.keys, &[])?;
        self.checks("what it grew by")?;
        let after = self.project.git(&["rev-parse", &format!("HEAD:{key}")])?;
        ensure!(before == after, "{key} changed, whose host did not");
        Ok(())
    }

    /// Gives hosts ssh keys, and their files the public halves.
    fn meet(&self, hosts: &[&str]) -> Result<()> {
        for host in hosts {
            self.project.host_key(host, &self.estate.hosts.add(host)?)?;
        }
        Ok(())
    }

    fn checks(&self, message: &str) -> Result<()> {
        self.project.commit(message)?;
        let (status, said) = self.project.check()?;
        ensure!(status.success(), "nix flake check: {status}\n{said}");
        Ok(())
    }

    /// The demo's story on that very fleet, with the specs that Nix makes of it, and a leaf of another fleet.
    fn runs(&self, unmade: &Path) -> Result<()> {
        let plan: Value = read(&self.project.build("identity-plan")?)?;
        let hosts: BTreeMap<String, BTreeMap<String, Value>> =
            self.project.eval("nixosConfigurations", SPECS)?;
        let specs: BTreeMap<_, _> = hosts.into_values().flatten().collect();
        let mut whole = plan["fleet"].clone();
        // The demo has no Nix to put JWTs into specs: it must make the same of them.
        let mut demo = operator::instances(&unmade.join("operator/instances"))?;
        self.estate.fill(&mut whole, &mut demo)?;
        compare::equal(
            "specs of the demo and of Nix",
            &value(&specs)?,
            &value(&demo)?,
        )?;
        let plans = estate::plans(&whole, &specs, &self.dir.path().join("specs"))?;
        let names: Vec<String> = FIRST
            .iter()
            .chain(&MORE)
            .map(|name| (*name).to_owned())
            .collect();
        let servers = self.dir.path().join("servers");
        let mut fleet =
            self.estate
                .fleet(plans, &names, &servers, &self.nats_server, Ports::Free)?;
        let stranger = self.stranger(&plan)?;
        let mut table = Table::default();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("starting the story")?;
        let told = runtime.block_on(async {
            let estate = &self.estate;
            operator::story(&mut fleet, estate, &names, &mut table, self.progress).await?;
            let since = Instant::now();
            operator::kept_out(&mut fleet, estate, &stranger).await?;
            let claim = "another fleet's creds are refused";
            table.held(claim, "plant-a of another fleet", since.elapsed());
            Ok::<_, anyhow::Error>(())
        });
        eprint!("{table}");
        told?;
        ensure!(table.all_held(), "something did not hold");
        let log = fs::read_to_string(fleet.server("hub-2")?.log()).context("reading a log")?;
        ensure!(
            log.contains("[TRC]") && log.contains("[DBG]"),
            "hub-2 must log all there is to log, or nothing is proven of logs"
        );
        Ok(())
    }

    /// The creds of a leaf of the same name, in a fleet of the same plan.
    fn stranger(&self, plan: &Value) -> Result<String> {
        let folder = self.dir.path().join("stranger");
        fs::create_dir(&folder).with_context(|| format!("creating {}", folder.display()))?;
        let file = folder.join("plan.json");
        fs::write(&file, plan.to_string())
            .with_context(|| format!("writing {}", file.display()))?;
        let mut command = Command::new(&self.cim_admin);
        command
            .current_dir(&folder)
            .env("TMPDIR", &self.project.tmp);
        command.args(["identity", "make", "--new-keys", "--plan", "plan.json"]);
        process::quiet(command.arg("--keys").arg(self.strangers_keys()))?;
        let opened = self
            .estate
            .hosts
            .open("plant-a", &folder.join("secrets/plant-a.yaml"))?;
        let creds = fs::read_to_string(&opened["cim-plant-a.creds"]).context("reading creds")?;
        self.estate.open("plant-a")?;
        Ok(creds)
    }

    fn strangers_keys(&self) -> PathBuf {
        self.estate.keys.with_file_name("stranger.txt")
    }

    /// The control, where the watch must see it.
    fn plant(&self) -> Result<Planted> {
        let file = self.project.tmp.join("control");
        fs::write(&file, &self.control).context("writing the control")?;
        let child = Command::new("sh")
            .args(["-c", "read -r line", &self.control])
            .env("CIM_CONTROL", &self.control)
            .stdin(Stdio::piped())
            .spawn()
            .context("starting a process with a control")?;
        Ok(Planted(child, file))
    }

    /// Every secret of both fleets, looked for everywhere.
    fn nothing_leaked(&self, before: &BTreeSet<PathBuf>, seen: &Seen) -> Result<()> {
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

    /// On disk are the two operators' own key files, 0600, with their own keys, and nothing else.
    fn only_the_operators_own(&self, finder: &Finder) -> Result<()> {
        let mut disk = Search::default();
        disk.tree(finder, self.dir.path())?;
        let mut expected = BTreeSet::new();
        for keys in [self.estate.keys.clone(), self.strangers_keys()] {
            let found =
                fs::metadata(&keys).with_context(|| format!("reading {}", keys.display()))?;
            let mode = found.permissions().mode() & 0o777;
            ensure!(mode == 0o600, "{} has mode {mode:o}", keys.display());
            let name = keys.display().to_string();
            expected.insert((name.clone(), name));
        }
        ensure!(
            disk.found == expected,
            "on disk are these secrets, and may be only the operators' own keys:\n{}",
            disk.shown()
        );
        self.said("on disk, beside the operators' own keys", &disk);
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
        for program in ["cim-admin identity make", "nats-server -c", "sops decrypt"] {
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
        if !search.found.iter().any(|(name, _)| name == "control") {
            bail!("the search does not find the control in {place}");
        }
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

fn read(file: &Path) -> Result<Value> {
    let text = fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("reading {}", file.display()))
}

fn value(specs: &BTreeMap<String, Value>) -> Result<Value> {
    serde_json::to_value(specs).context("comparing specs")
}
