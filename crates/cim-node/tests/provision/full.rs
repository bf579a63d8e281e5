//! `apply` where the server's store, or the account's quota, is used up on the way: what has no room says so, and the rest is
//! done.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::support::{Site, asset, put, site};

/// A mebibyte.
const STORE: u64 = 1 << 20;

/// An account of its own, in which everybody is.
const ACCOUNT: &str = "alone:accounts { APP { users: [{ user: app, password: app }], jetstream: { max_file: 1048576, max_streams: 3 } } }\nno_auth_user: app\n";

/// Declares streams with so much room each, and a consumer of each, by options.
fn declare(site: &Site, streams: &[(&str, Option<u64>)]) -> Result<()> {
    let mut options = serde_json::Map::new();
    for (name, bytes) in streams {
        let bytes = bytes.map_or(json!({}), |bytes| json!({ "max_bytes": bytes }));
        let mut fields = json!({ "subjects": [name.to_lowercase()] });
        crate::support::merge(&mut fields, bytes);
        site.stream(name, fields)?;
        let option = format!("services.cim.fleet.accounts.APP.streams.{name}");
        options.insert(format!("streams/{name}"), json!(option));
    }
    let provision = json!({ "options": options }).to_string();
    put(&site.folder().join("provision.json"), &provision)
}

/// What a report says of an asset's failure.
fn failed(report: &Value, name: &str) -> Result<String> {
    let asset = asset(report, name)?;
    ensure!(asset["done"] == false, "{asset}");
    Ok(asset["failed"].as_str().unwrap_or_default().to_owned())
}

async fn fills(site: &Site, store: &str) -> Result<()> {
    declare(
        site,
        &[("A", Some(STORE / 2)), ("B", Some(2 * STORE)), ("C", None)],
    )?;
    site.consumer("B", "w", json!({"ack_policy": "explicit"}))?;
    site.consumer("C", "w", json!({"ack_policy": "explicit"}))?;
    let said = site.run("apply", &[])?;
    said.ended(
        2,
        &[
            "services.cim.fleet.accounts.APP.streams.B: nats-server says: ",
            store,
            "consumers/B/w.json: its stream B was not made",
            "5 declared: 0 as declared, 3 done, 2 not",
        ],
    );
    site.publish(&["a", "c"], 2).await?;
    // Nothing of it is there, and a second run says the same.
    let report = site.json("apply", &[])?;
    ensure!(report["exit"] == 2, "{report}");
    ensure!(failed(&report, "streams/B")?.contains("nats-server says: "));
    declare(
        site,
        &[("A", Some(STORE / 2)), ("B", Some(STORE / 4)), ("C", None)],
    )?;
    site.applied()?;
    assert_eq!(
        (site.messages("A").await?, site.messages("C").await?),
        (2, 2)
    );
    Ok(())
}

#[tokio::test]
async fn what_the_store_has_no_room_for_is_named_and_the_rest_is_made() -> Result<()> {
    let site = site(1, "js:, max_file_store: 1048576")?;
    fills(&site, "lower it, or raise the limit").await
}

#[tokio::test]
async fn and_what_the_account_has_none_for() -> Result<()> {
    let site = site(1, ACCOUNT)?;
    fills(&site, "raise the limit").await?;
    // One stream too many.
    declare(
        &site,
        &[
            ("A", Some(STORE / 2)),
            ("B", Some(STORE / 4)),
            ("C", None),
            ("D", None),
        ],
    )?;
    let said = site.run("apply", &[])?;
    said.ended(
        2,
        &[
            "streams.D: nats-server says: maximum number of streams reached",
            "the account has as many streams as it may",
            "5 as declared, 0 done, 1 not",
        ],
    );
    Ok(())
}

/// An update that needs more room than there is leaves the stream as it was.
#[tokio::test]
async fn a_stream_that_cannot_grow_stays_as_it_was() -> Result<()> {
    let site = site(1, "js:, max_file_store: 1048576")?;
    declare(&site, &[("A", Some(STORE / 2))])?;
    site.applied()?;
    site.publish(&["a"], 3).await?;
    let before = site.held("A").await?;
    declare(&site, &[("A", Some(STORE * 2)), ("C", None)])?;
    let said = site.run("apply", &[])?;
    said.ended(
        2,
        &[
            "streams.A: nats-server says: ",
            "lower it, or raise the limit",
            "1 done, 1 not",
        ],
    );
    assert_eq!(site.held("A").await?, before);
    assert_eq!(site.messages("A").await?, 3);
    Ok(())
}
