//! Streams that copy a migrated one, and a migrated one that copies others: nothing comes twice unless somebody said so.

use anyhow::{Context, Result, ensure};
use cim_testkit::until;
use serde_json::{Value, json};

use crate::migrate::{as_declared, content, done, id, migrate};
use crate::support::{Site, one};

/// `A` with five messages, `ALL` that has it as a source and `COPY` that mirrors it.
async fn copied() -> Result<Site> {
    let site = one()?;
    site.stream("A", json!({"subjects": ["a"]}))?;
    site.stream("ALL", json!({"sources": [{"name": "A"}]}))?;
    site.stream("COPY", json!({"mirror": {"name": "A"}}))?;
    site.applied()?;
    site.publish(&["a"], 5).await?;
    holds(&site, "ALL", 5).await?;
    holds(&site, "COPY", 5).await?;
    site.stream("A", json!({"subjects": ["a"], "storage": "memory"}))?;
    Ok(site)
}

async fn holds(site: &Site, stream: &str, messages: u64) -> Result<()> {
    until(&format!("{stream} holds {messages}"), async || {
        let held = site.messages(stream).await?;
        ensure!(held == messages, "it holds {held}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_stream_that_is_a_source_is_migrated_only_on_a_word() -> Result<()> {
    let site = copied().await?;
    let before = site.held("A").await?;
    let told = migrate(&site, "streams/A", &[])?;
    told.ended(1, &["its 5 messages come a second time to streams/ALL"]);
    let id = id(&site, "streams/A")?;
    let refused = migrate(&site, "streams/A", &["--confirm", &id])?;
    refused.ended(
        2,
        &["its 5 messages would come a second time to streams/ALL"],
    );
    assert_eq!(site.held("A").await?, before);
    let copies = content(&site, "COPY").await?;
    migrate(&site, "streams/A", &["--confirm", &id, "--copied-again"])?.ended(0, &["done: "]);
    holds(&site, "ALL", 10).await?;
    // The mirror goes on where it was.
    site.publish(&["a"], 1).await?;
    holds(&site, "ALL", 11).await?;
    holds(&site, "COPY", 6).await?;
    assert_eq!(content(&site, "COPY").await?[..5], copies);
    as_declared(&site).await
}

#[tokio::test]
async fn a_source_that_is_taken_away_meanwhile_gets_nothing_twice() -> Result<()> {
    let site = copied().await?;
    site.stream("ALL", json!({"subjects": ["all"]}))?;
    site.run("apply", &[])?.ended(2, &["streams/ALL updated"]);
    done(&site, "streams/A")?;
    site.publish(&["a"], 2).await?;
    let sources = json!([{"name": "A", "opt_start_seq": 6}]);
    site.stream("ALL", json!({"subjects": ["all"], "sources": sources}))?;
    site.applied()?;
    holds(&site, "ALL", 7).await?;
    // It has copied something new, and knows the new stream by now.
    site.stream(
        "ALL",
        json!({"subjects": ["all"], "sources": [{"name": "A"}]}),
    )?;
    site.applied()?;
    site.publish(&["a"], 1).await?;
    holds(&site, "ALL", 8).await?;
    as_declared(&site).await
}

#[tokio::test]
async fn a_migrated_stream_goes_on_with_its_own_sources() -> Result<()> {
    let site = one()?;
    site.stream("O", json!({"subjects": ["o"]}))?;
    site.stream(
        "ALL",
        json!({"subjects": ["all"], "sources": [{"name": "O"}]}),
    )?;
    site.applied()?;
    site.publish(&["o", "all"], 5).await?;
    holds(&site, "ALL", 10).await?;
    let before = content(&site, "ALL").await?;
    site.stream(
        "ALL",
        json!({"subjects": ["all"], "sources": [{"name": "O"}], "storage": "memory"}),
    )?;
    done(&site, "streams/ALL")?;
    site.publish(&["o"], 1).await?;
    holds(&site, "ALL", 11).await?;
    let after = content(&site, "ALL").await?;
    assert_eq!(after[..10], before);
    let last = after.last().map(|message| message["subject"].clone());
    assert_eq!(last, Some(Value::from("o")));
    as_declared(&site).await
}

/// `A`, and what copies it in a row: `ALL` has it as a source and `DEEP` has `ALL`; `COPY` mirrors it, and `SECOND` mirrors
/// `COPY`.
async fn chain() -> Result<Site> {
    let site = one()?;
    site.stream("A", json!({"subjects": ["a"]}))?;
    site.stream(
        "ALL",
        json!({"subjects": ["all"], "sources": [{"name": "A"}]}),
    )?;
    site.stream(
        "DEEP",
        json!({"subjects": ["deep"], "sources": [{"name": "ALL"}]}),
    )?;
    site.stream("COPY", json!({"mirror": {"name": "A"}}))?;
    site.stream("SECOND", json!({"mirror": {"name": "COPY"}}))?;
    site.applied()?;
    site.publish(&["a"], 5).await?;
    all_hold(&site, 5).await?;
    Ok(site)
}

async fn all_hold(site: &Site, messages: u64) -> Result<()> {
    for stream in ["ALL", "DEEP", "COPY", "SECOND"] {
        holds(site, stream, messages).await?;
    }
    Ok(())
}

/// Where in `A` the last message is from that a stream copied: the header of a source says so.
async fn copied_up_to(site: &Site, stream: &str) -> Result<u64> {
    let client = site.client().await?;
    let last = client
        .request(
            format!("$JS.API.DIRECT.GET.{stream}"),
            r#"{"last_by_subj":"a"}"#.into(),
        )
        .await?;
    let headers = last.headers.context("headers")?;
    let from = headers.get("Nats-Stream-Source").context("a source")?;
    let mut words = from.as_str().split(' ');
    ensure!(words.next() == Some("A"), "{from}");
    Ok(words.next().context("a sequence")?.parse()?)
}

/// The steps that the refusal prints, one after the other, while others publish.
#[tokio::test]
async fn what_the_refusal_advises_loses_nothing_down_the_whole_row() -> Result<()> {
    let site = chain().await?;
    site.stream("A", json!({"subjects": ["a"], "storage": "memory"}))?;
    let id = id(&site, "streams/A")?;
    migrate(&site, "streams/A", &["--confirm", &id])?.ended(
        2,
        &[
            "its 5 messages would come a second time to streams/ALL: ",
            "take those sources away first, migrate, and put each back with opt_start_seq one after the last message that it had",
        ],
    );
    // "take those sources away first": what is published meanwhile is only in A and its mirrors.
    let all =
        |sources: Value| json!({"subjects": ["all"], "allow_direct": true, "sources": sources});
    site.stream("ALL", all(json!([])))?;
    site.run("apply", &[])?.ended(2, &["streams/ALL updated"]);
    site.publish(&["a"], 2).await?;
    let had = copied_up_to(&site, "ALL").await?;
    assert_eq!(had, 5);
    // "migrate"
    done(&site, "streams/A")?;
    site.publish(&["a"], 1).await?;
    // "and put each back with opt_start_seq one after the last message that it had"
    site.stream("ALL", all(json!([{"name": "A", "opt_start_seq": had + 1}])))?;
    site.applied()?;
    all_hold(&site, 8).await?;
    // "until it has copied another"
    site.stream("ALL", all(json!([{"name": "A"}])))?;
    site.applied()?;
    site.publish(&["a"], 1).await?;
    all_hold(&site, 9).await?;
    let bodies = async |stream| -> Result<Vec<Value>> {
        let content = content(&site, stream).await?;
        Ok(content.into_iter().map(|one| one["data"].clone()).collect())
    };
    let wanted = bodies("A").await?;
    for stream in ["ALL", "DEEP", "COPY", "SECOND"] {
        assert_eq!(bodies(stream).await?, wanted, "{stream}");
    }
    as_declared(&site).await
}

/// A mirror is filled anew by what it mirrors; its own mirror goes on meanwhile.
#[tokio::test]
async fn a_mirror_in_the_middle_of_a_row_is_migrated() -> Result<()> {
    let site = chain().await?;
    let before = content(&site, "SECOND").await?;
    site.stream(
        "COPY",
        json!({"mirror": {"name": "A"}, "storage": "memory"}),
    )?;
    done(&site, "streams/COPY")?;
    site.publish(&["a"], 3).await?;
    all_hold(&site, 8).await?;
    assert_eq!(content(&site, "SECOND").await?[..5], before);
    assert_eq!(
        content(&site, "SECOND").await?,
        content(&site, "COPY").await?
    );
    as_declared(&site).await
}
