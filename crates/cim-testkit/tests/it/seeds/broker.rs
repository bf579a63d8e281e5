//! Seed 004: a broker and a leaf; what is published at one is heard at the other, by those with the password.

use anyhow::{Result, ensure};
use async_nats::ConnectOptions;

use super::{PASSWORD, running, with_password};
use crate::support::{hear, rounds};

#[tokio::test]
async fn messages_reach_the_leaf_and_a_wrong_password_gets_nowhere() -> Result<()> {
    let example = running("broker-and-leaf", &["vm-a", "vm-b"])?;
    let fleet = &example.fleet;
    assert_eq!(fleet.linked("vm-b").await?, "vm-a");

    let publisher = with_password(fleet, "vm-a", "natsuser", PASSWORD).await?;
    let subscriber = with_password(fleet, "vm-b", "natsuser", PASSWORD).await?;
    let mut everything = hear(&subscriber, ">").await?;
    let others = rounds(
        &publisher,
        &["test.other", "test.messages"],
        &mut everything,
    )
    .await?;
    assert_eq!(others, [""; 0]);
    let mut at_broker = hear(&publisher, ">").await?;
    let others = rounds(&subscriber, &["test.messages"], &mut everything).await?;
    assert_eq!(others, [""; 0]);
    // Nothing is declared to go the other way.
    let others = rounds(&publisher, &["test.done"], &mut at_broker).await?;
    assert_eq!(others, [""; 0]);

    for server in ["vm-a", "vm-b"] {
        for (user, password) in [
            ("natsuser", "natspass123"),
            ("natsuser", ""),
            ("other", PASSWORD),
            // The leaf's name is not a user's, and has no password.
            ("vm-b", ""),
        ] {
            let client = with_password(fleet, server, user, password).await;
            ensure!(
                client.is_err(),
                "{user:?} with {password:?} is let in at {server}"
            );
        }
        let stranger = fleet.connect(server, ConnectOptions::new()).await;
        ensure!(stranger.is_err(), "a stranger is let in at {server}");
    }
    Ok(())
}
