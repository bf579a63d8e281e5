//! `cargo xtask bench`: what a fleet of 1,000 leaves costs to evaluate, render and check.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value};

use crate::flake::Flake;
use crate::process;
use crate::progress::Progress;
use crate::tools::{Purpose, Tools};
use crate::workspace::Workspace;

/// Fleet sizes that are compared.
const SMALL: u32 = 10;
const LARGE: u32 = 1000;

/// How many rendered configs nats-server itself reads, for the ratio.
const SAMPLE: usize = 25;

/// A command run under Python's own accounting: seconds and peak memory of the child.
const MEASURE: &str = "import resource,subprocess,sys,time
start=time.monotonic()
code=subprocess.call(sys.argv[1:],stdout=subprocess.DEVNULL)
took=time.monotonic()-start
print(took,resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)";

/// Runs the benchmark and prints its figures.
pub fn run(workspace: &Workspace, nixpkgs: Option<&Path>, progress: &Progress) -> Result<()> {
    let tools = Rc::new(Tools::install(workspace, Purpose::Demo, progress)?);
    let flake = Flake::assemble(workspace, Rc::clone(&tools), None, progress)?;
    let bench = Bench {
        tools: &tools,
        source: flake.source().to_owned(),
        nixpkgs: nixpkgs.map_or_else(|| flake.standin("nixpkgs"), Path::to_owned),
        folder: workspace.target.join("bench"),
    };
    fs::create_dir_all(&bench.folder)
        .with_context(|| format!("creating {}", bench.folder.display()))?;
    bench.evaluation()?;
    progress.doing(&format!("evaluating the specs of {LARGE} leaves"), || {
        bench.write_specs()
    })?;
    progress.doing("building cim-render for release", || {
        process::quiet(
            workspace
                .cargo()
                .args(["build", "--release", "--package", "cim-render"]),
        )
    })?;
    bench.rendering(&workspace.target.join("release/cim-render"))
}

struct Bench<'a> {
    tools: &'a Tools,
    source: PathBuf,
    nixpkgs: PathBuf,
    folder: PathBuf,
}

/// What Nix counts of one evaluation.
struct Cost {
    thunks: u64,
    bytes: u64,
}

impl Bench<'_> {
    /// What the fleet value adds to one host's evaluation, small against large.
    fn evaluation(&self) -> Result<()> {
        let bare = self.cost("bareHost", SMALL)?;
        println!("evaluation of one host         thunks         bytes");
        println!(
            "without an instance     {:>13} {:>13}",
            bare.thunks, bare.bytes
        );
        for (host, what) in [("leafHost", "a leaf"), ("hubHost", "a hub node")] {
            let small = self.cost(host, SMALL)?;
            let large = self.cost(host, LARGE)?;
            for (leaves, cost) in [(SMALL, &small), (LARGE, &large)] {
                let what = format!("{what}, {leaves} leaves");
                println!("{what:<23} {:>13} {:>13}", cost.thunks, cost.bytes);
            }
            let more = u64::from(LARGE - SMALL);
            println!(
                "  each further leaf adds {} thunks, {} bytes",
                large.thunks.saturating_sub(small.thunks) / more,
                large.bytes.saturating_sub(small.bytes) / more
            );
        }
        Ok(())
    }

    fn cost(&self, attribute: &str, leaves: u32) -> Result<Cost> {
        let stats = self.folder.join("stats.json");
        let mut nix = self.eval(attribute, leaves)?;
        nix.env("NIX_SHOW_STATS", "1")
            .env("NIX_SHOW_STATS_PATH", &stats);
        process::output(&mut nix)?;
        let text = fs::read_to_string(&stats).context("reading Nix's statistics")?;
        let stats: Value = serde_json::from_str(&text).context("reading Nix's statistics")?;
        let number = |pointer: &str| {
            stats
                .pointer(pointer)
                .and_then(Value::as_u64)
                .with_context(|| format!("Nix's statistics have no {pointer}"))
        };
        Ok(Cost {
            thunks: number("/nrThunks")?,
            bytes: number("/gc/totalBytes")?,
        })
    }

    fn eval(&self, attribute: &str, leaves: u32) -> Result<Command> {
        let expression = format!(
            "(import {}/checks/bench {{ nixpkgs = {}; leaves = {leaves}; }}).{attribute}",
            self.source.display(),
            self.nixpkgs.display()
        );
        let mut nix = self.tools.command("nix")?;
        nix.args([
            "eval",
            "--impure",
            "--offline",
            "--json",
            "--expr",
            &expression,
        ]);
        Ok(nix)
    }

    fn write_specs(&self) -> Result<()> {
        let folder = self.folder.join("specs");
        if folder.exists() {
            fs::remove_dir_all(&folder).context("removing the specs of the last run")?;
        }
        fs::create_dir_all(&folder).context("creating a folder for specs")?;
        let fleet = process::output(&mut self.eval("fleet", LARGE)?)?;
        fs::write(self.folder.join("fleet.json"), fleet).context("writing the fleet")?;
        let specs = process::output(&mut self.eval("specs", LARGE)?)?;
        let specs: Map<String, Value> =
            serde_json::from_str(&specs).context("reading the specs")?;
        for (name, spec) in specs {
            let file = folder.join(format!("{name}.json"));
            fs::write(&file, spec.to_string())
                .with_context(|| format!("writing {}", file.display()))?;
        }
        Ok(())
    }

    /// One call of cim-render for the whole fleet, beside what nats-server takes to read a config.
    fn rendering(&self, cim_render: &Path) -> Result<()> {
        let out = self.folder.join("out");
        if out.exists() {
            fs::remove_dir_all(&out).context("removing the output of the last run")?;
        }
        let mut specs: Vec<PathBuf> = fs::read_dir(self.folder.join("specs"))
            .context("reading the specs")?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<std::io::Result<_>>()
            .context("reading the specs")?;
        specs.sort();
        let mut command = vec![
            cim_render.to_owned(),
            "fleet".into(),
            "--fleet".into(),
            self.folder.join("fleet.json"),
            "--out".into(),
            out.clone(),
        ];
        command.extend(specs.iter().cloned());
        let (seconds, kib) = measure(&command)?;
        let count = specs.len();
        let each = seconds * 1000.0 / count as f64;
        println!("\none cim-render call, {count} specs, all rules, all files written");
        println!(
            "  {:.0} ms, {:.3} ms and {:.1} KiB of peak memory a spec",
            seconds * 1000.0,
            each,
            kib / count as f64
        );
        let theirs = self.nats_server(&out)? * 1000.0;
        println!(
            "  nats-server -t reads one of these configs in {theirs:.1} ms: {:.0} times as long",
            theirs / each
        );
        Ok(())
    }

    /// Seconds that `nats-server -t` takes for one leaf's config, on average.
    fn nats_server(&self, out: &Path) -> Result<f64> {
        let mut total = 0.0;
        for leaf in 1..=SAMPLE {
            // Files that only a host has would stop it at once: it reads a copy without them.
            let config = out.join(format!("leaf-{leaf}/nats.conf"));
            let text = fs::read_to_string(&config)
                .with_context(|| format!("reading {}", config.display()))?;
            let copy: Vec<&str> = text
                .lines()
                .filter(|line| !line.contains("_file\": \"/"))
                .collect();
            let copied = self.folder.join("copy.conf");
            fs::write(&copied, copy.join("\n")).context("writing a copy")?;
            let command = [
                self.tools.nats_server.path.clone(),
                "-t".into(),
                "-c".into(),
                copied,
            ];
            total += measure(&command)?.0;
        }
        Ok(total / SAMPLE as f64)
    }
}

/// Seconds and peak KiB of one command.
fn measure(command: &[PathBuf]) -> Result<(f64, f64)> {
    let mut python = Command::new("python3");
    python.arg("-c").arg(MEASURE).args(command);
    let said = process::output(&mut python)?;
    let mut numbers = said.split_whitespace().map(str::parse::<f64>);
    let (Some(Ok(seconds)), Some(Ok(kib))) = (numbers.next(), numbers.next()) else {
        anyhow::bail!("reading the measure of a command: it says {said:?}");
    };
    ensure!(seconds > 0.0, "a command that takes no time was not run");
    Ok((seconds, kib))
}
