//! Canaries that do not come to their end: nobody asks any more, or links change all the time.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use cim_node::health::finding::State;
use cim_node::health::judge::judge;
use cim_node::health::look::Looker;
use cim_node::health::wire::Logins;

use crate::beside::Beside;
use crate::scene::{HUB, LEAF, Scene, pair};

/// The same logins as on the command line.
fn logins(scene: &Scene) -> Result<Logins> {
    let mut logins = Logins::default();
    for word in scene.logins(LEAF)? {
        match word.split_once('=').context("a flag with a value")? {
            ("--login", login) => logins
                .login
                .push(login.parse().map_err(anyhow::Error::msg)?),
            ("--server", url) => logins.server.push(url.to_owned()),
            ("--ca", file) => logins.ca = Some(file.into()),
            other => anyhow::bail!("{other:?}"),
        }
    }
    Ok(logins)
}

#[tokio::test(flavor = "multi_thread")]
async fn canaries_of_long_ago_say_nothing_nor_do_those_that_never_end() -> Result<()> {
    let scene = pair().await?;
    let hub = Beside::start(&scene, HUB)?;
    hub.says("OK        login CIM-PROD: logged in")?;
    let mut looker = Looker::new(cim_testkit::nats_server()?).with_logins(logins(&scene)?, true);
    let mut look = tokio::task::block_in_place(|| looker.look(&scene.health));
    let found = |report: &cim_node::health::judge::Report, check: &str| {
        let found = report.findings.iter().find(|found| found.check == check);
        let found = found.with_context(|| format!("no {check}: {report:?}"))?;
        anyhow::Ok(found.verdict.clone())
    };
    let report = judge(&scene.health, &look, None);
    ensure!(found(&report, "canary")?.state == State::Ok, "{report:?}");
    // Whoever asks stands still: the clock goes on, and no round does.
    let heard = look.heard.as_mut().context("logged in")?;
    let round = heard.round.as_mut().context("a round")?;
    round.ended = Instant::now()
        .checked_sub(Duration::from_secs(60))
        .context("the machine has run for a minute")?;
    let report = judge(&scene.health, &look, None);
    let hub = found(&report, "hub-health")?;
    ensure!(
        hub.state == State::Unknown && hub.message.contains(" ago: cim-health asks no more"),
        "{hub:?}"
    );
    for check in ["hub-clock", "canary"] {
        let because = found(&report, check)?.because;
        ensure!(because.as_deref() == Some("hub-health hub"), "{because:?}");
    }
    // A link that changed just now is no news; one that changes all the time is.
    for (seconds, judged) in [(1, false), (11, true)] {
        let heard = look.heard.as_mut().context("logged in")?;
        heard.round = None;
        heard.waits = Instant::now().checked_sub(Duration::from_secs(seconds));
        let report = judge(&scene.health, &look, None);
        let hub = found(&report, "hub-health");
        ensure!(hub.is_ok() == judged, "{report:?}");
        if let Ok(hub) = hub {
            ensure!(hub.state == State::Unknown, "{hub:?}");
            let says = "no canary has come to its end in 11 s: links change too often";
            ensure!(hub.message == says, "{hub:?}");
        }
    }
    Ok(())
}
