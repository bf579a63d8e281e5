//! Canaries that go by a subject of their flow: they miss what those beside a flow do not.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use cim_spec::plan::{Plan, PrincipalKind};
use cim_testkit::plan;
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::beside::Beside;
use crate::fault::{Fault, well};
use crate::operator::{Estate, estate_of};
use crate::scene::{HUB, LEAF, Scene, finding, open, prepared};

/// How long a message may take that a test waits for.
const PATIENCE: Duration = Duration::from_secs(20);

/// The flows each way, of which the first has its canary within, and the other beside it.
struct Flows {
    exports: Value,
    imports: Value,
}

impl Flows {
    /// The same names at both ends.
    fn plain() -> Self {
        Self {
            exports: json!([flow("domain.>", "domain.canary", None, None), "metrics.>"]),
            imports: json!([
                flow("commands.*.restart", "commands.canary.restart", None, None),
                "global.>"
            ]),
        }
    }

    /// Other names at the end where they arrive, and so an account between.
    fn renamed() -> Self {
        Self {
            exports: json!([
                flow("orders.*", "orders.canary", Some("plant"), None),
                "metrics.>"
            ]),
            imports: json!([
                flow("all.*.>", "all.canary.x.y", None, Some("own.$1.here.>")),
                "global.>"
            ]),
        }
    }

    /// The leaf and the hub.
    fn specs(&self) -> Result<[Value; 2]> {
        let with = |case: &str, path: &str| -> Result<Value> {
            let mut spec = open(case)?;
            let leaf = spec.pointer_mut(path).context("the leaf")?;
            leaf["exports"] = self.exports.clone();
            leaf["imports"] = self.imports.clone();
            Ok(spec)
        };
        Ok([
            with("security-cim-prod-001", "/leaf/fleet/leaf")?,
            with("security-hub", "/hub/fleet/leaves/cim-prod-001")?,
        ])
    }
}

fn flow(subject: &str, canary: &str, prefix: Option<&str>, to: Option<&str>) -> Value {
    json!({"subject": subject, "prefix": prefix, "to": to, "canary": canary, "durable": null})
}

/// A leaf that asks, and a hub whose cim-health answers.
async fn answered(specs: &[Value; 2]) -> Result<(Scene, Beside)> {
    let mut scene = prepared(specs)?;
    scene.fleet.start_all()?;
    scene.fleet.linked(LEAF).await?;
    scene.args = scene.logins(LEAF)?;
    let hub = Beside::start(&scene, HUB)?;
    Ok((scene, hub))
}

/// A server with something else in its plan than the fleet says.
fn deploy(scene: &mut Scene, name: &str, plan: Plan) -> Result<()> {
    scene.fleet.rewrite(name, plan)?;
    scene.fleet.kill(name)?;
    scene.fleet.start(name)?;
    scene.watch(LEAF)
}

/// The hub's plan, in which the leaf has no right to these subjects, though to its canaries beside them.
fn without_rights(hub: &Value, subjects: &[&str]) -> Result<Plan> {
    let mut plan = plan(hub)?;
    let principals = plan.accounts.iter_mut().flat_map(|own| &mut own.principals);
    let leaves = principals.filter(|principal| principal.kind == PrincipalKind::Leaf);
    for permissions in leaves.filter_map(|leaf| leaf.permissions.as_mut()) {
        for access in [&mut permissions.publish, &mut permissions.subscribe] {
            access
                .allow
                .retain(|subject| !subjects.contains(&subject.as_str()));
        }
    }
    Ok(plan)
}

/// The leaf's plan, in which no account has these subjects of another.
fn without_imports(leaf: &Value, subjects: &[&str]) -> Result<Plan> {
    let mut plan = plan(leaf)?;
    for account in &mut plan.accounts {
        let keeps = |subject: &String| !subjects.contains(&subject.as_str());
        account.imports.retain(|import| keeps(&import.from.subject));
    }
    Ok(plan)
}

/// The canary of a flow that is missing, alone.
fn gone<'a>(of: &'a str, says: &'a [&'a str]) -> Fault<'a> {
    Fault {
        check: "canary",
        of,
        state: "CRITICAL",
        says,
    }
}

/// Waits until that is so: a flow's canary alone is missing, for this reason.
fn misses(scene: &Scene, of: &str, says: &str) -> Result<()> {
    let seen = scene.until(|report| {
        let found = finding(report, "canary", of)?;
        ensure!(found["state"] == "CRITICAL", "{found:#}");
        let message = found["message"].as_str().unwrap_or_default();
        ensure!(message.contains(says), "no {says:?} in {message:?}");
        let mut all = report["checks"].as_array().context("no checks")?.iter();
        let other = all.find(|other| *other != found && other["state"] != "OK");
        ensure!(other.is_none(), "{other:#?}");
        Ok(())
    });
    seen.map(drop)
}

#[tokio::test]
async fn a_right_that_is_missing_to_the_flow_alone_is_seen() -> Result<()> {
    let specs = Flows::plain().specs()?;
    let (mut scene, _hub) = answered(&specs).await?;
    let report = well(&scene)?;
    for (of, by) in [
        ("hub/export:domain:#", "crosses, by \"domain.canary\": "),
        ("hub/export:metrics:#", "crosses: "),
        (
            "hub/import:commands:+:restart",
            "crosses, by \"commands.canary.restart\": ",
        ),
        ("hub/import:global:#", "crosses: "),
    ] {
        let found = finding(&report, "canary", of)?;
        let message = found["message"].as_str().unwrap_or_default();
        ensure!(message.contains(by), "{found}");
    }
    let [_, hub] = &specs;
    for (of, lost, says) in [
        (
            "hub/export:domain:#",
            ["domain.>", "metrics.>"],
            "export \"domain.>\" does not cross: the hub answers, but not to what was published by \"domain.canary\"",
        ),
        (
            "hub/import:commands:+:restart",
            ["commands.*.restart", "global.>"],
            "import \"commands.*.restart\" does not cross: the hub answers, but what it publishes by \"commands.canary.restart\" does not arrive",
        ),
    ] {
        gone(of, &[says]).seen(
            &mut scene,
            |scene| deploy(scene, HUB, without_rights(hub, &lost)?),
            |scene| deploy(scene, HUB, plan(hub)?),
        )?;
    }
    Ok(())
}

/// The price, at both ends; and who hears it has not asked for it: nobody else is answered.
#[tokio::test]
async fn subscribers_of_the_flow_hear_it_and_the_hub_answers_no_one_else() -> Result<()> {
    let (scene, _hub) = answered(&Flows::plain().specs()?).await?;
    well(&scene)?;
    let mut each = Vec::new();
    for (name, user) in [(LEAF, "graph"), (HUB, "alchemist")] {
        let client = scene.fleet.client(name, user).await?;
        for (all, one) in [
            ("domain.>", "domain.canary"),
            ("commands.>", "commands.canary.restart"),
        ] {
            each.push((name, one, client.subscribe(all).await?));
        }
        client.flush().await?;
    }
    let _leaf = Beside::start(&scene, LEAF)?;
    for (name, one, mut heard) in each {
        let heard = timeout(PATIENCE, heard.next()).await;
        let heard = heard.with_context(|| format!("{name} does not hear {one}"))?;
        let heard = heard.context("the subscription ended")?;
        ensure!(heard.subject.as_str() == one, "{heard:?}");
    }
    // Two messages of the flow by that subject, of which the hub may answer the second.
    let client = scene.fleet.client(HUB, "alchemist").await?;
    let mut answers = client.subscribe("answers").await?;
    let mut canaries = client.subscribe("cim.canary.*.back.*").await?;
    for back in ["answers", "cim.canary.cim-prod-001.back.plain"] {
        let asked = client.publish_with_reply("domain.canary", back, back.into());
        asked.await?;
    }
    client.flush().await?;
    let second = async {
        while let Some(canary) = canaries.next().await {
            let told: Value = serde_json::from_slice(&canary.payload)?;
            if told["id"] == "cim.canary.cim-prod-001.back.plain" {
                return Ok(());
            }
        }
        bail!("the subscription ended")
    };
    tokio::select! {
        // What came first is looked at first.
        biased;
        answer = answers.next() => bail!("the first was answered: {answer:?}"),
        second = timeout(PATIENCE, second) => second.context("nobody answers the second")?,
    }
}

#[tokio::test]
async fn an_account_in_between_that_does_not_pass_a_flow_on_is_seen() -> Result<()> {
    let specs = Flows::renamed().specs()?;
    let (mut scene, _hub) = answered(&specs).await?;
    // As its unit does: which account cim-health speaks in stands in health.json, and nowhere else.
    scene.args[0] = "--host-keys".to_owned();
    let report = well(&scene)?;
    finding(&report, "login", "CIM-PROD")?;
    ensure!(finding(&report, "login", "CIM-PROD-UPLINK").is_err());
    let link = &scene.health.watch.links;
    ensure!(
        link.iter().all(|link| link.account == "CIM-PROD-UPLINK"),
        "{link:?}"
    );
    let [leaf, _] = &specs;
    for (of, lost, says) in [
        (
            "hub/export:orders:+",
            ["orders.*", "metrics.>"],
            "export \"orders.*\" does not cross: the hub answers, but not to what was published by \"orders.canary\"",
        ),
        (
            "hub/import:all:+:#",
            ["all.*.>", "global.>"],
            "import \"all.*.>\" does not cross: the hub answers, but what it publishes by \"all.canary.x.y\" does not arrive",
        ),
    ] {
        deploy(&mut scene, LEAF, without_imports(leaf, &lost)?)?;
        misses(&scene, of, says)?;
        deploy(&mut scene, LEAF, plan(leaf)?)?;
        well(&scene)?;
    }
    Ok(())
}

/// In operator mode: what the account's JWT maps elsewhere does not arrive, whoever is allowed to.
#[tokio::test]
async fn a_mapping_that_takes_the_flow_elsewhere_is_seen() -> Result<()> {
    let mut estate = estate_of(Flows::plain().specs()?).await?;
    let Estate {
        desk, scene, hub, ..
    } = &mut estate;
    well(scene)?;
    for (of, mapped, says) in [
        (
            "hub/export:domain:#",
            "domain.>",
            "but not to what was published by \"domain.canary\"",
        ),
        (
            "hub/import:commands:+:restart",
            "commands.>",
            "but what it publishes by \"commands.canary.restart\" does not arrive",
        ),
    ] {
        let elsewhere = json!([{"destination": "elsewhere.>", "weight": 100, "cluster": null}]);
        for mappings in [json!({mapped: elsewhere}), json!({})] {
            let is_gone = mappings != json!({});
            let map = |fleet: &mut Value| fleet["accounts"]["CIM-PROD"]["mappings"] = mappings;
            desk.push_fleet(&scene.fleet, map).await?;
            match is_gone {
                true => misses(scene, of, says)?,
                false => drop(well(scene)?),
            }
        }
    }
    // A JWT of the time before the option: the hub's cim-health may not hear it, and says so itself.
    for (canary, state) in [(Value::Null, "CRITICAL"), (json!("domain.canary"), "OK")] {
        let set = |fleet: &mut Value| fleet["leaves"][LEAF]["exports"][0]["canary"] = canary;
        desk.push_fleet(&scene.fleet, set).await?;
        scene.until(|report| {
            let found = finding(report, "canary", "hub/export:domain:#")?;
            ensure!(found["state"] == state, "{found:#}");
            let other = finding(report, "canary", "hub/import:commands:+:restart")?;
            ensure!(other["state"] == "OK", "{other:#}");
            Ok(())
        })?;
        hub.says(match state {
            "OK" => "OK        login CIM-PROD: logged in",
            _ => "UNKNOWN   login CIM-PROD: the server says: ",
        })?;
    }
    well(scene).map(drop)
}
