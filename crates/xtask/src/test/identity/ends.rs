//! What is wrong or ends soon, seen by the flake's own checks and apps: in CI, on its schedule, and before a deployment.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};

use super::Test;

/// A host's certificate lasts 30 days, and what ends within 14 is told.
const LATER: u64 = 20 * 86_400;

/// The template's schedule.
const WORKFLOW: &str = ".github/workflows/check.yml";

impl Test<'_> {
    /// After the identity was made and committed; leaves everything as it was.
    pub fn ends(&self) -> Result<()> {
        self.another_certificate()?;
        self.later()?;
        self.scheduled()?;
        self.deployed()
    }

    /// A certificate in another's place does not check.
    fn another_certificate(&self) -> Result<()> {
        let folder = self.project.folder.join("identity/certificates");
        let (from, to) = (folder.join("cim-plant-a.pem"), folder.join("cim-hub.pem"));
        fs::copy(&from, &to).with_context(|| format!("copying {}", from.display()))?;
        let (status, said) = self.project.nix_says(&[
            "build",
            "--no-link",
            "--print-build-logs",
            ".#checks.x86_64-linux.identity",
        ])?;
        ensure!(
            !status.success(),
            "a certificate of another checks:\n{said}"
        );
        says(
            &said,
            &[
                "services.cim.fleet.hubs.hub.nodes.hub.address: is \"hub.example.com\", for which certificates/cim-hub.pem does not hold",
                "certificates/cim-hub.pem: its common name is plant-a, not hub",
            ],
        )?;
        self.project.git(&["checkout", "--quiet", "identity"])?;
        Ok(())
    }

    /// A commit of 20 days from now does not check: evaluation has no clock but that.
    fn later(&self) -> Result<()> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let later = now.context("asking for the time")?.as_secs() + LATER;
        self.project.commit_at("20 days later", later)?;
        let (status, said) = self.project.check()?;
        ensure!(!status.success(), "20 days later it still checks:\n{said}");
        says(
            &said,
            &[
                "these end within 336h (services.cim.fleet.expiryHorizon) of ",
                "certificates/cim-hub.pem: the certificate CN=hub of hub ends at ",
                "help: run `cim-admin identity make`, commit identity/ and secrets/, and deploy hub",
            ],
        )?;
        self.project
            .git(&["reset", "--hard", "--quiet", "HEAD~1"])?;
        Ok(())
    }

    /// What CI runs each week is what passes now, and the second of it fails once something ends within the horizon.
    fn scheduled(&self) -> Result<()> {
        let file = self.project.folder.join(WORKFLOW);
        let text =
            fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
        ensure!(
            text.contains("schedule:\n    - cron: "),
            "{WORKFLOW} has no schedule:\n{text}"
        );
        let runs = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix("- run: nix "));
        let runs: Vec<Vec<&str>> = runs.map(|run| run.split(' ').collect()).collect();
        ensure!(
            runs == [vec!["flake", "check"], vec!["run", ".#expiry"]],
            "{WORKFLOW} runs something else:\n{text}"
        );
        // The first of them has just passed.
        let (status, said) = self.project.nix_says(&["run", ".#expiry"])?;
        ensure!(status.success(), "nix run .#expiry: {status}\n{said}");
        says(&said, &["nothing of "])?;
        self.sooner(|| {
            let (status, said) = self.project.nix_says(&["run", ".#expiry"])?;
            ensure!(
                !status.success(),
                "what ends in 30 days is not within 40:\n{said}"
            );
            says(
                &said,
                &["hub: identity/certificates/cim-hub.pem: the certificate CN=hub ends on "],
            )
        })
    }

    /// A deployment asks first, and then goes from the hubs to the leaves.
    fn deployed(&self) -> Result<()> {
        let deploys = "deploy --rollback-succeeded false --targets .#hub .#plant-a --dry-activate";
        let run = ["run", ".#deploy", "--", "--dry-activate"];
        let (status, said) = self.project.nix_says(&run)?;
        ensure!(status.success(), "nix run .#deploy: {status}\n{said}");
        says(&said, &["nothing of ", deploys])?;
        self.sooner(|| {
            let (status, said) = self.project.nix_says(&run)?;
            ensure!(
                !status.success() && !said.contains(deploys),
                "it deploys what ends:\n{said}"
            );
            says(&said, &["hub: identity/certificates/cim-hub.pem: "])
        })
    }

    /// With a horizon beyond the hosts' certificates.
    fn sooner(&self, told: impl FnOnce() -> Result<()>) -> Result<()> {
        let from = "identity = ./identity;";
        let to = format!("{from} expiryHorizon = \"40d\"; lifetimes.server = \"60d\";");
        self.project.change("fleet.nix", from, &to)?;
        told()?;
        self.project.change("fleet.nix", &to, from)
    }
}

fn says(said: &str, wanted: &[&str]) -> Result<()> {
    let missing: Vec<_> = wanted
        .iter()
        .filter(|words| !said.contains(**words))
        .collect();
    ensure!(missing.is_empty(), "it must say {missing:?}:\n{said}");
    Ok(())
}
