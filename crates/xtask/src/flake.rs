//! The project's flake as Nix gets to see it here: a clean copy of the files, and stand-ins for the inputs with the
//! programs that cargo built in them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;

use anyhow::{Context, Result};

use crate::mirror::Mirror;
use crate::process;
use crate::progress::Progress;
use crate::tools::Tools;
use crate::workspace::Workspace;

/// The flake's inputs; each has a stand-in of that name in checks/standin.
const INPUTS: [&str; 5] = ["nixpkgs", "crane", "deploy-rs", "treefmt-nix", "sops-nix"];

/// The workspace's programs that stand for the packages Nix would build of them.
const PROGRAMS: [&str; 10] = [
    "cim-admin",
    "cim-backup",
    "cim-render",
    "cim-check",
    "cim-expiry",
    "cim-health",
    "cim-provision",
    "cim-reload",
    "cim-secrets",
    "xtask",
];

/// The assembled flake.
#[derive(Debug)]
pub struct Flake {
    tools: Rc<Tools>,
    source: PathBuf,
    standin: PathBuf,
    /// Input and what stands for it.
    overrides: Vec<(String, String)>,
}

impl Flake {
    /// Builds the workspace's programs, copies the files, and fills the stand-ins. With `nixpkgs`, that tree is used
    /// in place of the stand-in for nixpkgs.
    pub fn assemble(
        workspace: &Workspace,
        tools: Rc<Tools>,
        nixpkgs: Option<&Path>,
        progress: &Progress,
    ) -> Result<Self> {
        progress.doing("building the programs that the stand-in holds", || {
            process::quiet(workspace.cargo().args(["build", "--workspace", "--bins"]))
        })?;
        let source = workspace.target.join("nix/src");
        copy_project(workspace, &source).context("copying the project's files for Nix")?;
        let standin = workspace.target.join("nix/standin");
        fill_standin(workspace, &tools, &standin).context("assembling the stand-in for nixpkgs")?;
        let mut overrides = Vec::new();
        for input in INPUTS {
            let path = match nixpkgs {
                Some(path) if input == "nixpkgs" => path.to_path_buf(),
                _ => standin.join(input),
            };
            overrides.push((input.to_owned(), format!("path:{}", path.display())));
        }
        Ok(Self {
            tools,
            source,
            standin,
            overrides,
        })
    }

    /// The same inputs for another copy of the project's files.
    pub fn at(&self, source: PathBuf) -> Self {
        Self {
            tools: Rc::clone(&self.tools),
            source,
            standin: self.standin.clone(),
            overrides: self.overrides.clone(),
        }
    }

    /// Another flake in `source`, with this one as its input `cim`.
    pub fn used_by(&self, source: PathBuf) -> Self {
        let of_ours = self.overrides.iter();
        let of_ours = of_ours.map(|(input, path)| (format!("cim/{input}"), path.clone()));
        Self {
            overrides: [("cim".to_owned(), self.reference())]
                .into_iter()
                .chain(of_ours)
                .collect(),
            ..self.at(source)
        }
    }

    /// The clean copy of the project's files.
    pub fn source(&self) -> &Path {
        &self.source
    }

    /// The stand-in for an input.
    pub fn standin(&self, input: &str) -> PathBuf {
        self.standin.join(input)
    }

    /// The folder that holds a stand-in for each input.
    pub fn standins(&self) -> &Path {
        &self.standin
    }

    /// What to call the flake in an argument of nix.
    pub fn reference(&self) -> String {
        format!("path:{}", self.source.display())
    }

    /// Another program of the tools, as Nix's own older commands.
    pub fn tool(&self, name: &str) -> Result<Command> {
        self.tools.command(name)
    }

    /// A `nix` command on this flake: `args` with the overrides put in, before a `--` if there is one.
    pub fn nix(&self, args: &[&str]) -> Result<Command> {
        let mut nix = self.tools.command("nix")?;
        let end = args
            .iter()
            .position(|arg| *arg == "--")
            .unwrap_or(args.len());
        let (before, after) = args.split_at(end);
        nix.args(before);
        for (input, path) in &self.overrides {
            nix.args(["--override-input", input, path]);
        }
        nix.args(["--no-write-lock-file", "--offline"]).args(after);
        Ok(nix)
    }
}

/// Copies what git knows or would take: files not yet added count, ignored ones do not, and nobody asks who owns the
/// checkout.
fn copy_project(workspace: &Workspace, to: &Path) -> Result<()> {
    let mut git = Command::new("git");
    git.args([
        "-c",
        "safe.directory=*",
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]);
    let listed =
        process::output(git.current_dir(&workspace.root)).context("listing the project's files")?;
    let mut mirror = Mirror::at(to);
    for name in listed.split_terminator('\0') {
        let from = workspace.root.join(name);
        // git still lists a file that was removed but not yet committed as removed.
        if from.symlink_metadata().is_ok() {
            mirror.copy(Path::new(name), &from)?;
        }
    }
    mirror.finish()
}

/// Copies checks/standin and puts into its nixpkgs/bin the programs that stand for packages.
fn fill_standin(workspace: &Workspace, tools: &Tools, to: &Path) -> Result<()> {
    let mut mirror = Mirror::at(to);
    mirror.copy_folder(&workspace.root.join("checks/standin"))?;
    let bin = Path::new("nixpkgs/bin");
    for (name, tool) in tools.all() {
        // Nix is no package of the stand-in, no check of the flake runs sops, age or Prometheus, and the machine's systemd
        // it finds by itself.
        let used = !["nix", "sops", "age", "prometheus", "promtool"].contains(&name);
        if used && (name != "systemd-analyze" || tools.is_ours(tool)) {
            let path = tool
                .path
                .canonicalize()
                .with_context(|| format!("finding {}", tool.path.display()))?;
            mirror.copy(&bin.join(name), &path)?;
        }
    }
    let version = tools.nats_server.version.to_string();
    mirror.write(&bin.join("nats-server.version"), version.as_bytes(), false)?;
    for program in PROGRAMS {
        mirror.copy(&bin.join(program), &workspace.built(program))?;
    }
    mirror.write(&bin.join("rustfmt"), rustfmt(workspace)?.as_bytes(), true)?;
    mirror.finish()
}

/// A script that runs the toolchain's rustfmt where it is (the sandbox shows that folder; a copy would miss its libraries).
fn rustfmt(workspace: &Workspace) -> Result<String> {
    let mut rustc = Command::new("rustc");
    let sysroot = process::output(
        rustc
            .args(["--print", "sysroot"])
            .current_dir(&workspace.root),
    )?;
    let rustfmt = Path::new(sysroot.trim()).join("bin/rustfmt");
    let rustfmt = rustfmt
        .canonicalize()
        .with_context(|| format!("finding the toolchain's {}", rustfmt.display()))?;
    Ok(format!("#!/bin/sh\nexec '{}' \"$@\"\n", rustfmt.display()))
}
