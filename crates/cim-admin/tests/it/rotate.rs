//! `cim-admin rotate` and `decommission` on an identity that `identity make` made, against a real hub.

mod certificates;
mod decommission;
mod keys;

use anyhow::{Context, Result, ensure};
use cim_admin::sops::Plain;
use cim_creds::{Account, Claims, decode};
use serde_json::Value;

use crate::fleet::{Fleet, changed};
use crate::hubs::Nodes;

const FOLDERS: [&str; 5] = ["--plan", "plan.json", "--keys", "keys.txt", "--json"];

/// A fleet whose hub runs.
struct Scene {
    fleet: Fleet,
    nodes: Nodes,
}

impl Scene {
    fn new() -> Result<Self> {
        let fleet = Fleet::new()?;
        fleet.make(&["--new-keys"])?;
        let nodes = Nodes::start_on(&fleet.path("identity"), 1)?;
        let scene = Self { fleet, nodes };
        scene.push()?;
        Ok(scene)
    }

    fn run(&self, args: &[&str]) -> Result<Value> {
        let output = self.fleet.run(&[args, &FOLDERS].concat())?;
        let said = String::from_utf8([output.stdout, output.stderr].concat())?;
        ensure!(output.status.success(), "{args:?}: {said}");
        serde_json::from_str(&said).context(said)
    }

    fn refused(&self, args: &[&str]) -> Result<String> {
        let before = self.fleet.files()?;
        let output = self.fleet.run(&[args, &FOLDERS].concat())?;
        ensure!(output.status.code() == Some(1), "{output:?}");
        ensure!(
            changed(&before, &self.fleet.files()?).is_empty(),
            "{args:?}: changed something"
        );
        Ok(String::from_utf8(output.stderr)?)
    }

    fn push(&self) -> Result<()> {
        let url = self.nodes.url();
        let args = [
            "accounts", "push", "--yes", "--server", &url, "--keys", "keys.txt",
        ];
        // The CA is for hosts; this hub has no TLS.
        let output = self.fleet.run(&args)?;
        ensure!(output.status.success(), "{output:?}");
        Ok(())
    }

    fn account(&self) -> Result<Claims<Account>> {
        let jwt = self.fleet.read("identity/accounts/CIM.jwt")?;
        Ok(decode::<Account>(jwt.trim())?.claims)
    }

    fn keys(&self) -> Result<Value> {
        Ok(serde_json::from_str(
            &self.fleet.read("identity/keys.json")?,
        )?)
    }

    fn creds(&self, file: &str) -> Result<String> {
        match self.fleet.opened(file)? {
            Plain::Bytes(bytes) => Ok(String::from_utf8(bytes.to_vec())?),
            Plain::Tree(_) => anyhow::bail!("{file} has names"),
        }
    }

    /// What is committed and sealed is what the plan needs.
    fn checks(&self) -> Result<()> {
        self.run(&["secrets", "check"])?;
        Ok(())
    }

    async fn lets_in(&self, creds: &str) -> bool {
        self.nodes.connect(0, creds).await.is_ok()
    }
}

fn steps(report: &Value) -> Vec<&str> {
    let next = report["next"].as_array();
    next.into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}
