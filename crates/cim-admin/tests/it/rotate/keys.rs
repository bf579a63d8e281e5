//! `cim-admin rotate` of what signs: an account's and the operator's signing keys, users' and leaves' own.

use anyhow::{Context, Result, ensure};
use cim_creds::{Account, Claims, Operator, decode};

use super::{Scene, steps};
use crate::fleet::changed;

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
    let end = [&what[..], &["--finish"]].concat();
    let said = scene.refused(&end)?;
    ensure!(said.contains("--yes is your consent"), "{said}");
    let before = scene.fleet.files()?;
    let dry = scene.run(&[&end[..], &["--dry-run"]].concat())?;
    ensure!(changed(&before, &scene.fleet.files()?).is_empty());
    let done = scene.run(&[&end[..], &["--yes"]].concat())?;
    let loss = done["losses"][0].as_str().context("a loss")?;
    ensure!(loss.contains(old_key.as_str().context("a key")?) && dry["losses"] == done["losses"]);
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
    let said = scene.refused(&end)?;
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
        scene.run(&[what, &["--finish", "--yes"]].concat())?;
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
    scene.run(&["rotate", "operator-signing", "--finish", "--yes"])?;
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
