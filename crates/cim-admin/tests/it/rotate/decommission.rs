//! `cim-admin decommission`: what a leaf that is taken out leaves behind, and how it comes back.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::Scene;
use crate::fleet::{MAKE, changed};

#[test]
fn a_decommissioned_leaf_stays_out_until_it_gets_a_new_key() -> Result<()> {
    let scene = Scene::new()?;
    let what = ["decommission", "plant-a"];
    let said = scene.refused(&what)?;
    ensure!(
        said.contains("--yes is your consent") && said.contains("CIM: leaf plant-a"),
        "{said}"
    );
    let before = scene.fleet.files()?;
    scene.run(&[&what[..], &["--dry-run"]].concat())?;
    ensure!(changed(&before, &scene.fleet.files()?).is_empty());
    let report = scene.run(&[&what[..], &["--yes"]].concat())?;
    let files = changed(&before, &scene.fleet.files()?);
    ensure!(
        files
            == [
                "identity/accounts/CIM.jwt",
                "identity/keys.json",
                "secrets/operator.yaml"
            ],
        "{files:?}"
    );
    let key = report["key"].as_str().context("a key")?;
    let account = scene.account()?;
    ensure!(account.nats.revocations.0.contains_key(key));
    let roles: BTreeSet<&str> = account
        .nats
        .signing_keys
        .scopes()
        .map(|s| s.role.as_str())
        .collect();
    ensure!(
        !roles.contains("leaf/plant-a") && roles.contains("leaf/plant-b"),
        "{roles:?}"
    );
    let named: BTreeSet<&str> = report["fleet"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    ensure!(
        named.contains("services.cim.fleet.leaves.plant-a") && named.contains("host plant-a"),
        "{named:?}"
    );
    let still = report["stillThere"].to_string();
    for what in [
        "identity/leaves/plant-a.jwt",
        "secrets/plant-a.yaml: cim-plant-a.creds",
    ] {
        ensure!(still.contains(what), "{still}");
    }
    scene.push()?;
    // The plan still has it: nothing lets it in again by the way.
    let output = scene.fleet.run(&MAKE)?;
    let said = String::from_utf8(output.stderr)?;
    ensure!(
        said.contains("is revoked") && said.contains("cim-admin rotate"),
        "{said}"
    );
    scene.run(&["rotate", "leaf", "plant-a"])?;
    let account = scene.account()?;
    ensure!(
        account.nats.revocations.0.contains_key(key),
        "the old key stays out"
    );
    ensure!(
        account
            .nats
            .signing_keys
            .scopes()
            .any(|scope| scope.role == "leaf/plant-a")
    );
    fs::metadata(scene.fleet.path("identity/leaves/plant-a.jwt"))?;
    Ok(())
}
