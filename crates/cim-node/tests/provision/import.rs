//! What a server has becomes files, and those files are what it has.

use anyhow::Result;
use serde_json::json;

use crate::support::{asset, one};

#[tokio::test]
async fn a_plan_of_what_was_imported_is_empty() -> Result<()> {
    let site = one()?;
    site.stream("A", json!({"subjects": ["a.>"], "max_age": 60_000_000_000_i64, "republish": {"src": "a.>", "dest": "r.>"}, "metadata": {"x": "1"}}))?;
    site.stream(
        "B",
        json!({"sources": [{"name": "A", "filter_subject": "a.b"}]}),
    )?;
    site.stream("KV_odd", json!({"subjects": ["odd"]}))?;
    site.consumer(
        "A",
        "w",
        json!({"ack_policy": "explicit", "backoff": [1_000_000_000], "max_deliver": 3}),
    )?;
    site.declare(
        "kv/x",
        &json!({"bucket": "x", "history": 5, "ttl": 30_000_000_000_i64, "compression": true}),
    )?;
    site.declare(
        "kv/y",
        &json!({"bucket": "y", "limit_marker_ttl": 2_000_000_000_i64}),
    )?;
    site.declare(
        "object-stores/o",
        &json!({"bucket": "o", "description": "bundles"}),
    )?;
    site.applied()?;
    std::fs::remove_dir_all(site.folder())?;
    site.run("import", &[])?.ended(
        0,
        &[
            "streams/A",
            "streams/KV_odd",
            "consumers/A/w",
            "kv/x",
            "kv/y",
            "object-stores/o",
        ],
    );
    let report = site.json("plan", &[])?;
    assert_eq!(report["exit"], 0, "{report}");
    assert_eq!(report["undeclared"], json!([]));
    for name in ["kv/x", "kv/y", "object-stores/o", "streams/KV_odd"] {
        assert_eq!(asset(&report, name)?["action"], "none");
    }
    // What is there is never overwritten.
    site.run("import", &[])?.ended(3, &["is there already"]);
    Ok(())
}
