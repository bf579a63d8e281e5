//! An operator's project, from an empty folder: the template, hosts' keys, git, and the flake's own commands.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use anyhow::{Context, Result, ensure};
use serde::de::DeserializeOwned;

use crate::flake::Flake;
use crate::process;

/// What the template has in the place of a host's key.
const HOST_KEY: &str = "# services.cim.sops.hostKey = \"ssh-ed25519 AAAA…\";";

/// The project, and the folders that its commands may use.
pub struct Project {
    /// The flake.
    pub folder: PathBuf,
    /// TMPDIR of all commands.
    pub tmp: PathBuf,
    /// XDG_CACHE_HOME of all commands.
    pub cache: PathBuf,
    flake: Flake,
    /// What the flake's commands printed.
    said: RefCell<String>,
}

impl Project {
    /// Makes the folders: the project's is empty.
    pub fn new(dir: &Path, cim: &Flake) -> Result<Self> {
        let [folder, tmp, cache] = ["project", "tmp", "cache"].map(|name| dir.join(name));
        for made in [&folder, &tmp, &cache] {
            fs::create_dir(made).with_context(|| format!("creating {}", made.display()))?;
        }
        Ok(Self {
            flake: cim.used_by(folder.clone()),
            folder,
            tmp,
            cache,
            said: RefCell::default(),
        })
    }

    /// `nix flake init -t`, in a git repository.
    pub fn begin(&self, cim: &Flake) -> Result<()> {
        self.git(&["init", "--quiet"])?;
        let mut nix = cim.tool("nix")?;
        nix.args(["flake", "init", "--offline", "--template", &cim.reference()]);
        process::quiet(self.at_home(&mut nix))
    }

    /// Writes a host's public key where its file says.
    pub fn host_key(&self, host: &str, key: &str) -> Result<()> {
        let line = format!("services.cim.sops.hostKey = \"{key}\";");
        self.change(&format!("{host}.nix"), HOST_KEY, &line)
    }

    /// Replaces a text that a file has once.
    pub fn change(&self, file: &str, from: &str, to: &str) -> Result<()> {
        let path = self.folder.join(file);
        let text =
            fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        ensure!(
            text.matches(from).count() == 1,
            "{file} must have once:\n{from}\nit is:\n{text}"
        );
        fs::write(&path, text.replace(from, to))
            .with_context(|| format!("writing {}", path.display()))
    }

    /// Two more hub nodes and a leaf, as hosts/grown has them.
    pub fn grow(&self, cim: &Flake, hosts: &[&str]) -> Result<()> {
        let mut lines = String::new();
        let files = hosts.iter().map(|host| format!("{host}.nix"));
        for file in files.chain(["grown.nix".to_owned()]) {
            let from = cim.source().join("hosts/grown").join(&file);
            fs::copy(&from, self.folder.join(&file))
                .with_context(|| format!("copying {}", from.display()))?;
        }
        for host in hosts {
            lines.push_str(&format!("{host} = host ./{host}.nix;\n        "));
        }
        self.change(
            "flake.nix",
            "mkFleet ./fleet.nix",
            "mkFleet { imports = [ ./fleet.nix ./grown.nix ]; }",
        )?;
        let first = "hub = host ./hub.nix;\n";
        self.change("flake.nix", first, &format!("{lines}{first}"))
    }

    /// `nix run .#identity`.
    pub fn identity(&self, keys: &Path, more: &[&str]) -> Result<()> {
        let keys = keys.display().to_string();
        let args = ["run", ".#identity", "--", "--keys", &keys];
        let (status, said) = self.heard(&[&args[..], more].concat())?;
        ensure!(status.success(), "nix run .#identity: {status}\n{said}");
        Ok(())
    }

    /// `nix flake check`: how it ended and what it said.
    pub fn check(&self) -> Result<(ExitStatus, String)> {
        self.heard(&["flake", "check", "--print-build-logs"])
    }

    /// Runs another program in the project, which must succeed.
    pub fn does(&self, command: &mut Command) -> Result<()> {
        let (status, said) = process::heard(self.at_home(command))?;
        self.said.borrow_mut().push_str(&said);
        ensure!(status.success(), "{command:?}: {status}\n{said}");
        Ok(())
    }

    /// Another command of nix, as CI and operators run it: how it ended and what it said.
    pub fn nix_says(&self, args: &[&str]) -> Result<(ExitStatus, String)> {
        self.heard(args)
    }

    /// All that these printed.
    pub fn said(&self) -> String {
        self.said.borrow().clone()
    }

    fn heard(&self, args: &[&str]) -> Result<(ExitStatus, String)> {
        let (status, said) = process::heard(&mut self.nix(args)?)?;
        self.said.borrow_mut().push_str(&said);
        Ok((status, said))
    }

    /// Builds an output; gives its path.
    pub fn build(&self, output: &str) -> Result<PathBuf> {
        let output = format!(".#{output}");
        let mut nix = self.nix(&["build", "--no-link", "--print-out-paths", &output])?;
        Ok(PathBuf::from(process::output(&mut nix)?.trim()))
    }

    /// What a function makes of an output.
    pub fn eval<T: DeserializeOwned>(&self, output: &str, function: &str) -> Result<T> {
        let output = format!(".#{output}");
        let mut nix = self.nix(&["eval", "--json", &output, "--apply", function])?;
        let said = process::output(&mut nix)?;
        serde_json::from_str(&said).with_context(|| format!("reading {output}"))
    }

    /// `git add` of all there is, and a commit.
    pub fn commit(&self, message: &str) -> Result<()> {
        self.git(&["add", "--all"])?;
        self.git(&["commit", "--quiet", "--message", message])?;
        Ok(())
    }

    /// An empty commit of another time, in seconds since 1970.
    pub fn commit_at(&self, message: &str, at: u64) -> Result<()> {
        let mut git = self.gits(&["commit", "--quiet", "--allow-empty", "--message", message]);
        process::quiet(git.env("GIT_COMMITTER_DATE", format!("@{at} +0000")))
    }

    /// Runs git in the project; gives what it prints.
    pub fn git(&self, args: &[&str]) -> Result<String> {
        process::output(&mut self.gits(args))
    }

    fn gits(&self, args: &[&str]) -> Command {
        let mut git = Command::new("git");
        git.args([
            "-c",
            "user.name=Operator",
            "-c",
            "user.email=operator@example.com",
        ]);
        self.at_home(git.args(args));
        git
    }

    fn nix(&self, args: &[&str]) -> Result<Command> {
        let mut nix = self.flake.nix(args)?;
        self.at_home(&mut nix);
        Ok(nix)
    }

    /// In the project, with nothing written elsewhere.
    fn at_home<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .current_dir(&self.folder)
            .env("TMPDIR", &self.tmp)
            .env("XDG_CACHE_HOME", &self.cache)
    }
}
