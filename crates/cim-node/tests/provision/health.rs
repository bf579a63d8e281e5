//! Nothing is made while the server is not well.

use anyhow::Result;
use serde_json::json;

use crate::support::{one, site};

#[tokio::test]
async fn a_server_that_lost_its_key_gets_no_empty_streams() -> Result<()> {
    let mut site = site(1, "js:, key: \"first\", cipher: aes")?;
    site.stream("A", json!({"subjects": ["a"]}))?;
    site.applied()?;
    site.publish(&["a"], 3).await?;
    site.kill(0)?;
    site.start_changed(0, "key: \"first\"", "key: \"other\"")?;
    let said = site.run("apply", &["--wait", "2"])?;
    said.ended(
        2,
        &[
            "streams/A.json: ",
            "is not made while the server is not well",
            "/healthz",
            "hide what is lost",
        ],
    );
    // With the key back, everything is there.
    site.kill(0)?;
    site.start_changed(0, "key: \"other\"", "key: \"first\"")?;
    site.run("apply", &[])?.ended(0, &["1 as declared"]);
    assert_eq!(site.messages("A").await?, 3);
    Ok(())
}

#[tokio::test]
async fn no_monitoring_listener_is_no_good_news() -> Result<()> {
    let site = one()?;
    site.stream("A", json!({"subjects": ["a"]}))?;
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_cim-provision"));
    command
        .arg("apply")
        .arg(site.folder())
        .args(["--server", site.url(), "--wait", "0"]);
    let said =
        crate::support::Said::of(command.args(["--monitor", "http://127.0.0.1:1"]).output()?)?;
    said.ended(
        2,
        &[
            "is not made while the server is not well",
            "http://127.0.0.1:1/healthz",
        ],
    );
    site.run("plan", &[])?.ended(1, &["streams/A: to make"]);
    Ok(())
}

#[tokio::test]
async fn a_server_that_does_not_run_is_unknown() -> Result<()> {
    let mut site = one()?;
    site.stream("A", json!({}))?;
    site.kill(0)?;
    for what in ["plan", "apply"] {
        site.run(what, &["--wait", "0"])?
            .ended(3, &["error: connecting to nats://127.0.0.1:"]);
    }
    Ok(())
}

#[tokio::test]
async fn a_server_that_starts_later_is_waited_for() -> Result<()> {
    let mut site = one()?;
    site.stream("A", json!({}))?;
    site.kill(0)?;
    let waiting = site
        .command("apply")
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()?;
    site.start(0)?;
    crate::support::Said::of(waiting.wait_with_output()?)?.ended(0, &["streams/A made"]);
    Ok(())
}

#[tokio::test]
async fn wrong_words_on_the_command_line_are_unknown() -> Result<()> {
    let site = one()?;
    site.run("plan", &["--nonsense"])?.ended(3, &["--nonsense"]);
    site.run("plan", &["--without-health"])?
        .ended(3, &["cannot be used with"]);
    site.run("plan", &["--allow-data-loss", "A"])?
        .ended(3, &["write it as streams/EVENTS=0123456789ab"]);
    site.run("plan", &["--server", "nats://user:pass@127.0.0.1:4222"])?
        .ended(3, &["holds no user or password"]);
    std::fs::remove_dir_all(site.folder())?;
    site.run("plan", &[])?
        .ended(2, &["name the folder that the build wrote"]);
    Ok(())
}
