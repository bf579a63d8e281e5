//! Two runs at once, as of two hosts, or of an operator and the unit.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use cim_node::provision::api::Api;
use cim_node::provision::plan::{Plan, Settings};
use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::kill::declare;
use crate::support::{Said, Site, one};

/// Two runs that go on at the same time.
fn both(site: &Site) -> Result<[Said; 2]> {
    let run = || {
        let mut command = site.command("apply");
        command.args(["--at-once", "4"]);
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
    };
    let (one, other) = (run()?, run()?);
    Ok([
        Said::of(one.wait_with_output()?)?,
        Said::of(other.wait_with_output()?)?,
    ])
}

#[tokio::test]
async fn both_make_and_update_the_same_fifty_assets() -> Result<()> {
    let site = one()?;
    for generation in 0..3 {
        declare(&site, generation)?;
        for said in both(&site)? {
            ensure!(said.code == 0, "{said:?}");
        }
        site.run("plan", &[])?
            .ended(0, &["50 declared: 50 as declared"]);
        let api = site.api().await?;
        let names = api.names("STREAM.NAMES", "streams").await;
        ensure!(
            names.is_ok_and(|names| names.len() == 25),
            "something was doubled, or left behind"
        );
    }
    Ok(())
}

/// What is to do.
pub async fn planned(site: &Site, api: &Api) -> Result<Plan> {
    let declared = cim_node::provision::declared::read(&site.folder());
    let declared = declared.map_err(|mistakes| anyhow::anyhow!("{:?}", mistakes.0))?;
    let settings = Settings {
        consent: std::collections::BTreeMap::new(),
        at_once: 1,
        no_creates: None,
    };
    let plan = cim_node::provision::planner::make(api, &declared, &settings, &|_| ()).await;
    plan.map_err(|failure| anyhow::anyhow!("{failure}"))
}

#[tokio::test]
async fn an_asset_that_somebody_else_changes_meanwhile_is_left_to_them() -> Result<()> {
    let site = one()?;
    site.stream("A", json!({"subjects": ["a"]}))?;
    site.applied()?;
    site.stream("A", json!({"subjects": ["a"], "description": "ours"}))?;
    let api = site.api().await?;
    let plan = planned(&site, &api).await?;
    let theirs = json!({"name": "A", "subjects": ["a"], "description": "theirs"});
    let update = api.ask("STREAM.UPDATE.A", &theirs).await;
    ensure!(update.is_ok(), "{update:?}");
    let outcomes = cim_node::provision::apply::apply(&api, &plan, 1, &|_, _| ()).await;
    let said = format!("{outcomes:?}");
    ensure!(
        said.contains("was changed otherwise by somebody else meanwhile: run again"),
        "{said}"
    );
    assert_eq!(site.held("A").await?["description"], "theirs");
    // Made by somebody else, but the same: it is as declared.
    let gone = api.ask("STREAM.DELETE.A", &Value::Null).await;
    ensure!(gone.is_ok(), "{gone:?}");
    site.applied()?;
    Ok(())
}

/// A node that has come back tells an old configuration, and then the one that was planned for: nobody changed it.
#[tokio::test]
async fn a_cluster_that_tells_the_old_for_a_moment_is_asked_again() -> Result<()> {
    let site = crate::cluster::cluster().await?;
    let api = site.api().await?;
    let described = |text: &str| json!({"name": "A", "subjects": ["a"], "description": text});
    let update = async |text: &str| {
        let answer = api.ask("STREAM.UPDATE.A", &described(text)).await;
        answer.map_err(|failure| anyhow::anyhow!("{failure}"))
    };
    site.stream("A", described("planned for"))?;
    site.applied()?;
    site.stream("A", described("ours"))?;
    let plan = planned(&site, &api).await?;
    update("old").await?;
    let client = site.client().await?;
    let mut asked = client.subscribe("$JS.API.STREAM.INFO.A").await?;
    cim_testkit::taken(&client).await?;
    let caught_up = async {
        for _ in 0..2 {
            let again = tokio::time::timeout(Duration::from_secs(20), asked.next());
            again.await.context("it did not ask again")?;
        }
        update("planned for").await
    };
    let nobody = |_: &_, _: &_| ();
    let apply = cim_node::provision::apply::apply(&api, &plan, 1, &nobody);
    let (outcomes, caught_up) = tokio::join!(apply, caught_up);
    caught_up?;
    let outcomes: Vec<_> = outcomes.into_values().collect();
    assert_eq!(outcomes, [cim_node::provision::apply::Outcome::Done]);
    assert_eq!(site.held("A").await?["description"], "ours");
    Ok(())
}
