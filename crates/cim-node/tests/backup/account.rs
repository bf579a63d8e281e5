//! Accounts of every size, and servers that say no.

use std::process::Command;

use anyhow::{Context, Result};
use async_nats::Client;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};

use crate::held::held;
use crate::support::{Said, asked, one, run, site, until};

/// Requests of one kind, many at a time.
async fn many(
    client: &Client,
    subject: impl Fn(usize) -> String,
    body: impl Fn(usize) -> Value,
    count: usize,
) -> Result<()> {
    let requests = (0..count).map(|number| {
        let (subject, body) = (
            format!("$JS.API.{}", subject(number)),
            body(number).to_string(),
        );
        async move { anyhow::Ok(client.request(subject, body.into()).await?) }
    });
    let answers: Vec<_> = stream::iter(requests)
        .buffer_unordered(64)
        .try_collect()
        .await?;
    for answer in answers {
        let answer: Value = serde_json::from_slice(&answer.payload)?;
        anyhow::ensure!(answer["error"].is_null(), "{answer}");
    }
    Ok(())
}

/// The server lists 256 at a time. In memory, for 600 folders of streams take a while to go.
#[tokio::test]
async fn three_hundred_streams_and_consumers() -> Result<()> {
    let source = one()?;
    let client = source.client().await?;
    let config = |number| json!({"name": format!("S{number}"), "subjects": [format!("s.{number}")], "storage": "memory"});
    many(
        &client,
        |number| format!("STREAM.CREATE.S{number}"),
        config,
        300,
    )
    .await?;
    let consumer = |number| json!({"stream_name": "S0", "config": {"durable_name": format!("c{number}"), "ack_policy": "explicit"}});
    many(
        &client,
        |number| format!("CONSUMER.CREATE.S0.c{number}"),
        consumer,
        300,
    )
    .await?;
    for number in 0..300 {
        client.publish(format!("s.{number}"), "one".into()).await?;
    }
    client.flush().await?;
    let api = source.api().await?;
    until(async || {
        let info = asked(&api, "STREAM.INFO.S299", &Value::Null).await?;
        Ok((info["state"]["messages"] == 1).then_some(()))
    })
    .await?;
    let backup = source.created()?;
    run(&["check"], &backup)?.ended(0, &["300 streams"]);
    run(&["list"], &source.folder())?.ended(0, &["300      300        300"]);
    let target = one()?;
    target
        .restore(&backup, &[])?
        .ended(0, &["300 streams restored"]);
    assert_eq!(
        held(&target.api().await?, "STREAM.NAMES").await?,
        held(&api, "STREAM.NAMES").await?
    );
    Ok(())
}

#[tokio::test]
async fn a_server_that_is_not_there_or_says_no() -> Result<()> {
    let users = "accounts { A { jetstream: enabled, users: [\
        {user: all, password: p},\
        {user: none, password: p, permissions: {publish: [\"x\"]}}, \
        {user: names, password: p, permissions: {publish: {deny: [\"$JS.API.STREAM.SNAPSHOT.>\"]}}}, \
        {user: silent, password: p, permissions: {publish: {deny: [\"$JS.SNAPSHOT.ACK.>\"]}}}] }\n\
        B { users: [{user: bare, password: p}] }\n\
        EMPTY { jetstream: enabled, users: [{user: empty, password: p}] } }";
    let site = site(users, "")?;
    let password = site.dir.path().join("password");
    std::fs::write(&password, "p\n")?;
    let file = password.to_string_lossy().into_owned();
    let as_user =
        |user: &str| site.create(&["--user", user, "--password-file", &file, "--wait", "1"]);
    let options = async_nats::ConnectOptions::with_user_and_password("all".into(), "p".into());
    let client = options.connect(site.url()).await?;
    many(
        &client,
        |_| "STREAM.CREATE.S".to_owned(),
        |_| json!({"name": "S", "subjects": ["s"]}),
        1,
    )
    .await?;
    // Nothing that could be packed: more than the server sends without an answer.
    let mut random = 1_u32;
    for _ in 0..12 {
        let bytes = (0..1 << 20).map(|_| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            random.to_be_bytes()[0]
        });
        client
            .publish("s", bytes.collect::<Vec<u8>>().into())
            .await?;
    }
    client.flush().await?;
    as_user("all")?.ended(0, &["1 streams"]);
    as_user("none")?.ended(3, &["$JS.API.STREAM.NAMES", "docs/backup.md"]);
    as_user("names")?.ended(2, &["streams/S", "$JS.API.STREAM.SNAPSHOT.S"]);
    as_user("bare")?.ended(2, &["JetStream not enabled for account"]);
    as_user("empty")?.ended(2, &["the account has none"]);
    as_user("nobody")?.ended(3, &["server: ", "authorization violation"]);
    // More than a window of chunks, none acknowledged: the server breaks off after 5 s, three times.
    as_user("silent")?.ended(2, &["408 No Flow Response", "$JS.SNAPSHOT.ACK.>"]);
    site.create(&["--wait", "1", "--stream", "S", "T"])?
        .ended(3, &["server: "]);
    let all = cim_node::backup::folder::backups(&site.folder())?;
    assert_eq!(all.len(), 1, "only a whole one has a name");
    let last: Value =
        serde_json::from_str(&std::fs::read_to_string(site.folder().join("last.json"))?)?;
    assert_eq!(
        last["newest"]["backup"],
        all[0]
            .file_name()
            .context("named")?
            .to_string_lossy()
            .as_ref()
    );
    assert_eq!(last["attempt"]["exit"], 3);
    Ok(())
}

/// As when the disk is full: no file may grow beyond 64 KiB.
#[tokio::test]
async fn a_disk_that_takes_no_more() -> Result<()> {
    let site = one()?;
    site.stream("SMALL", json!({})).await?;
    site.stream("LARGE", json!({})).await?;
    site.publish("SMALL", 10, 10).await?;
    site.publish("LARGE", 5000, 500).await?;
    let full = |args: &[&str]| -> Result<Said> {
        let mut command = Command::new("bash");
        command.args([
            "-c",
            "trap '' XFSZ; ulimit -f 64; exec \"$@\"",
            "bash",
            env!("CARGO_BIN_EXE_cim-backup"),
            "create",
        ]);
        command.arg(site.folder()).args(["--server", &site.url()]);
        Said::of(command.args(args).output()?)
    };
    full(&[])?.ended(2, &["LARGE/stream.tar.s2: File too large", "make room"]);
    run(&["check"], &site.folder())?.ended(2, &["holds no backup"]);
    full(&["--stream", "SMALL"])?.ended(0, &["1 streams"]);
    site.create(&[])?.ended(0, &["2 streams"]);
    Ok(())
}

/// A backup is of one moment for each stream, whatever happens meanwhile.
#[tokio::test]
async fn streams_that_change_meanwhile() -> Result<()> {
    let site = one()?;
    for (name, fields) in [
        ("GROWS", json!({})),
        ("WORK", json!({"retention": "workqueue"})),
        ("ROLLS", json!({"max_msgs": 3000})),
    ] {
        site.stream(name, fields).await?;
        site.publish(name, 3000, 300).await?;
    }
    site.consumer("WORK", "w", json!({})).await?;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let churn = async {
        let mut stopped = stopped;
        let mut rounds = 0;
        loop {
            for name in ["GROWS", "ROLLS"] {
                site.publish(name, 50, 300).await?;
            }
            site.consume("WORK", "w", 20, |_| true).await?;
            site.publish("WORK", 20, 300).await?;
            rounds += 1;
            if stopped.try_recv().is_ok() {
                return anyhow::Ok(rounds);
            }
        }
    };
    let taking = async {
        for _ in 0..3 {
            let url = site.url();
            let folder = site.folder();
            let said = tokio::task::spawn_blocking(move || {
                let mut command = crate::support::tool(&["create"]);
                Said::of(command.arg(folder).args(["--server", &url]).output()?)
            });
            said.await??.ended(0, &["3 streams"]);
        }
        let _ = stop.send(());
        anyhow::Ok(())
    };
    let (rounds, taken) = tokio::join!(churn, taking);
    taken?;
    println!("{} rounds meanwhile", rounds?);
    run(&["check"], &site.folder())?.ended(0, &[]);
    site.drill(&[])?.ended(0, &["3 of 3"]);
    Ok(())
}

/// The rights that docs/backup.md lists are enough, and so are those of the login on a host.
#[tokio::test]
async fn the_least_rights() -> Result<()> {
    let plan = cim_testkit::plan(&cim_testkit::golden("assets-hub")?)?;
    let accounts = plan.accounts.iter().flat_map(|account| &account.principals);
    let mut logins = accounts.filter(|principal| principal.name == "backup");
    let login = logins.next().context("a login for backups")?;
    let rights = login.permissions.as_ref().context("it has rights")?;
    let rights = serde_json::to_string(&rights.publish.allow)?;
    let users = "accounts { A { jetstream: enabled, users: [\n\
        {user: all, password: p}\n\
        {user: create, password: p, permissions: {subscribe: \"_INBOX.>\", publish: [\
          \"$JS.API.STREAM.NAMES\", \"$JS.API.STREAM.LIST\", \"$JS.API.STREAM.SNAPSHOT.*\", \"$JS.SNAPSHOT.ACK.>\"]}}\n\
        {user: restore, password: p, permissions: {subscribe: \"_INBOX.>\", publish: [\
          \"$JS.API.STREAM.LIST\", \"$JS.API.STREAM.INFO.*\", \"$JS.API.STREAM.RESTORE.*\", \"$JS.SNAPSHOT.RESTORE.>\", \
          \"$JS.API.STREAM.UPDATE.*\", \"$JS.API.STREAM.DELETE.*\", \"$JS.API.CONSUMER.LIST.*\"]}}\n\
        {user: host, password: p, permissions: {subscribe: \"_INBOX.>\", publish: %}}\n\
        ] } }";
    let site = site(&users.replace('%', &rights), "")?;
    let password = site.dir.path().join("password");
    std::fs::write(&password, "p\n")?;
    let file = password.to_string_lossy().into_owned();
    let options = async_nats::ConnectOptions::with_user_and_password("all".into(), "p".into());
    let client = options.connect(site.url()).await?;
    let config = |_| json!({"name": "S", "subjects": ["s"]});
    many(&client, |_| "STREAM.CREATE.S".to_owned(), config, 1).await?;
    let consumer =
        |_| json!({"stream_name": "S", "config": {"durable_name": "c", "ack_policy": "explicit"}});
    many(&client, |_| "CONSUMER.CREATE.S.c".to_owned(), consumer, 1).await?;
    client.request("s", "one".into()).await?;
    site.create(&["--user", "create", "--password-file", &file])?
        .ended(0, &["1 streams, 1 consumers, 1 messages"]);
    site.create(&["--user", "host", "--password-file", &file])?
        .ended(0, &["1 streams, 1 consumers, 1 messages"]);
    let backup = cim_node::backup::folder::backups(&site.folder())?.remove(0);
    many(&client, |_| "STREAM.DELETE.S".to_owned(), |_| json!({}), 1).await?;
    site.restore(&backup, &["--user", "restore", "--password-file", &file])?
        .ended(0, &["1 streams restored"]);
    Ok(())
}
