//! Consent to a loss: to that very one, for about as many messages, and once.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::support::{Site, asset, one};

/// The id that `plan` prints for an asset.
fn plan_id(site: &Site, name: &str) -> Result<String> {
    let report = site.json("plan", &[])?;
    let id = asset(&report, name)?["planId"].as_str();
    Ok(id.with_context(|| report.to_string())?.to_owned())
}

#[tokio::test]
async fn consent_outlives_messages_that_come_in_and_covers_no_other_loss() -> Result<()> {
    let site = one()?;
    let limited = |most: u64| site.stream("A", json!({"subjects": ["a"], "max_msgs": most}));
    site.stream("A", json!({"subjects": ["a"]}))?;
    site.applied()?;
    site.publish(&["a"], 5).await?;
    limited(1)?;
    let id = plan_id(&site, "streams/A")?;
    assert!(id.ends_with("-4-5"), "{id}");
    let consent = format!("streams/A={id}");
    site.publish(&["a"], 30).await?;
    let args = ["--allow-data-loss", consent.as_str()];
    site.run("plan", &args)?
        .ended(1, &["streams/A: to update, with the loss"]);
    limited(2)?;
    site.run("plan", &args)?
        .ended(2, &["33 messages", "consents to another difference"]);
    // Somebody removes the stream and makes it again.
    let removed = site
        .api()
        .await?
        .once("STREAM.DELETE.A", &Value::Null)
        .await;
    assert!(removed.is_ok(), "{removed:?}");
    site.stream("A", json!({"subjects": ["a"]}))?;
    site.applied()?;
    site.publish(&["a"], 5).await?;
    limited(1)?;
    site.run("apply", &args)?
        .ended(2, &["consents to another difference"]);
    assert_eq!(site.messages("A").await?, 5);
    Ok(())
}

#[tokio::test]
async fn consent_to_few_messages_is_none_to_many() -> Result<()> {
    let site = one()?;
    site.stream("A", json!({"subjects": ["a"]}))?;
    site.applied()?;
    site.publish(&["a"], 1).await?;
    site.aged("A", 2).await?;
    site.publish(&["a"], 20).await?;
    site.stream("A", json!({"subjects": ["a"], "max_age": 2_000_000_000}))?;
    let id = plan_id(&site, "streams/A")?;
    assert!(id.ends_with("-1-21"), "{id}");
    // Nothing comes in, and all of it grows too old.
    site.aged("A", 2).await?;
    let consent = format!("streams/A={id}");
    site.run("apply", &["--allow-data-loss", &consent])?.ended(
        2,
        &[
            "21 messages of the stream A",
            "consents to 1 messages at most by now",
        ],
    );
    assert_eq!(site.messages("A").await?, 21);
    Ok(())
}

#[tokio::test]
async fn consent_that_was_used_is_spent_even_for_the_same_change() -> Result<()> {
    let site = one()?;
    let limited = |most: u64| site.stream("A", json!({"subjects": ["a"], "max_msgs": most}));
    let consented = |args: &[&str]| {
        let id = plan_id(&site, "streams/A")?;
        let consent = format!("streams/A={id}");
        site.run("apply", &[&["--allow-data-loss", &consent], args].concat())?
            .ended(0, &[]);
        Ok::<_, anyhow::Error>(consent)
    };
    limited(10)?;
    site.applied()?;
    site.publish(&["a"], 10).await?;
    limited(5)?;
    let first = consented(&[])?;
    let args = ["--allow-data-loss", first.as_str()];
    // It still stands in Nix while the limit goes up, and down again.
    limited(10)?;
    site.run("apply", &args)?
        .ended(1, &["streams/A updated", "allowDataLoss is"]);
    site.publish(&["a"], 5).await?;
    site.stream(
        "A",
        json!({"subjects": ["a"], "max_msgs": 10, "description": "new", "metadata": {"x": "1"}}),
    )?;
    site.applied()?;
    site.run("plan", &[])?.ended(0, &[]);
    limited(10)?;
    site.applied()?;
    limited(5)?;
    site.run("apply", &args)?
        .ended(2, &["5 messages", "that is there was used already"]);
    assert_eq!(site.messages("A").await?, 10);
    let second = consented(&[])?;
    assert_ne!(first, second);
    assert_eq!(site.messages("A").await?, 5);
    // What is noted there is nobody's to declare.
    assert_eq!(
        site.held("A").await?["metadata"]["cim.consent"],
        json!(second.trim_start_matches("streams/A="))
    );
    std::fs::remove_dir_all(site.folder())?;
    site.run("import", &[])?.ended(0, &["streams/A"]);
    let imported = std::fs::read_to_string(site.folder().join("streams/A.json"))?;
    assert!(!imported.contains("cim.consent"), "{imported}");
    Ok(())
}

#[tokio::test]
async fn consent_to_a_consumers_new_filter_is_spent_too() -> Result<()> {
    let site = one()?;
    let filtered = |filter: &str| {
        let fields = json!({"ack_policy": "explicit", "filter_subject": filter});
        site.consumer("A", "w", fields)
    };
    site.stream("A", json!({"subjects": ["a.>"], "retention": "interest"}))?;
    filtered("a.x")?;
    site.applied()?;
    site.publish(&["a.x"], 3).await?;
    filtered("a.y")?;
    let id = plan_id(&site, "consumers/A/w")?;
    assert!(id.ends_with("-3-3"), "{id}");
    let consent = format!("consumers/A/w={id}");
    let args = ["--allow-data-loss", consent.as_str()];
    site.run("apply", &args)?
        .ended(0, &["with the loss that was consented to"]);
    filtered("a.x")?;
    site.applied()?;
    site.publish(&["a.x"], 3).await?;
    filtered("a.y")?;
    site.run("apply", &args)?
        .ended(2, &["3 messages", "that is there was used already"]);
    assert_eq!(site.messages("A").await?, 3);
    Ok(())
}
