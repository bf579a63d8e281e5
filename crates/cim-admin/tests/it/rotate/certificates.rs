//! `cim-admin rotate` of certificates, and of the CAs that they come from.

use anyhow::{Result, ensure};

use super::{Scene, steps};
use crate::fleet::changed;

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
    scene.run(&[&end[..], &["--yes"]].concat())?;
    ensure!(scene.fleet.read("identity/ca.pem")? == both[..both.len() - old.len()]);
    scene.checks()
}
