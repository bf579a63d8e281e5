//! `cim-admin rotate` and `decommission` on an identity that `identity make` made, against a real hub.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result, ensure};
use cim_admin::sops::Plain;
use cim_creds::{Account, Claims, Operator, decode};
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

#[tokio::test]
async fn a_signing_key_overlaps_visibly_and_ends() -> Result<()> {
    let scene = Scene::new()?;
    let what = ["rotate", "account-signing", "CIM", "default"];
    let old = scene.creds("users/CIM/smith.creds")?;
    let before = scene.fleet.files()?;
    let dry = scene.run(&[&what[..], &["--dry-run"]].concat())?;
    ensure!(changed(&before, &scene.fleet.files()?).is_empty());
    let report = scene.run(&what)?;
    ensure!(dry["next"] == report["next"], "{dry:#}");
    let files = changed(&before, &scene.fleet.files()?);
    let expected = [
        "identity/accounts/CIM.jwt",
        "identity/keys.json",
        "identity/users/CIM/alchemist.jwt",
        "identity/users/CIM/smith.jwt",
        "secrets/operator.yaml",
        "secrets/users/CIM/alchemist.creds",
        "secrets/users/CIM/smith.creds",
    ];
    ensure!(files == expected, "{files:?}");
    let steps = steps(&report);
    let at = |start: &str| steps.iter().position(|step| step.starts_with(start));
    ensure!(
        at("commit") < at("push") && at("push") < at("when all of them"),
        "{steps:?}"
    );
    let keys = scene.keys()?;
    let (new_key, old_key) = (
        &keys["accounts"]["CIM"]["signingKeys"]["default"],
        &keys["accounts"]["CIM"]["retiring"]["default"],
    );
    ensure!(
        new_key.is_string() && old_key.is_string() && new_key != old_key,
        "{keys:#}"
    );
    let said = scene.refused(&what)?;
    ensure!(said.contains("is under way"), "{said}");
    // Another run in between leaves the overlap alone.
    let again = scene.fleet.make(&[])?;
    ensure!(again["written"] == serde_json::json!([]), "{again}");

    scene.checks()?;
    scene.push()?;
    let new = scene.creds("users/CIM/smith.creds")?;
    ensure!(
        scene.lets_in(&old).await && scene.lets_in(&new).await,
        "both hold"
    );
    scene.run(&[&what[..], &["--finish"]].concat())?;
    ensure!(
        scene
            .account()?
            .nats
            .signing_keys
            .get(old_key.as_str().context("a key")?)
            .is_none()
    );
    scene.checks()?;
    scene.push()?;
    ensure!(
        !scene.lets_in(&old).await && scene.lets_in(&new).await,
        "only the new one holds"
    );
    let said = scene.refused(&[&what[..], &["--finish"]].concat())?;
    ensure!(said.contains("no such rotation is under way"), "{said}");
    Ok(())
}

#[tokio::test]
async fn a_leafs_and_a_users_key_overlap_and_the_old_one_is_revoked() -> Result<()> {
    let scene = Scene::new()?;
    for (what, file) in [
        (
            &["rotate", "user", "CIM", "smith"][..],
            "users/CIM/smith.creds",
        ),
        (&["rotate", "leaf", "plant-b"], "leaves/plant-b.creds"),
    ] {
        let old = scene.creds(file)?;
        scene.run(what)?;
        scene.checks()?;
        let new = scene.creds(file)?;
        ensure!(old != new);
        scene.push()?;
        // A leaf's creds let no client in; that both are known is said by what the account refuses.
        let revoked = |account: &Claims<Account>| account.nats.revocations.0.len();
        let before = revoked(&scene.account()?);
        if file.starts_with("users") {
            ensure!(
                scene.lets_in(&old).await && scene.lets_in(&new).await,
                "{file}"
            );
        }
        scene.run(&[what, &["--finish"]].concat())?;
        ensure!(revoked(&scene.account()?) == before + 1);
        scene.push()?;
        if file.starts_with("users") {
            ensure!(
                !scene.lets_in(&old).await && scene.lets_in(&new).await,
                "{file}"
            );
        }
        let again = scene.fleet.make(&[])?;
        ensure!(again["written"] == serde_json::json!([]), "{again}");
    }
    Ok(())
}

#[tokio::test]
async fn the_operators_signing_key_goes_to_the_hubs_first() -> Result<()> {
    let mut scene = Scene::new()?;
    let identity = scene.fleet.path("identity");
    let user = scene.creds("users/CIM/smith.creds")?;
    let report = scene.run(&["rotate", "operator-signing"])?;
    let next = steps(&report);
    let at = |start: &str| next.iter().position(|step| step.starts_with(start));
    ensure!(
        at("deploy every hub").is_some() && at("deploy every hub") < at("push"),
        "{next:?}"
    );
    let url = scene.nodes.url();
    let push = [
        "accounts", "push", "--yes", "--server", &url, "--keys", "keys.txt",
    ];
    let output = scene.fleet.run(&push)?;
    let said = String::from_utf8(output.stderr)?;
    ensure!(said.contains("deploy operator.jwt to it first"), "{said}");
    scene.nodes.reconfigure(0, &identity)?;
    scene.nodes.restart(0)?;
    scene.push()?;
    scene.checks()?;
    scene.run(&["rotate", "operator-signing", "--finish"])?;
    scene.checks()?;
    let jwt = scene.fleet.read("identity/operator.jwt")?;
    ensure!(
        decode::<Operator>(jwt.trim())?
            .claims
            .nats
            .signing_keys
            .len()
            == 1
    );
    scene.nodes.reconfigure(0, &identity)?;
    scene.nodes.restart(0)?;
    scene.push()?;
    ensure!(scene.lets_in(&user).await, "users notice nothing");
    Ok(())
}

#[test]
fn certificates_are_replaced_one_by_one_and_all_with_the_ca() -> Result<()> {
    let scene = Scene::new()?;
    for (what, files) in [
        (
            &["rotate", "server-certificate", "cim-hub-1"][..],
            &["identity/certificates/cim-hub-1.pem", "secrets/hub-1.yaml"][..],
        ),
        (
            &["rotate", "leaf-certificate", "cim-plant-a"],
            &[
                "identity/certificates/cim-plant-a.pem",
                "secrets/plant-a.yaml",
            ],
        ),
        (
            &["rotate", "ca"],
            &[
                "identity/certificates/cim-hub-1.pem",
                "identity/certificates/cim-plant-a.pem",
                "secrets/operator.yaml",
            ],
        ),
    ] {
        let before = scene.fleet.files()?;
        let report = scene.run(what)?;
        let found = changed(&before, &scene.fleet.files()?);
        ensure!(found == files, "{what:?}: {found:?}");
        ensure!(
            steps(&report).iter().any(|step| step.starts_with("deploy")) || what[1] == "ca",
            "{report:#}"
        );
        let again = scene.fleet.make(&[])?;
        ensure!(again["written"] == serde_json::json!([]), "{again}");
    }
    for (what, why) in [
        (
            &["rotate", "leaf-certificate", "cim-hub-1"][..],
            "it has those of cim-plant-a",
        ),
        (
            &["rotate", "account-signing", "CIM", "leaf/plant-c"],
            "it has default, leaf/plant-a",
        ),
        (
            &["rotate", "account-signing", "CIN", "default"],
            "there is no account CIN",
        ),
        (
            &["rotate", "leaf", "plant-c"],
            "there is no identity/leaves/plant-c.jwt",
        ),
        (
            &["rotate", "ca", "--finish"],
            "certificates have no second step",
        ),
    ] {
        let said = scene.refused(what)?;
        ensure!(said.contains(why), "{what:?}: {said}");
    }
    Ok(())
}

#[test]
fn a_root_ends_only_when_nothing_comes_from_it() -> Result<()> {
    let scene = Scene::new()?;
    let what = ["rotate", "ca-root"];
    let end = [&what[..], &["--finish"]].concat();
    let said = scene.refused(&end)?;
    ensure!(said.contains("no such rotation is under way"), "{said}");
    let old = scene.fleet.read("identity/ca.pem")?;
    let before = scene.fleet.files()?;
    let report = scene.run(&what)?;
    let files = changed(&before, &scene.fleet.files()?);
    ensure!(
        files == ["identity/ca.pem", "secrets/operator.yaml"],
        "{files:?}"
    );
    let steps = steps(&report);
    ensure!(
        steps[1].starts_with("deploy every host") && steps[2].starts_with("cim-admin rotate ca,"),
        "{steps:?}"
    );
    let both = scene.fleet.read("identity/ca.pem")?;
    ensure!(both.ends_with(&old) && both.len() > old.len(), "{both}");
    scene.checks()?;
    let said = scene.refused(&what)?;
    ensure!(said.contains("has 2 roots"), "{said}");
    let said = scene.refused(&end)?;
    ensure!(
        said.contains("certificates/cim-hub-1.pem does not come from the new root alone"),
        "{said}"
    );
    let again = scene.fleet.make(&[])?;
    ensure!(again["written"] == serde_json::json!([]), "{again}");
    scene.run(&["rotate", "ca"])?;
    scene.checks()?;
    scene.run(&end)?;
    ensure!(scene.fleet.read("identity/ca.pem")? == both[..both.len() - old.len()]);
    scene.checks()
}

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
    let output = scene.fleet.run(&[
        "identity",
        "make",
        "--plan",
        "plan.json",
        "--keys",
        "keys.txt",
    ])?;
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
