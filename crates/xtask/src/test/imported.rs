//! What a server has becomes options, by `cim-provision import --nix`; Nix makes a spec of them, cim-render files, and of
//! these `plan` finds nothing to do on that very server.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use cim_check::Server;
use cim_render::{Artefacts, input};
use cim_spec::Plan;
use tempfile::TempDir;

use super::Session;
use super::eval::{self, Eval};
use crate::process;

/// What the server is given: streams, consumers and buckets of every kind, with most of their fields.
const ASSETS: &str = "checks/eval/imported";

/// Where the renderer puts what the account of checks/eval/fleet.nix holds.
const RENDERED: &str = "jetstream/CIM/";

/// A server, and `cim-provision` on it. The folder goes after the server.
struct Round {
    server: Server,
    provision: PathBuf,
    dir: TempDir,
}

/// The step.
pub fn run(session: &mut Session) -> Result<()> {
    let tools = session.tools()?;
    let flake = session.flake()?;
    let eval = Eval::new(&tools, flake.source(), flake.standins());
    let dir = tempfile::tempdir().context("creating a folder")?;
    let server = start(&tools.nats_server.path, dir.path())?;
    let round = Round {
        server,
        provision: session.workspace.built("cim-provision"),
        dir,
    };
    let assets = eval.file(ASSETS);
    round.said("apply", &[&assets])?;
    let options = round.dir.path().join("assets.nix");
    round.said("import", &[Path::new("--nix"), &options])?;
    let specs = eval.json(&format!("imported {}", eval::path(&options)))?;
    let rendered = round.rendered(&specs)?;
    let said = round.said("plan", &[&rendered])?;
    let count = files(&assets)?;
    let wanted = format!("{count} declared: {count} as declared, 0 to do, 0 refused\n");
    ensure!(
        said == wanted,
        "of {count} assets that were imported:\n{said}"
    );
    session
        .progress
        .note(&format!("{count} assets came back as they were"));
    Ok(())
}

fn start(nats_server: &Path, dir: &Path) -> Result<Server> {
    let home = dir.display();
    let config = dir.join("nats.conf");
    let text = format!(
        "listen: \"127.0.0.1:-1\"\nhttp: \"127.0.0.1:-1\"\nports_file_dir: \"{home}\"\njetstream {{ store_dir: \"{home}/js\" }}\n"
    );
    fs::write(&config, text).context("writing the server's config")?;
    let mut server = Server::start(nats_server, &config)?;
    server.healthy()?;
    Ok(server)
}

impl Round {
    /// What `cim-provision` prints; an error, where it finds anything to do or to say no to.
    fn said(&self, what: &str, args: &[&Path]) -> Result<String> {
        let mut command = Command::new(&self.provision);
        command.arg(what).args(args);
        command.args(["--server", self.server.url()]);
        if what != "import" {
            command.args(["--monitor", self.server.monitor()]);
        }
        process::output(&mut command)
    }

    /// Renders what the hub of these specs holds; gives the folder.
    fn rendered(&self, specs: &BTreeMap<String, String>) -> Result<PathBuf> {
        let folder = self.dir.path().join("rendered");
        let file = self.dir.path().join("spec.json");
        for spec in specs.values() {
            fs::write(&file, spec).context("writing a spec")?;
            let plan = Plan::from_spec(&input::spec(&file)?);
            let plan = plan.map_err(|problems| anyhow::anyhow!("{problems}"))?;
            for (name, content) in Artefacts::render(&plan)?.files {
                let Some(name) = name.strip_prefix(RENDERED) else {
                    continue;
                };
                let path = folder.join(name);
                let parent = path.parent().context("a file is in a folder")?;
                fs::create_dir_all(parent)
                    .and_then(|()| fs::write(&path, content))
                    .with_context(|| format!("writing {}", path.display()))?;
            }
        }
        Ok(folder)
    }
}

/// How many files there are in a folder, at any depth.
fn files(folder: &Path) -> Result<usize> {
    let mut count = 0;
    let entries = fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        count += if path.is_dir() { files(&path)? } else { 1 };
    }
    Ok(count)
}
