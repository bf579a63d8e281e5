//! Seed 003: the leaf of a customer's site, linked by the tenant's credentials and its own certificate.

use anyhow::{Result, ensure};
use async_nats::ConnectOptions;
use cim_render::places::Listener;
use cim_testkit::{PASSWORD, mqtt, until};

use super::{example, operator};
use crate::support::{hear, rounds};

const SITE: &str = "berlin";
const SAAS: &str = "nats.serviceradar.cloud";

#[tokio::test]
async fn a_collector_s_events_reach_the_platform_and_nothing_else_does() -> Result<()> {
    let mut example = example("edge-bundle", &[SITE])?;
    let hub = operator::start(&mut example, SITE, SAAS)?;
    example.fleet.start_all()?;
    linked(&hub).await?;
    let collector = example.fleet.client(SITE, "collector").await?;
    let platform = hub.client().await?;

    let mut everything = hear(&platform, ">").await?;
    let others = rounds(
        &collector,
        &["secret.x", "config.x", "events.x"],
        &mut everything,
    )
    .await?;
    assert_eq!(others, [""; 0]);
    let mut everything = hear(&collector, ">").await?;
    let others = rounds(
        &platform,
        &["secret.x", "events.x", "config.x"],
        &mut everything,
    )
    .await?;
    assert_eq!(others, [""; 0]);

    let stranger = example.fleet.connect(SITE, ConnectOptions::new()).await;
    ensure!(stranger.is_err(), "a stranger is let in");
    Ok(())
}

#[tokio::test]
async fn a_sensor_that_speaks_mqtt_is_heard_at_the_platform() -> Result<()> {
    let mut example = example("edge-bundle", &[SITE])?;
    let hub = operator::start(&mut example, SITE, SAAS)?;
    example.fleet.start_all()?;
    linked(&hub).await?;
    let port = example.fleet.member(SITE)?.port(Listener::Mqtt);
    for (user, password) in [("sensor", "wrong"), ("sensor", ""), ("collector", "")] {
        let refused = mqtt::connect(port, user, password).await;
        ensure!(refused.is_err(), "{user:?} with {password:?} is let in");
    }

    let platform = hub.client().await?;
    let mut everything = hear(&platform, ">").await?;
    let mut sensor = mqtt::connect(port, "sensor", PASSWORD).await?;
    // Once it is heard, what was sent before it would have been too.
    until("the sensor is heard", async || {
        for topic in ["secret/x", "events/other", "events/sensor/1"] {
            mqtt::publish(&mut sensor, topic, "21").await?;
        }
        let next = futures_util::StreamExt::next(&mut everything);
        let message = tokio::time::timeout(std::time::Duration::from_millis(200), next).await?;
        let subject = message.map(|message| message.subject.to_string());
        assert_eq!(subject.as_deref(), Some("events.sensor.1"));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_sensor_s_password_opens_nothing_but_mqtt() -> Result<()> {
    let example = super::running("edge-bundle", &[SITE])?;
    let client = super::with_password(&example.fleet, SITE, "sensor", PASSWORD).await;
    ensure!(client.is_err(), "it is let in as a client of NATS");
    Ok(())
}

async fn linked(hub: &operator::Hub) -> Result<()> {
    until("the site is linked", async || {
        let leaves = hub.leaves()?;
        ensure!(leaves == [SITE], "{leaves:?} are");
        Ok(())
    })
    .await
}
