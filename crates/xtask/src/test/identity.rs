//! The step `identity`: from an empty folder to servers in operator mode by one command, and no secret anywhere on the way.

mod ends;
mod leaks;
mod needles;
mod operation;
mod project;
mod search;
mod watch;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use cim_testkit::Ports;
use serde_json::Value;
use tempfile::TempDir;

use self::needles::Needles;
use self::project::Project;
use self::watch::Watch;
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
    /// The secrets that there were while keys were replaced.
    replaced: RefCell<Needles>,
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
        replaced: RefCell::default(),
    };
    let store = search::store()?;
    let watch = Watch::begin(vec![
        test.project.folder.clone(),
        test.project.tmp.clone(),
        test.project.cache.clone(),
        test.dir.path().join("specs"),
        test.dir.path().join("servers"),
        test.dir.path().join("stranger"),
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
        progress.doing("what is wrong or ends is told", || self.ends())?;
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
            "there is no secrets/hub.yaml, which must hold cim-hub.CIM.health.creds, cim-hub.key",
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
        let file = self.project.build("identity-plan")?;
        let plan = operator::read(&file)?;
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
            self.operated(&fleet, &file, &mut table).await?;
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
}

fn value(specs: &BTreeMap<String, Value>) -> Result<Value> {
    serde_json::to_value(specs).context("comparing specs")
}
