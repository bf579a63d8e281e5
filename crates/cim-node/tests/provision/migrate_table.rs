//! Every change of a stream that the table calls impossible: `migrate` carries it out and loses nothing, or refuses it.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::migrate::{content, migrate};
use crate::support::{asset, one};
use crate::transitions::{Says, cases, config, store};

/// Changes that no stream with messages of its own can go through.
const REFUSED: [&str; 2] = ["allow_msg_counter", "first_seq"];

#[tokio::test]
async fn what_is_impossible_is_migrated_or_refused() -> Result<()> {
    let site = one()?;
    for origin in ["ORIGIN", "OTHER"] {
        site.stream(origin, json!({}))?;
    }
    site.applied()?;
    let mut refused = BTreeSet::new();
    let cases = cases()?.stream;
    let impossible = cases.iter().filter(|case| case.plan == Says::Impossible);
    for (index, case) in impossible.enumerate() {
        let name = format!("T{index}");
        let about = format!("{} {} → {}", case.field, case.from, case.to);
        let file = format!("streams/{name}");
        site.declare(&file, &config(case, "name", &name, &case.from)?)?;
        site.applied().with_context(|| about.clone())?;
        let subjects: Vec<_> = (0..3).map(|key| format!("{name}.k{key}")).collect();
        let subjects: Vec<_> = subjects.iter().map(String::as_str).collect();
        if case.stored > 0 {
            store(&site, case, &subjects)
                .await
                .with_context(|| about.clone())?;
        }
        let before = content(&site, &name).await?;
        site.declare(&file, &config(case, "name", &name, &case.to)?)?;
        let said = migrate(&site, &file, &["--json"])?;
        let told: Value =
            serde_json::from_str(&said.out).with_context(|| format!("{about}: {said:?}"))?;
        if let Some(id) = told["id"].as_str() {
            let said = migrate(&site, &file, &["--confirm", id])?;
            ensure!(said.code == 0, "{about}: {said:?}");
            let report = site.json("plan", &[])?;
            assert_eq!(
                asset(&report, &file)?["action"],
                "none",
                "{about}: {report}"
            );
            println!("| {about} | migrated, {} messages |", before.len());
        } else {
            println!("| {about} | refused: {} |", told["refusals"][0]);
            refused.insert(case.field.clone());
            site.declare(&file, &config(case, "name", &name, &case.from)?)?;
        }
        assert_eq!(content(&site, &name).await?, before, "{about}");
    }
    let refused: Vec<_> = refused.iter().map(String::as_str).collect();
    assert_eq!(refused, REFUSED);
    Ok(())
}

#[tokio::test]
async fn a_sealed_stream_is_made_again_without_the_seal() -> Result<()> {
    let site = one()?;
    site.stream("A", json!({"subjects": ["a"]}))?;
    site.applied()?;
    site.publish(&["a"], 5).await?;
    let sealed = json!({"name": "A", "subjects": ["a"], "sealed": true});
    let sealed = site.api().await?.ask("STREAM.UPDATE.A", &sealed).await;
    ensure!(sealed.is_ok(), "{sealed:?}");
    let before = content(&site, "A").await?;
    crate::migrate::done(&site, "streams/A")?;
    assert_eq!(content(&site, "A").await?, before);
    site.publish(&["a"], 1).await?;
    crate::migrate::as_declared(&site).await
}
