//! What is made of a fleet, before the real nats-server: who is let in, and what each may do.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use async_nats::{Client, ConnectOptions, Event, ServerError, Subscriber};
use cim_testkit::{Fleet, Identity, Ports, golden, nats_server, plan, until};
use futures_util::StreamExt;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fleet::{fleet, set, tree};

const HUB: &str = "hub-1";
const LEAF: &str = "cim-prod-001";

/// A hub's node and a leaf, on JWTs that were made of their fleet. The folder goes after the servers.
struct Running {
    servers: Fleet,
    identity: Identity,
    declared: Value,
    _dir: TempDir,
}

/// Somebody who logged in, and how often the server said that a subject is not allowed.
struct Login {
    client: Client,
    refused: Arc<AtomicUsize>,
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

impl Running {
    fn start(change: fn(&mut Value)) -> Result<Self> {
        let mut declared = tree();
        change(&mut declared);
        set(
            &mut declared,
            "/accounts/CIM/users/press/permissions/publish/allow",
            json!([">"]),
        );
        set(
            &mut declared,
            "/accounts/CIM/users/press/permissions/allowResponses",
            Value::Null,
        );
        let (mut hub, mut leaf) = (golden("hub-operator")?, golden(LEAF)?);
        for hub in [
            &mut declared["hubs"]["hub"],
            &mut leaf["leaf"]["fleet"]["hubs"]["hub"],
        ] {
            let nodes = hub["nodes"].as_object_mut().context("a hub has nodes")?;
            nodes.retain(|name, _| name == HUB);
            hub["leafnodes"]["verify"] = true.into();
            hub["leafnodes"]["verifyAndMap"] = false.into();
        }
        let identity = Identity::of(&fleet(&declared), now())?;
        hub["hub"]["fleet"] = declared.clone();
        identity.put_into(&mut hub["hub"]["fleet"])?;
        let member = &mut leaf["leaf"];
        member["fleet"]["operator"] = true.into();
        member["fleet"]["leaf"]["nkey"] = Value::Null;
        member["leaf"]["nkeySeedFile"] = Value::Null;
        member["leaf"]["remotes"]["hub"]["credentialsFile"] = json!("/run/secrets/leaf.creds");
        let dir = tempfile::tempdir().context("creating a folder")?;
        let plans = vec![plan(&hub)?, plan(&leaf)?];
        let mut servers = Fleet::prepare(plans, dir.path(), &nats_server()?, Ports::Free)?;
        let creds = identity.creds(&format!("leaves/{LEAF}.jwt"))?;
        std::fs::write(servers.member(LEAF)?.dir().join("leaf.creds"), creds)?;
        servers.start_all()?;
        Ok(Self {
            servers,
            identity,
            declared,
            _dir: dir,
        })
    }

    /// Logs in at the hub with the JWT that stands at `place`.
    async fn login(&self, place: &str) -> Result<Login> {
        let refused = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&refused);
        let options = ConnectOptions::with_credentials(&self.identity.creds(place)?)?;
        let options = options
            .request_timeout(Some(Duration::from_secs(20)))
            .event_callback(move |event| {
                if let Event::ServerError(ServerError::Other(said)) = &event
                    && said.to_lowercase().contains("permissions violation")
                {
                    count.fetch_add(1, Ordering::SeqCst);
                }
                async {}
            });
        let client = self.servers.connect(HUB, options).await;
        Ok(Login {
            client: client.with_context(|| format!("logging in as {place}"))?,
            refused,
        })
    }
}

impl Login {
    /// Asks, and gives the answer.
    async fn ask(&self, subject: &str, question: Value) -> Result<Value> {
        let answer = self
            .client
            .request(subject.to_owned(), question.to_string().into());
        let answer = answer.await.with_context(|| format!("asking {subject}"))?;
        Ok(serde_json::from_slice(&answer.payload)?)
    }

    /// The server refuses each of these subjects to it.
    async fn may_not_publish(&self, subjects: &[&str]) -> Result<()> {
        let before = self.refused.load(Ordering::SeqCst);
        for subject in subjects {
            self.client
                .publish((*subject).to_owned(), "".into())
                .await?;
        }
        self.told(before + subjects.len(), subjects).await
    }

    async fn may_not_subscribe(&self, subjects: &[&str]) -> Result<()> {
        let before = self.refused.load(Ordering::SeqCst);
        for subject in subjects {
            self.client.subscribe((*subject).to_owned()).await?;
        }
        self.told(before + subjects.len(), subjects).await
    }

    async fn told(&self, times: usize, subjects: &[&str]) -> Result<()> {
        self.client.flush().await?;
        until(&format!("the server refuses {subjects:?}"), async || {
            let told = self.refused.load(Ordering::SeqCst);
            ensure!(told == times, "it refused {told} so far, of {times}");
            Ok(())
        })
        .await
    }

    /// Hears a subject, from a moment later on.
    async fn hear(&self, subject: &str) -> Result<Subscriber> {
        let subscriber = self.client.subscribe(subject.to_owned()).await?;
        self.client.flush().await?;
        Ok(subscriber)
    }
}

/// Publishes until something is heard, which must be `heard`: interest takes a moment to cross a link.
async fn crosses(from: &Client, subject: &str, heard: &str, at: &mut Subscriber) -> Result<()> {
    let first = until(&format!("{subject} is heard as {heard}"), async || {
        from.publish(subject.to_owned(), "".into()).await?;
        from.flush().await?;
        let next = tokio::time::timeout(Duration::from_millis(200), at.next());
        let message = next.await?.context("the end")?;
        Ok(message.subject.to_string())
    })
    .await?;
    ensure!(first == heard, "{first} came, not {heard}");
    // The other rounds.
    while let Ok(Some(message)) = tokio::time::timeout(Duration::from_millis(50), at.next()).await {
        ensure!(*message.subject == *heard, "{} came", message.subject);
    }
    Ok(())
}

#[tokio::test]
async fn each_may_do_what_the_options_say_and_no_more() -> Result<()> {
    let running = Running::start(|_| ())?;
    assert_eq!(running.servers.linked(LEAF).await?, HUB);
    let press = running.login("users/CIM/press.jwt").await?;
    let graph = running.servers.client(LEAF, "graph").await?;

    // A leaf: its flows, and nothing else. What comes later shows that the first did not come.
    let mut at_hub = press.hear(">").await?;
    graph.publish("secret.x", "".into()).await?;
    graph.publish("other.x", "".into()).await?;
    crosses(&graph, "metrics.x", "metrics.x", &mut at_hub).await?;
    let mut at_leaf = graph.subscribe("commands.x").await?;
    crosses(&press.client, "commands.x", "commands.x", &mut at_leaf).await?;
    let link_only = running.login(&format!("leaves/{LEAF}.jwt")).await;
    ensure!(link_only.is_err(), "a leaf's JWT lets a client in");

    // Users: with permissions of their own, and with their account's.
    press.may_not_subscribe(&["secret.x"]).await?;
    let alchemist = running.login("users/CIM/alchemist.jwt").await?;
    alchemist
        .may_not_publish(&["orders.list", "$JS.API.STREAM.NAMES"])
        .await?;
    alchemist.may_not_subscribe(&["commands.>"]).await?;

    // Another account: what it imports, by leave of the exporting one.
    let clerk = running.login("users/SHOP/clerk.jwt").await?;
    let mut imported = clerk.hear("plant.metrics.>").await?;
    let heard = "plant.metrics.hall.temperature";
    crosses(
        &alchemist.client,
        "metrics.hall.temperature",
        heard,
        &mut imported,
    )
    .await?;
    Ok(())
}

#[tokio::test]
async fn services_do_their_work_and_nothing_else() -> Result<()> {
    let running = Running::start(|_| ())?;
    let provision = running.login("services/hub-1/CIM/provision.jwt").await?;
    let stream = json!({"name": "T", "subjects": ["t.>"], "storage": "file", "num_replicas": 1});
    let made = provision.ask("$JS.API.STREAM.CREATE.T", stream).await?;
    ensure!(made["error"].is_null(), "{made}");
    let consumer =
        json!({"stream_name": "T", "config": {"durable_name": "c", "ack_policy": "explicit"}});
    let made = provision
        .ask("$JS.API.CONSUMER.CREATE.T.c", consumer)
        .await?;
    ensure!(made["error"].is_null(), "{made}");
    provision
        .may_not_publish(&["$JS.API.STREAM.DELETE.T", "$JS.API.STREAM.PURGE.T", "t.x"])
        .await?;
    provision.may_not_subscribe(&["t.>"]).await?;

    let backup = running.login("services/hub-1/CIM/backup.jwt").await?;
    let taken = snapshot(&backup, "T").await?;
    ensure!(taken > 0, "a snapshot without bytes");
    backup
        .may_not_publish(&[
            "$JS.API.STREAM.CREATE.V",
            "$JS.API.STREAM.DELETE.T",
            "$JS.API.STREAM.MSG.GET.T",
            "$JS.API.STREAM.RESTORE.U",
            "$JS.SNAPSHOT.RESTORE.U.x",
            "t.x",
        ])
        .await?;
    Ok(())
}

#[tokio::test]
async fn cim_health_hears_canaries_of_leaves_and_nothing_else() -> Result<()> {
    let running = Running::start(|_| ())?;
    assert_eq!(running.servers.linked(LEAF).await?, HUB);
    let health = running.login("services/hub-1/CIM/health.jwt").await?;
    let mut asks = health.hear("cim.canary.*.*").await?;
    let mut reports = health.hear("cim.health.*").await?;
    // Its counterpart beside the leaf has a key that the host made.
    let seed = running.servers.member(LEAF)?.dir().join("CIM.health.nk");
    let seed = std::fs::read_to_string(seed)?.trim().to_owned();
    let leaf = running
        .servers
        .connect(LEAF, ConnectOptions::with_nkey(seed));
    let leaf = leaf.await?;
    for asked in ["plain", "export:domain:graph:#"] {
        let subject = format!("cim.canary.{LEAF}.{asked}");
        crosses(&leaf, &subject, &subject, &mut asks).await?;
    }
    let report = format!("cim.health.{LEAF}");
    crosses(&leaf, &report, &report, &mut reports).await?;
    for answered in ["plain", "import:commands:#"] {
        let subject = format!("cim.canary.{LEAF}.back.{answered}");
        let mut back = leaf.subscribe(subject.clone()).await?;
        leaf.flush().await?;
        crosses(&health.client, &subject, &subject, &mut back).await?;
    }
    health
        .may_not_publish(&[
            "cim.canary.cim-prod-001.plain",
            "commands.x",
            "$JS.API.INFO",
        ])
        .await?;
    health.may_not_subscribe(&[">", "cim.>", "domain.>"]).await
}

/// Takes a stream out, piece by piece, each acknowledged; gives the bytes.
async fn snapshot(backup: &Login, stream: &str) -> Result<usize> {
    let inbox = backup.client.new_inbox();
    let mut pieces = backup.hear(&inbox).await?;
    let asked = json!({"deliver_subject": inbox, "chunk_size": 1024});
    let begun = backup
        .ask(&format!("$JS.API.STREAM.SNAPSHOT.{stream}"), asked)
        .await?;
    ensure!(begun["error"].is_null(), "{begun}");
    let mut bytes = 0;
    loop {
        let piece = tokio::time::timeout(Duration::from_secs(10), pieces.next()).await?;
        let piece = piece.context("the snapshot ended early")?;
        if piece.payload.is_empty() {
            return Ok(bytes);
        }
        bytes += piece.payload.len();
        if let Some(reply) = piece.reply {
            backup.client.publish(reply, "".into()).await?;
        }
    }
}

#[tokio::test]
async fn the_desk_pushes_an_account_and_the_flow_changes_on_the_running_link() -> Result<()> {
    let mut running = Running::start(|declared| {
        declared["leaves"][LEAF]["exports"] = json!(["domain.graph.>"]);
    })?;
    assert_eq!(running.servers.linked(LEAF).await?, HUB);
    let desk = running.login("desk.jwt").await?;
    desk.may_not_publish(&["$SYS.REQ.SERVER.PING.VARZ.x", "metrics.x", "$SYS.ACCOUNT.x"])
        .await?;
    let creds = running.identity.creds(&format!("leaves/{LEAF}.jwt"))?;
    let press = running.login("users/CIM/press.jwt").await?;
    let mut at_hub = press.hear(">").await?;
    let graph = running.servers.client(LEAF, "graph").await?;
    graph.publish("metrics.x", "".into()).await?;
    crosses(&graph, "domain.graph.x", "domain.graph.x", &mut at_hub).await?;

    running.declared["leaves"][LEAF]["exports"] = json!(["domain.graph.>", "metrics.>"]);
    running
        .identity
        .make(&fleet(&running.declared), now() + 1)?;
    running.identity.push(&running.servers, HUB, "CIM").await?;
    assert_eq!(
        running.identity.creds(&format!("leaves/{LEAF}.jwt"))?,
        creds
    );

    crosses(&graph, "metrics.x", "metrics.x", &mut at_hub).await
}
