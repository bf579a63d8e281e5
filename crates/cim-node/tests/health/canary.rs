//! Canaries over real links: what crosses, what does not, and who is to blame.

use anyhow::{Context, Result, ensure};
use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::beside::Beside;
use crate::fault::{Fault, well};
use crate::scene::{HUB, LEAF, Scene, finding, open, pair, prepared};

/// A golden spec, its leaf with a flow each way.
pub fn both_ways(case: &str) -> Result<Value> {
    let mut spec = open(case)?;
    for path in ["/leaf/fleet/leaf", "/hub/fleet/leaves/cim-prod-001"] {
        if let Some(leaf) = spec.pointer_mut(path) {
            leaf["imports"] = json!(["commands.*.restart"]);
        }
    }
    Ok(spec)
}

/// A leaf that asks, and a hub whose cim-health answers.
async fn answered() -> Result<(Scene, Beside)> {
    let specs = ["security-cim-prod-001", "security-hub"].map(both_ways);
    let [leaf, hub] = specs;
    let mut scene = prepared(&[leaf?, hub?])?;
    scene.fleet.start_all()?;
    scene.fleet.linked(LEAF).await?;
    scene.args = scene.logins(LEAF)?;
    let hub = Beside::start(&scene, HUB)?;
    Ok((scene, hub))
}

/// The hub with another leaf in its fleet.
fn deploy(scene: &mut Scene, change: impl FnOnce(&mut Value) -> Result<()>) -> Result<()> {
    let mut hub = both_ways("security-hub")?;
    let leaf = hub.pointer_mut("/hub/fleet/leaves/cim-prod-001");
    change(leaf.context("the leaf")?)?;
    scene.fleet.rewrite(HUB, cim_testkit::plan(&hub)?)?;
    scene.fleet.kill(HUB)?;
    scene.fleet.start(HUB)
}

#[tokio::test]
async fn each_flow_crosses_and_the_hub_has_one_time_with_the_leaf() -> Result<()> {
    let (scene, _hub) = answered().await?;
    let report = scene.until(|report| {
        ensure!(report["state"] == "OK", "not well: {report:#}");
        let clock = finding(report, "hub-clock", "hub")?;
        // Half a round trip is what it cannot know.
        ensure!(clock["figures"][0]["value"].as_f64() < Some(0.5), "{clock}");
        Ok(())
    })?;
    let flows = &scene.health.watch.flows;
    ensure!(flows.len() == 2, "{flows:?}");
    for flow in flows {
        let found = finding(&report, "canary", &format!("hub/{}", flow.name))?;
        let message = found["message"].as_str().unwrap_or_default();
        ensure!(message.contains(&flow.subject), "{found}");
        ensure!(found["figures"][0]["name"] == "rtt_seconds", "{found}");
    }
    let hub = finding(&report, "hub-health", "hub")?.to_string();
    ensure!(hub.contains("cim-health of hub answered after "), "{hub}");
    finding(&report, "login", "CIM-PROD")?;
    // Without a login, nobody is asked, and the report says so.
    for local in [scene.run(&["--json", "--local"])?, {
        let mut scene = scene;
        scene.args.clear();
        scene.run(&["--json"])?
    }] {
        let report = local.report()?;
        ensure!(report["state"] == "OK", "{report:#}");
        ensure!(finding(&report, "login", "CIM-PROD").is_err());
        ensure!(report["later"].to_string().contains("--login ACCOUNT=FILE"));
    }
    Ok(())
}

#[tokio::test]
async fn a_flow_that_the_hub_no_longer_lets_across_is_named() -> Result<()> {
    let (mut scene, _hub) = answered().await?;
    let cases = [
        (
            "export",
            "exports",
            "export \"domain.>\" does not cross: the hub answers",
        ),
        (
            "import",
            "imports",
            "import \"commands.*.restart\" does not cross: the hub answers",
        ),
    ];
    for (direction, list, says) in cases {
        let report = well(&scene)?;
        let flows = scene.health.watch.flows.clone();
        let mut flows = flows.iter().filter(|flow| flow.name.starts_with(direction));
        let flow = flows.next().context("a flow")?;
        let of = format!("hub/{}", flow.name);
        finding(&report, "canary", &of)?;
        let gone = Fault {
            check: "canary",
            of: &of,
            state: "CRITICAL",
            says: &[says],
        };
        let take = |leaf: &mut Value| {
            leaf[list].as_array_mut().context("flows")?.remove(0);
            Ok(())
        };
        gone.seen(
            &mut scene,
            |scene| deploy(scene, take),
            |scene| deploy(scene, |_| Ok(())),
        )?;
    }
    Ok(())
}

#[tokio::test]
async fn a_hub_where_nobody_answers_is_not_a_link_that_is_down() -> Result<()> {
    let (mut scene, hub) = answered().await?;
    let nobody = Fault {
        check: "hub-health",
        of: "hub",
        state: "UNKNOWN",
        says: &["the link stands, but no cim-health answers at hub in 2 s"],
    };
    well(&scene)?;
    nobody.seen(
        &mut scene,
        |_| hub.signal(rustix::process::Signal::STOP),
        |_| hub.signal(rustix::process::Signal::CONT),
    )?;
    let mut hub = Some(hub);
    let mut again = None;
    nobody.seen(
        &mut scene,
        |_| {
            hub.take();
            Ok(())
        },
        |scene| {
            again = Some(Beside::start(scene, HUB)?);
            Ok(())
        },
    )
}

#[tokio::test]
async fn canaries_wait_for_the_link_and_for_the_login() -> Result<()> {
    let (mut scene, _hub) = answered().await?;
    let cut = Fault {
        check: "link",
        of: "hub",
        state: "CRITICAL",
        says: &["not linked to hub"],
    };
    cut.seen(
        &mut scene,
        |scene| {
            scene.fleet.kill(HUB)?;
            scene.until(|report| {
                let clock = finding(report, "hub-clock", "hub")?;
                ensure!(clock["because"] == "link hub", "{clock}");
                Ok(())
            })?;
            Ok(())
        },
        |scene| scene.fleet.start(HUB),
    )?;
    let file = scene.fleet.member(LEAF)?.dir().join("CIM-PROD.health.nk");
    let right = std::fs::read_to_string(&file)?;
    let login = Fault {
        check: "login",
        of: "CIM-PROD",
        state: "UNKNOWN",
        says: &["uthorization"],
    };
    let put = |text: &str| std::fs::write(&file, text).context("writing the seed");
    login.seen(
        &mut scene,
        |_| put(&nkeys::KeyPair::new_user().seed()?),
        |_| put(&right),
    )?;
    for text in ["", "SUAXXX"] {
        let rubbish = Fault {
            says: &["reading the nkey seed ", "CIM-PROD.health.nk"],
            ..login
        };
        rubbish.seen(&mut scene, |_| put(text), |_| put(&right))?;
    }
    let missing = Fault {
        says: &["no login was given: --login CIM-PROD=FILE"],
        ..login
    };
    let args = scene.args.clone();
    missing.seen(
        &mut scene,
        |scene| {
            scene.args[0] = scene.args[0].replace("CIM-PROD=", "OTHER=");
            Ok(())
        },
        |scene| {
            scene.args.clone_from(&args);
            Ok(())
        },
    )
}

/// A responder that speaks the protocol as a hub would whose clock is wrong.
#[tokio::test(flavor = "multi_thread")]
async fn a_hub_of_another_time_is_seen() -> Result<()> {
    let mut scene = pair().await?;
    scene.args = scene.logins(LEAF)?;
    let seed = scene.fleet.member(HUB)?.dir().join("CIM-PROD.health.nk");
    let seed = std::fs::read_to_string(seed)?.trim().to_owned();
    let options = async_nats::ConnectOptions::with_nkey(seed);
    let hub = scene.fleet.connect(HUB, options).await?;
    let mut asks = hub.subscribe("cim.canary.*.*").await?;
    let ahead = std::sync::Arc::new(std::sync::atomic::AtomicI64::new(0));
    let by = std::sync::Arc::clone(&ahead);
    let answers = tokio::spawn(async move {
        while let Some(ask) = asks.next().await {
            let now = time::OffsetDateTime::now_utc().unix_timestamp_nanos() / 1000;
            let at = i64::try_from(now)? + by.load(std::sync::atomic::Ordering::SeqCst);
            let id = String::from_utf8(ask.payload.to_vec())?;
            let answer = json!({"id": id, "server": "hub", "at": at}).to_string();
            let back = ask.reply.context("no reply")?;
            hub.publish(back, answer.into()).await?;
            hub.flush().await?;
        }
        anyhow::Ok(())
    });
    for (by, state, says) in [
        (-4_000_000, "WARNING", "s behind the host's"),
        (3_600_000_000, "CRITICAL", "s ahead of the host's"),
    ] {
        let wrong = Fault {
            check: "hub-clock",
            of: "hub",
            state,
            says: &["the hub's clock is ", says],
        };
        let set = |by| {
            ahead.store(by, std::sync::atomic::Ordering::SeqCst);
            Ok(())
        };
        tokio::task::block_in_place(|| wrong.seen(&mut scene, |_| set(by), |_| set(0)))?;
    }
    answers.abort();
    Ok(())
}

/// What the host makes each time that a server starts: another key for cim-health.
fn renew(scene: &Scene, name: &str) -> Result<()> {
    let dir = scene.fleet.member(name)?.dir();
    let seed = dir.join("CIM-PROD.health.nk");
    let before = nkeys::KeyPair::from_seed(std::fs::read_to_string(&seed)?.trim())?;
    let after = nkeys::KeyPair::new_user();
    std::fs::write(&seed, after.seed()?)?;
    let secrets = dir.join("secrets.conf");
    let text = std::fs::read_to_string(&secrets)?;
    let renewed = text.replace(&before.public_key(), &after.public_key());
    ensure!(renewed != text, "the key is not in {text:?}");
    std::fs::write(&secrets, renewed).context("writing the secrets file")
}

#[tokio::test]
async fn it_goes_on_when_servers_are_started_again_with_other_keys() -> Result<()> {
    let (mut scene, hub) = answered().await?;
    let leaf = Beside::start(&scene, LEAF)?;
    let crosses = "OK        canary hub/export:domain:#: export \"domain.>\" crosses: ";
    leaf.says(crosses)?;
    for name in [LEAF, HUB] {
        scene.fleet.kill(name)?;
        match name {
            LEAF => leaf.says("UNKNOWN   canary hub/export:domain:#: because server")?,
            _ => leaf.says("UNKNOWN   canary hub/export:domain:#: because link hub")?,
        };
        renew(&scene, name)?;
        scene.fleet.start(name)?;
        leaf.says(crosses)?;
    }
    // A hub's daemon says for itself that it is not logged in.
    hub.says("OK        login CIM-PROD: logged in")?;
    let seed = scene.fleet.member(HUB)?.dir().join("CIM-PROD.health.nk");
    scene.fleet.kill(HUB)?;
    std::fs::write(&seed, nkeys::KeyPair::new_user().seed()?)?;
    scene.fleet.start(HUB)?;
    hub.says("UNKNOWN   login CIM-PROD: ")?;
    leaf.says("UNKNOWN   hub-health hub: the link stands, but no cim-health answers at hub")?;
    leaf.says("UNKNOWN   canary hub/export:domain:#: because hub-health hub")?;
    Ok(())
}

#[tokio::test]
async fn canaries_of_flows_with_other_names_go_by_the_account_of_the_link() -> Result<()> {
    let renamed = |case: &str| -> Result<Value> {
        let mut spec = open(case)?;
        for path in ["/leaf/fleet/leaf", "/hub/fleet/leaves/cim-prod-001"] {
            if let Some(leaf) = spec.pointer_mut(path) {
                leaf["exports"] = json!([{"subject": "domain.*", "prefix": "plant", "to": null, "canary": null, "durable": null}]);
                leaf["imports"] = json!([{"subject": "all.>", "prefix": null, "to": "own.>", "canary": null, "durable": null}]);
            }
        }
        Ok(spec)
    };
    let specs = [renamed("security-cim-prod-001")?, renamed("security-hub")?];
    let mut scene = prepared(&specs)?;
    scene.fleet.start_all()?;
    scene.fleet.linked(LEAF).await?;
    scene.args = scene.logins(LEAF)?;
    // As its unit does: which account its links are bound to stands in health.json, and nowhere else.
    scene.args[0] = "--host-keys".to_owned();
    let _hub = Beside::start(&scene, HUB)?;
    let report = well(&scene)?;
    finding(&report, "login", "CIM-PROD-UPLINK")?;
    finding(&report, "canary", "hub/export:domain:+")?;
    finding(&report, "canary", "hub/import:all:#").map(drop)
}
