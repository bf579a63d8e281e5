//! The rights that docs/provision.md lists, and those of the login on a host, are enough.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::migrate::{acknowledge, as_declared, content, done, position};
use crate::support::{Said, Site, site};

/// What `prune` needs beside the login's rights.
const PRUNE: &[&str] = &["$JS.API.STREAM.DELETE.*", "$JS.API.CONSUMER.DELETE.*.*"];

/// What `migrate` needs beside those of `prune`.
const MIGRATE: &[&str] = &[
    "$JS.API.STREAM.PURGE.*",
    "$JS.API.STREAM.MSG.DELETE.*",
    "$JS.API.CONSUMER.RESET.*.*",
    "$JS.API.CONSUMER.MSG.NEXT.*.*",
    "cim-migrate.>",
];

/// A server whose users are `host`, as a fleet's plan has it, and `prune` and `migrate` with what the page lists.
fn rights() -> Result<Site> {
    let plan = cim_testkit::plan(&cim_testkit::golden("assets-hub")?)?;
    let principals = plan.accounts.iter().flat_map(|account| &account.principals);
    let mut logins = principals.filter(|principal| principal.name == "provision");
    let login = logins.next().context("a login of cim-provision")?;
    let host = login.permissions.as_ref().context("it has rights")?;
    let host: Vec<&str> = host.publish.allow.iter().map(String::as_str).collect();
    let prune = [&host, PRUNE].concat();
    let migrate = [&prune, MIGRATE].concat();
    let mut users = "{ user: all, password: p }\n".to_owned();
    for (name, rights) in [("host", host), ("prune", prune), ("migrate", migrate)] {
        let rights = serde_json::to_string(&rights)?;
        users += &format!(
            "{{ user: {name}, password: p, permissions: {{ subscribe: \"_INBOX.>\", publish: {rights} }} }}\n"
        );
    }
    site(
        1,
        &format!(
            "accounts {{ A {{ jetstream: enabled, users: [{users}] }} }}\nno_auth_user: all\n"
        ),
    )
}

/// Runs as a user.
fn run(site: &Site, user: &str, what: &[&str]) -> Result<Said> {
    let (verb, args) = what.split_first().context("a command")?;
    let password = site.dir.path().join("password");
    std::fs::write(&password, "p\n")?;
    let mut command = site.command(verb);
    command.args(args).args(["--user", user, "--password-file"]);
    Said::of(command.arg(&password).args(["--wait", "2"]).output()?)
}

#[tokio::test]
async fn the_login_on_a_host_may_do_what_apply_does() -> Result<()> {
    let site = rights()?;
    let stream = |more: Value| {
        let mut fields = json!({"subjects": ["a"]});
        crate::support::merge(&mut fields, more);
        site.stream("A", fields)
    };
    let until_when = |moment: &str| {
        let fields = json!({"ack_policy": "explicit", "pause_until": moment});
        site.consumer("A", "w", fields)
    };
    stream(json!({}))?;
    until_when("2098-01-01T00:00:00Z")?;
    run(&site, "host", &["apply"])?.ended(0, &["2 done"]);
    stream(json!({"description": "new"}))?;
    until_when("2099-01-01T00:00:00Z")?;
    run(&site, "host", &["apply"])?.ended(0, &["2 done"]);
    // Messages are looked at one by one to know how many are too old.
    site.publish(&["a"], 4).await?;
    site.aged("A", 1).await?;
    site.publish(&["a"], 3).await?;
    stream(json!({"description": "new", "max_age": 1_000_000_000}))?;
    run(&site, "host", &["plan"])?.ended(2, &["messages of the stream A are older"]);
    Ok(())
}

#[tokio::test]
async fn prune_and_migrate_need_what_the_page_says() -> Result<()> {
    let mut site = rights()?;
    site.stream("A", json!({"subjects": ["a"]}))?;
    site.stream("OLD", json!({}))?;
    site.consumer(
        "A",
        "w",
        json!({"ack_policy": "explicit", "ack_wait": 1_000_000_000}),
    )?;
    site.consumer("A", "old", json!({"ack_policy": "explicit"}))?;
    site.applied()?;
    for gone in ["streams/OLD", "consumers/A/old"] {
        std::fs::remove_file(site.folder().join(format!("{gone}.json")))?;
        let said = run(&site, "prune", &["prune", gone])?;
        let id = said.out.split("--confirm ").nth(1).context("no id")?;
        run(&site, "prune", &["prune", gone, "--confirm", id.trim()])?.ended(0, &["removed"]);
    }
    site.publish(&["a"], 10).await?;
    acknowledge(&site, "A", "w", 4).await?;
    let api = site.api().await?;
    for seq in [2, 10] {
        let gone = api.ask("STREAM.MSG.DELETE.A", &json!({"seq": seq})).await;
        ensure!(gone.is_ok(), "{gone:?}");
    }
    let before = content(&site, "A").await?;
    site.stream("A", json!({"subjects": ["a"], "storage": "memory"}))?;
    let password = site.dir.path().join("password").display().to_string();
    site.args = ["--user", "migrate", "--password-file", &password]
        .map(str::to_owned)
        .to_vec();
    done(&site, "streams/A")?;
    as_declared(&site).await?;
    assert_eq!(content(&site, "A").await?, before);
    assert_eq!(position(&site, "A", "w").await?.0, 4);
    let changed = json!({"ack_policy": "explicit", "ack_wait": 1_000_000_000, "max_waiting": 7});
    site.consumer("A", "w", changed)?;
    done(&site, "consumers/A/w")?;
    as_declared(&site).await
}
