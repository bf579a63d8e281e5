//! Contexts of the NATS CLI: what is written where, and what is left alone.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use anyhow::{Context, Result, ensure};
use regex::Regex;
use serde_json::Value;

use crate::estate::Estate;
use crate::nsc::SEED;

#[tokio::test]
async fn a_context_logs_in_and_a_foreign_one_is_left_alone() -> Result<()> {
    let mut estate = Estate::new()?;
    estate.role("APP", "user/one", |_| {})?;
    estate.user("APP", "user/one", "users/APP/one.jwt")?;
    estate.seal()?;
    let nodes = estate.start(1)?;
    estate.push(&nodes)?;
    let url = nodes.url();
    let args = [
        "contexts",
        "--server",
        &url,
        "--creds",
        "own/creds",
        "--keys",
        "keys.txt",
    ];
    let run = |more: &[&str]| -> Result<(Option<i32>, String)> {
        let output = estate.cim_admin(&[&args, more].concat())?;
        let said = String::from_utf8([output.stdout, output.stderr].concat())?;
        Ok((output.status.code(), said))
    };
    let before = estate.disk()?;
    let (code, said) = run(&["--dry-run"])?;
    ensure!(code == Some(0) && said.contains("would write"), "{said}");
    ensure!(before == estate.disk()?, "a dry run wrote");
    let (code, said) = run(&[])?;
    ensure!(code == Some(0), "{said}");
    for name in ["desk", "APP-one"] {
        let place = estate.path(&format!(".config/nats/context/{name}.json"));
        let context: Value = serde_json::from_str(&fs::read_to_string(&place)?)?;
        ensure!(context["url"] == url.as_str(), "{context}");
        let creds = context["creds"].as_str().context("creds")?.to_owned();
        for place in [place, creds.clone().into()] {
            ensure!(fs::metadata(&place)?.permissions().mode() & 0o777 == 0o600);
        }
        nodes.connect(0, &fs::read_to_string(creds)?).await?;
    }
    ensure!(!Regex::new(SEED)?.is_match(&said), "{said}");
    let place = estate.path(".config/nats/context/desk.json");
    fs::write(&place, r#"{"description":"mine","url":"nats://elsewhere"}"#)?;
    let (code, said) = run(&[])?;
    ensure!(
        code == Some(1) && said.contains("--replace replaces it"),
        "{said}"
    );
    ensure!(fs::read_to_string(&place)?.contains("elsewhere"));
    let (code, said) = run(&["--user", "APP/one"])?;
    ensure!(
        code == Some(0) && said.contains("nats --context APP-one"),
        "{said}"
    );
    let (code, _) = run(&["--replace"])?;
    ensure!(code == Some(0) && fs::read_to_string(&place)?.contains(&url));
    // git's own mark is enough.
    fs::create_dir(estate.path("own/.git"))?;
    let (code, said) = run(&[])?;
    ensure!(
        code == Some(1) && said.contains("is in the repository"),
        "{said}"
    );
    Ok(())
}
