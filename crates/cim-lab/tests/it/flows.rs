//! Messages, where they may go and where not.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures_util::StreamExt;

use crate::support::{PATIENCE, Scene};

/// From a leaf to a client of the hub and to another leaf; what no flow declares stays.
pub fn crosses(scene: &Scene) -> Result<()> {
    let graph = scene.lab.client("cim-prod-001", "graph")?;
    let alchemist = scene.lab.client("hub-2", "alchemist")?;
    let workflow = scene.lab.client("cim-prod-002", "workflow")?;
    scene.crosses(&graph, &alchemist, "domain.graph.node.1")?;
    scene.crosses(&graph, &workflow, "domain.graph.node.1")?;
    scene.crosses(&alchemist, &workflow, "commands.restart")?;
    let seen = scene.wait(async {
        let mut all = alchemist.subscribe("domain.>").await?;
        alchemist.flush().await?;
        // The second is sure to come after the first, which must not come.
        let (mut seen, since) = (Vec::new(), Instant::now());
        while seen.iter().all(|subject| subject != "domain.graph.node.2") {
            ensure!(since.elapsed() < PATIENCE, "nothing came");
            for subject in ["domain.secret", "domain.graph.node.2"] {
                graph.publish(subject, "hello".into()).await?;
            }
            graph.flush().await?;
            let next = tokio::time::timeout(Duration::from_millis(50), all.next());
            if let Ok(message) = next.await {
                seen.push(
                    message
                        .context("the subscription ended")?
                        .subject
                        .to_string(),
                );
            }
        }
        Ok(seen)
    })?;
    ensure!(
        !seen.iter().any(|subject| subject == "domain.secret"),
        "what no flow declares left the leaf: {seen:?}"
    );
    Ok(())
}
