//! One server: make, leave alone, update, refuse, consent, refuse again.

use anyhow::{Context, Result};
use serde_json::json;

use crate::support::{asset, one};

#[tokio::test]
async fn what_is_declared_is_made_and_a_second_run_has_nothing_to_do() -> Result<()> {
    let site = one()?;
    site.stream(
        "EVENTS",
        json!({"subjects": ["events.>"], "max_age": 3_600_000_000_000_i64}),
    )?;
    site.stream("PLAIN", json!({}))?;
    site.consumer(
        "EVENTS",
        "worker",
        json!({"ack_policy": "explicit", "filter_subject": "events.a"}),
    )?;
    site.declare("kv/settings", &json!({"bucket": "settings", "history": 5}))?;
    site.declare("object-stores/bundles", &json!({"bucket": "bundles"}))?;
    site.run("plan", &[])?.ended(
        1,
        &[
            "streams/EVENTS: to make",
            "5 declared: 0 as declared, 5 to do, 0 refused",
        ],
    );
    site.run("apply", &[])?
        .ended(0, &["[5/5]", "5 declared: 0 as declared, 5 done, 0 not"]);
    for what in ["plan", "apply"] {
        let said = site.run(what, &[])?;
        said.ended(0, &["5 declared: 5 as declared"]);
        assert_eq!(said.err, "");
    }
    site.publish(&["events.a"], 3).await?;
    assert_eq!(site.messages("EVENTS").await?, 3);
    Ok(())
}

/// They are made side by side, and told of in their own order.
#[tokio::test]
async fn the_same_is_said_in_each_run() -> Result<()> {
    let mut names = Vec::new();
    for index in 0..40 {
        names.push(format!("S{index:02}"));
    }
    for _ in 0..2 {
        let site = one()?;
        for name in &names {
            site.stream(name, json!({}))?;
            site.consumer(name, "c", json!({"ack_policy": "explicit"}))?;
        }
        let said = site.run("apply", &["--at-once", "20"])?;
        let made = |asset: &dyn Fn(&str) -> String| -> Vec<String> {
            let all = names.iter().map(|name| format!("{} made", asset(name)));
            all.collect()
        };
        let streams = made(&|name| format!("streams/{name}"));
        let consumers = made(&|name| format!("consumers/{name}/c"));
        let all = streams.into_iter().chain(consumers).zip(1..);
        let lines: String = all
            .map(|(made, number)| format!("[{number}/80] {made}\n"))
            .collect();
        assert_eq!(said.err, lines);
    }
    Ok(())
}

#[tokio::test]
async fn an_update_in_place_keeps_messages() -> Result<()> {
    let site = one()?;
    site.stream("A", json!({"subjects": ["a.>"]}))?;
    site.applied()?;
    site.publish(&["a.x"], 5).await?;
    site.stream(
        "A",
        json!({"subjects": ["a.>", "b.>"], "max_msgs": 5, "description": "new"}),
    )?;
    site.run("plan", &[])?.ended(
        1,
        &["streams/A: to update in place", "max_msgs: no limit → 5"],
    );
    site.run("apply", &[])?.ended(0, &["streams/A updated"]);
    assert_eq!(site.messages("A").await?, 5);
    assert_eq!(site.held("A").await?["description"], "new");
    // What is declared no longer goes back to the server's default.
    site.stream("A", json!({"subjects": ["a.>", "b.>"]}))?;
    site.applied()?;
    assert_eq!(site.held("A").await?["max_msgs"], -1);
    Ok(())
}

#[tokio::test]
async fn a_loss_is_refused_with_its_count_until_that_very_loss_is_consented_to() -> Result<()> {
    let site = one()?;
    site.stream("A", json!({"subjects": ["a"]}))?;
    site.applied()?;
    site.publish(&["a"], 20).await?;
    site.stream("A", json!({"subjects": ["a"], "max_msgs": 15}))?;
    site.run("apply", &[])?.ended(
        2,
        &["streams/A.json: max_msgs: no limit → 15: 5 messages of the stream A are removed at once", "say --allow-data-loss streams/A="],
    );
    assert_eq!(site.messages("A").await?, 20);

    let report = site.json("plan", &[])?;
    let first = asset(&report, "streams/A")?["planId"]
        .as_str()
        .context("no id")?
        .to_owned();
    let consent = format!("streams/A={first}");
    let report = site.json("apply", &["--allow-data-loss", &consent])?;
    assert_eq!(report["exit"], 0, "{report}");
    assert_eq!(site.messages("A").await?, 15);

    // The same consent, given again: there is nothing to consent to.
    site.run("apply", &["--allow-data-loss", &consent])?
        .ended(1, &["warning: streams/A: allowDataLoss is", "remove it"]);
    // The next loss is another one.
    site.stream("A", json!({"subjects": ["a"], "max_msgs": 10}))?;
    site.run("apply", &["--allow-data-loss", &consent])?.ended(
        2,
        &[
            "5 messages",
            &format!("{first:?} that is there was used already"),
        ],
    );
    assert_eq!(site.messages("A").await?, 15);
    Ok(())
}

#[tokio::test]
async fn consent_in_the_folder_counts_and_options_are_named() -> Result<()> {
    let site = one()?;
    site.stream("A", json!({"subjects": ["a"]}))?;
    site.applied()?;
    site.publish(&["a"], 3).await?;
    site.stream("A", json!({"subjects": ["a"], "max_msgs_per_subject": 1}))?;
    let option = "services.cim.hub.streams.A";
    site.declare("provision", &json!({"options": {"streams/A": option}}))?;
    site.run("apply", &[])?.ended(2, &[
        "services.cim.hub.streams.A.maxMsgsPerSubject: no limit → 1: 2 messages of the stream A",
        "write services.cim.hub.streams.A.allowDataLoss = \"",
    ]);
    let report = site.json("plan", &[])?;
    let id = &asset(&report, "streams/A")?["planId"];
    site.declare(
        "provision",
        &json!({"options": {"streams/A": option}, "allowDataLoss": {"streams/A": id}}),
    )?;
    site.run("apply", &[])?
        .ended(0, &["with the loss that was consented to"]);
    assert_eq!(site.messages("A").await?, 1);
    site.run("apply", &[])?
        .ended(1, &["services.cim.hub.streams.A: allowDataLoss is"]);
    Ok(())
}

#[tokio::test]
async fn what_is_not_declared_is_listed_and_left_alone() -> Result<()> {
    let site = one()?;
    site.stream("A", json!({"subjects": ["a"]}))?;
    site.stream("B", json!({"subjects": ["b"]}))?;
    site.consumer("A", "mine", json!({"ack_policy": "explicit"}))?;
    site.consumer("A", "theirs", json!({"ack_policy": "explicit"}))?;
    site.declare("kv/x", &json!({"bucket": "x"}))?;
    site.applied()?;
    for gone in ["streams/B", "kv/x", "consumers/A/theirs"] {
        std::fs::remove_file(site.folder().join(format!("{gone}.json")))?;
    }
    site.run("apply", &[])?.ended(
        0,
        &["not declared, left alone: streams/B, kv/x, consumers/A/theirs"],
    );
    let report = site.json("plan", &[])?;
    assert_eq!(
        report["undeclared"],
        json!(["streams/B", "kv/x", "consumers/A/theirs"])
    );
    site.held("B").await.map(drop)
}

#[tokio::test]
async fn subjects_move_from_one_stream_to_another_in_one_run() -> Result<()> {
    let site = one()?;
    site.stream("A", json!({"subjects": ["a", "b"]}))?;
    site.stream("Z", json!({"subjects": ["z"]}))?;
    site.applied()?;
    site.stream("A", json!({"subjects": ["a", "z"]}))?;
    site.stream("Z", json!({"subjects": ["zz"]}))?;
    site.applied()?;
    site.run("plan", &[])?.ended(0, &[]);
    Ok(())
}

#[tokio::test]
async fn a_sourcing_stream_has_its_messages_at_once() -> Result<()> {
    let site = one()?;
    site.stream("A_ALL", json!({"sources": [{"name": "Z"}, {"name": "Y"}]}))?;
    site.stream("B_COPY", json!({"mirror": {"name": "A_ALL"}}))?;
    site.stream("Y", json!({"subjects": ["y"]}))?;
    site.stream("Z", json!({"subjects": ["z"]}))?;
    site.applied()?;
    site.publish(&["y", "z"], 2).await?;
    cim_testkit::until("the copy has all", async || {
        anyhow::ensure!(site.messages("B_COPY").await? == 4);
        Ok(())
    })
    .await?;
    site.run("plan", &[])?.ended(0, &["4 as declared"]);
    Ok(())
}

#[tokio::test]
async fn messages_older_than_a_new_age_are_counted_one_by_one() -> Result<()> {
    let site = one()?;
    site.stream("A", json!({"subjects": ["a"]}))?;
    site.applied()?;
    site.publish(&["a"], 40).await?;
    site.aged("A", 3).await?;
    site.publish(&["a"], 25).await?;
    for gone in [5, 6, 7, 39, 50] {
        let removed = site
            .api()
            .await?
            .once("STREAM.MSG.DELETE.A", &json!({"seq": gone}))
            .await;
        assert!(removed.is_ok(), "{removed:?}");
    }
    site.stream(
        "A",
        json!({"subjects": ["a"], "max_age": 3_000_000_000_i64}),
    )?;
    site.run("plan", &[])?.ended(
        2,
        &["max_age: none → 3s: 36 messages of the stream A are older and are removed at once"],
    );
    Ok(())
}

#[tokio::test]
async fn a_stream_that_may_be_beyond_its_limits_loses_nothing_before_discard_says_so() -> Result<()>
{
    let site = one()?;
    site.stream("A", json!({"subjects": ["a"], "discard": "new"}))?;
    site.applied()?;
    site.publish(&["a"], 6).await?;
    site.stream(
        "A",
        json!({"subjects": ["a"], "discard": "new", "max_msgs": 4}),
    )?;
    site.applied()?;
    assert_eq!(site.messages("A").await?, 6);
    site.stream("A", json!({"subjects": ["a"], "max_msgs": 4}))?;
    site.run("apply", &[])?.ended(
        2,
        &["discard: new → old: 2 messages of the stream A are removed at once"],
    );
    Ok(())
}

#[tokio::test]
async fn sealing_needs_consent_and_is_for_ever() -> Result<()> {
    let site = one()?;
    site.stream(
        "A",
        json!({"subjects": ["a"], "max_age": 3_600_000_000_000_i64, "allow_rollup_hdrs": true}),
    )?;
    site.applied()?;
    site.publish(&["a"], 3).await?;
    site.stream(
        "A",
        json!({"subjects": ["a"], "max_age": 3_600_000_000_000_i64, "sealed": true}),
    )?;
    let report = site.json("apply", &[])?;
    assert_eq!(report["exit"], 2);
    let id = asset(&report, "streams/A")?["planId"]
        .as_str()
        .context("no id")?;
    site.run("apply", &["--allow-data-loss", &format!("streams/A={id}")])?
        .ended(0, &[]);
    site.run("plan", &[])?.ended(0, &["1 as declared"]);
    assert_eq!(site.messages("A").await?, 3);
    site.stream("A", json!({"subjects": ["a"]}))?;
    site.run("apply", &[])?.ended(
        2,
        &[
            "sealed: true → false cannot be on the stream A, which holds 3 messages",
            "nothing unseals a stream",
        ],
    );
    Ok(())
}
