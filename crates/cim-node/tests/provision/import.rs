//! What a server has becomes files, and those files are what it has.

use anyhow::Result;
use serde_json::json;

use crate::support::{Said, asset, one};

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
    site.declare(
        "kv/copy",
        &json!({"bucket": "copy", "mirror": {"name": "x"}}),
    )?;
    let other = json!([{"src": "$KV.y.a.>", "dest": "$KV.both.y.>"}]);
    let sources = json!([{"name": "x"}, {"name": "KV_y", "subject_transforms": other}]);
    site.declare("kv/both", &json!({"bucket": "both", "sources": sources}))?;
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
    // What a bucket copies is named as its clients name it, unless only some of its keys come.
    let file = |name: &str| -> Result<serde_json::Value> {
        let file = site.folder().join(format!("kv/{name}.json"));
        Ok(serde_json::from_str(&std::fs::read_to_string(file)?)?)
    };
    assert_eq!(file("copy")?["mirror"], json!({"name": "x"}));
    assert_eq!(file("both")?["sources"], sources);
    // What is there is never overwritten.
    site.run("import", &[])?.ended(3, &["is there already"]);
    Ok(())
}

#[tokio::test]
async fn nix_options_are_printed_or_written_once() -> Result<()> {
    let site = one()?;
    site.stream(
        "A",
        json!({"subjects": ["a.>"], "max_age": 2_592_000_000_000_000_i64, "max_bytes": 10_485_760}),
    )?;
    site.consumer("A", "w", json!({"ack_policy": "explicit"}))?;
    site.declare("kv/x", &json!({"bucket": "x", "history": 5}))?;
    site.applied()?;
    let import = |args: &[&str]| -> Result<Said> {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_cim-provision"));
        command.args(["import", "--nix", "--server", site.url()]);
        Said::of(command.args(args).output()?)
    };
    let said = import(&[])?;
    said.ended(
        0,
        &[
            "history = 5;",
            "maxAge = \"30d\";",
            "maxBytes = \"10MiB\";",
            "ackPolicy = \"explicit\";",
        ],
    );
    let file = site.dir.path().join("assets.nix");
    let name = file.display().to_string();
    import(&[&name])?.ended(0, &["streams/A", "consumers/A/w", "kv/x"]);
    assert_eq!(std::fs::read_to_string(&file)?, said.out);
    import(&[&name])?.ended(3, &["is there already"]);
    Ok(())
}

#[test]
fn completions_and_man_pages() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let run = |args: &[&std::ffi::OsStr]| -> Result<Said> {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_cim-provision"));
        Said::of(command.args(args).output()?)
    };
    run(&["docs".as_ref(), folder.path().as_os_str()])?.ended(0, &[]);
    for file in [
        "cim-provision.bash",
        "_cim-provision",
        "cim-provision.fish",
        "cim-provision-migrate.1",
    ] {
        anyhow::ensure!(folder.path().join(file).exists(), "no {file}");
    }
    run(&["completions".as_ref(), "fish".as_ref()])?.ended(0, &["cim-provision", "migrate"]);
    Ok(())
}
