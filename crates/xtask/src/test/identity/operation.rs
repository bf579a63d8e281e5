//! What an operator does while the fleet runs: keys are replaced, accounts pushed, contexts written and a leaf taken
//! out, watched like all before. What is committed of it is taken back, so that only git's objects still have it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use cim_testkit::{Fleet, until};

use super::Test;
use crate::demo::table::Table;

/// The leaf that gets a new key, and the one that is taken out.
const KEPT: &str = "plant-a";
const OUT: &str = "plant-b";

/// The user that gets a new key, and the account of all.
const USER: &str = "app";
const ACCOUNT: &str = "CIM";

impl Test<'_> {
    /// All of it, by our own program; `plan` is the fleet's plan.
    pub async fn operated(&self, fleet: &Fleet, plan: &Path, table: &mut Table) -> Result<()> {
        let since = Instant::now();
        let hub = fleet.member("hub")?.url();
        let plan = plan.display().to_string();
        let rotate = |what: &[&str]| self.admin(&[&["rotate"], what, &["--plan", &plan]].concat());
        let push = || self.admin(&["accounts", "push", "--yes", "--server", &hub]);
        let (leaf, user) = (["leaf", KEPT], ["user", ACCOUNT, USER]);
        for what in [&leaf[..], &user, &["ca"]] {
            rotate(what)?;
        }
        push()?;
        self.estate.open(KEPT)?;
        let before = links(fleet)?;
        for what in [&leaf[..], &user] {
            rotate(&[what, &["--finish", "--yes"]].concat())?;
        }
        push()?;
        until("the leaf is linked by its new key", async || {
            let now = links(fleet)?;
            ensure!(
                now > before,
                "it was linked {before} times, and is so still"
            );
            ensure!(!fleet.links(KEPT)?.is_empty(), "it is not linked");
            Ok(())
        })
        .await?;
        let creds = self.creds().display().to_string();
        self.admin(&["contexts", "--server", &hub, "--creds", &creds])?;
        self.admin(&["decommission", OUT, "--plan", &plan, "--yes"])?;
        push()?;
        self.take_back()?;
        table.held(
            "a leaf gets a new key without a restart, by our own commands",
            format!("{KEPT}; user {USER} and the issuing CA, too; {OUT} is taken out"),
            since.elapsed(),
        );
        Ok(())
    }

    /// Notes what is secret now, and commits it; then all is as it was before.
    fn take_back(&self) -> Result<()> {
        let secrets = self.project.folder.join("secrets");
        let mut replaced = self.replaced.borrow_mut();
        replaced.add_folder("the new ", &secrets, &self.estate.keys)?;
        self.project.commit("new keys")?;
        self.project
            .git(&["reset", "--hard", "--quiet", "HEAD~1"])?;
        self.estate.open(KEPT).map(drop)
    }

    /// What `contexts` opened: by the names that the secrets have, where they are.
    pub fn opened(&self) -> [(String, PathBuf); 2] {
        [
            (
                format!("the new users/{ACCOUNT}/{USER}.creds"),
                format!("{ACCOUNT}-{USER}.creds"),
            ),
            (
                "operator.yaml: desk.creds".to_owned(),
                "desk.creds".to_owned(),
            ),
        ]
        .map(|(name, file)| (name, self.creds().join(file)))
    }

    /// The folder of readable creds, beside the operator's key.
    fn creds(&self) -> PathBuf {
        self.estate.keys.with_file_name("creds")
    }

    fn admin(&self, args: &[&str]) -> Result<()> {
        let mut command = Command::new(&self.cim_admin);
        command.args(args).arg("--keys").arg(&self.estate.keys);
        let config = self.estate.keys.with_file_name("config");
        self.project.does(command.env("XDG_CONFIG_HOME", config))
    }
}

/// How often the leaf was linked.
fn links(fleet: &Fleet) -> Result<usize> {
    let log = fs::read_to_string(fleet.server(KEPT)?.log()).context("reading a log")?;
    Ok(log.matches("Leafnode connection created").count())
}
