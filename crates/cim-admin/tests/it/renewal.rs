//! Each kind of thing that is rotated, on running servers under load: nobody restarts, and nothing that was acknowledged is lost.
//!
//! `cargo test -p cim-admin renewal -- --nocapture` prints the table of `docs/rotation.md`.

use std::fs;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use async_nats::Client;
use async_nats::jetstream::{self, stream};
use cim_creds::{Claims, Creds, KeyKind, User, key};
use cim_testkit::until;
use futures_util::StreamExt;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::hosts::{Hosts, LEAF, NODES};
use crate::server::now;
use crate::traffic::{AGAIN, Beat, Publisher, by_file, has_all, ticks};

/// For how long a busy machine may let them stand still, whoever is cut off; that nobody is, is counted.
const STALL: Duration = Duration::from_secs(2);

/// The leaf writes each message through to the disk: with others' builds on it, 1.4 s were seen while nothing was done.
const DISK: Duration = Duration::from_secs(5);

/// What a rotation may interrupt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    Nobody,
    Client,
    Link,
}

impl Cut {
    /// How long the hub's acknowledgements, the leaf's, and the link may be away.
    fn bounds(self, reconnect: Duration) -> [Duration; 3] {
        match self {
            Cut::Nobody => [STALL, DISK, STALL],
            // It dials again at once; an answer that it lost it waits for in vain.
            Cut::Client => [AGAIN + STALL, DISK, STALL],
            // The leaf's own clients go on.
            Cut::Link => [STALL, DISK, reconnect + STALL],
        }
    }
}

/// Hosts under load.
struct Load {
    hosts: Arc<Mutex<Hosts>>,
    /// Publishes into ORDERS at the hub, by a role that others share.
    orders: (Client, Publisher),
    /// Publishes into OUT on the leaf, which the hub copies into COPY.
    out: Publisher,
    /// From the leaf to somebody at the hub.
    link: Beat,
    watcher: Client,
    leaf: Client,
}

impl Load {
    async fn start() -> Result<Self> {
        let hosts = spawn_blocking(Hosts::start).await??;
        hosts.servers.linked(LEAF).await?;
        let smith = by_file(hosts.hand_over("smith")?);
        let smith = hosts.servers.connect(NODES[0], smith).await?;
        let watcher = by_file(hosts.hand_over("alchemist")?);
        let watcher = hosts.servers.connect(NODES[0], watcher).await?;
        let leaf = hosts.servers.client(LEAF, "graph").await?;
        let copied = stream::Source {
            name: "OUT".to_owned(),
            external: Some(stream::External {
                api_prefix: format!("$JS.{LEAF}.API"),
                delivery_prefix: Some(format!("$CIM.toHub.{LEAF}")),
            }),
            ..stream::Source::default()
        };
        made(&smith, "ORDERS", "orders", None).await?;
        made(&leaf, "OUT", "out", None).await?;
        made(&smith, "COPY", "", Some(copied)).await?;
        Ok(Self {
            orders: (smith.clone(), Publisher::start(smith, "orders")),
            out: Publisher::start(leaf.clone(), "out"),
            link: ticks(leaf.clone(), &watcher).await?,
            watcher,
            leaf,
            hosts: Arc::new(Mutex::new(hosts)),
        })
    }

    fn hosts(&self) -> MutexGuard<'_, Hosts> {
        self.hosts.lock().unwrap()
    }

    /// Logins of the client that publishes, and links that the leaf has made.
    fn made(&self) -> Result<(u64, usize)> {
        let logins = self.orders.0.statistics().connects.load(Ordering::Relaxed);
        let log = fs::read_to_string(self.hosts().servers.server(LEAF)?.log())?;
        Ok((logins, log.matches("Leafnode connection created").count()))
    }

    async fn flows(&self) -> Result<()> {
        self.orders
            .1
            .acks
            .more("acknowledged by the hub", 20)
            .await?;
        self.out.acks.more("acknowledged by the leaf", 20).await?;
        self.link.more("over the link", 20).await
    }

    /// Does one step and says how long each waited; only who is named is cut off, and once.
    async fn step(
        &mut self,
        what: &str,
        cut: Cut,
        doing: impl FnOnce(&mut Hosts) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        self.flows()
            .await
            .with_context(|| format!("before {what}"))?;
        let (logins, links) = self.made()?;
        for beat in [&self.orders.1.acks, &self.out.acks, &self.link] {
            beat.gap();
        }
        let hosts = Arc::clone(&self.hosts);
        let done = spawn_blocking(move || doing(&mut hosts.lock().unwrap())).await?;
        done.with_context(|| what.to_owned())?;
        let expected = (
            logins + u64::from(cut == Cut::Client),
            links + usize::from(cut == Cut::Link),
        );
        until(&format!("{what}: who is cut off comes back"), async || {
            let found = self.made()?;
            ensure!(found == expected, "{found:?}, not {expected:?}");
            Ok(())
        })
        .await?;
        self.flows()
            .await
            .with_context(|| format!("after {what}"))?;
        let gaps = [&self.orders.1.acks, &self.out.acks, &self.link].map(Beat::gap);
        let [hub, leaf, link] = gaps.map(|gap| gap.as_millis());
        println!("| {what} | {cut:?} | {hub} | {leaf} | {link} |");
        let bounds = cut.bounds(self.hosts().reconnect()?);
        let within = gaps.iter().zip(&bounds).all(|(gap, bound)| gap < bound);
        ensure!(within, "{what}: {gaps:?}, not {bounds:?}");
        ensure!(self.made()? == expected, "{what}: somebody was cut off");
        Ok(())
    }
}

async fn made(
    client: &Client,
    name: &str,
    subject: &str,
    source: Option<stream::Source>,
) -> Result<()> {
    let subjects = [subject].into_iter().filter(|subject| !subject.is_empty());
    let config = stream::Config {
        name: name.to_owned(),
        subjects: subjects.map(str::to_owned).collect(),
        num_replicas: if name == "OUT" { 1 } else { NODES.len() },
        sources: source.map(|source| vec![source]),
        ..stream::Config::default()
    };
    // A cluster that was just started has no leader yet.
    until(&format!("{name} is made"), async || {
        let context = jetstream::new(client.clone());
        context.create_stream(config.clone()).await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn each_kind_under_load() -> Result<()> {
    let mut load = Load::start().await?;
    let pids = load.hosts().pids()?;
    println!(
        "| what | cut off | hub's acks, ms | leaf's acks, ms | link, ms |\n|---|---|---|---|---|"
    );
    load.step("nothing", Cut::Nobody, |_| Ok(())).await?;
    certificates(&mut load).await?;
    creds(&mut load).await?;
    accounts(&mut load).await?;

    ensure!(pids == load.hosts().pids()?, "a server was started again");
    let (smith, orders) = load.orders;
    let (orders, out) = (orders.end().await?, load.out.end().await?);
    let kept = jetstream::new(smith);
    has_all(kept.get_stream("ORDERS").await?, "ORDERS", orders).await?;
    has_all(kept.get_stream("COPY").await?, "COPY", out).await
}

async fn certificates(load: &mut Load) -> Result<()> {
    let before = loaded(&load.hosts())?;
    let server = ["server-certificate", "cim-hub-1"];
    load.step("server certificate", Cut::Nobody, move |hosts| {
        hosts.rotate(&server)?;
        hosts.deploy("hub-1")
    })
    .await?;
    ensure!(before != loaded(&load.hosts())?, "hub-1 has its old one");
    let leaf = ["leaf-certificate", "cim-plant-a"];
    load.step("leaf certificate", Cut::Nobody, move |hosts| {
        hosts.rotate(&leaf)?;
        hosts.deploy(LEAF)
    })
    .await?;
    // Whatever is dialled from here on shows that both ends have what comes from the new root.
    let steps: [(&str, &[&str]); 3] = [
        ("root CA, the new one beside", &["ca-root"]),
        ("issuing CA, and every certificate", &["ca"]),
        (
            "root CA, the old one's end",
            &["ca-root", "--finish", "--yes"],
        ),
    ];
    for (what, args) in steps {
        load.step(what, Cut::Nobody, move |hosts| {
            hosts.rotate(args)?;
            NODES.iter().try_for_each(|node| hosts.deploy(node))?;
            hosts.deploy(LEAF)
        })
        .await?;
    }
    Ok(())
}

/// When the certificate ends that the first node shows.
fn loaded(hosts: &Hosts) -> Result<serde_json::Value> {
    let varz: serde_json::Value = hosts.servers.server(NODES[0])?.get("/varz")?;
    Ok(varz["tls_cert_not_after"].clone())
}

async fn creds(load: &mut Load) -> Result<()> {
    let what = ["leaf", LEAF];
    load.step("leaf's creds, the new key", Cut::Nobody, move |hosts| {
        hosts.rotate(&what)?;
        hosts.push()?;
        hosts.place(LEAF)
    })
    .await?;
    load.step("leaf's creds, the old key's end", Cut::Link, move |hosts| {
        hosts.rotate(&[&what[..], &["--finish", "--yes"]].concat())?;
        let soon = short(hosts)?;
        hosts.put(LEAF, "leaf.creds", &soon)?;
        hosts.push()
    })
    .await?;
    load.step("leaf's creds, ended and renewed", Cut::Link, move |hosts| {
        let renewed = hosts.entry(LEAF, "creds")?;
        hosts.put(LEAF, "leaf.creds", &renewed)
    })
    .await?;
    let mut said = String::new();
    for node in NODES {
        said.push_str(&fs::read_to_string(
            load.hosts().servers.server(node)?.log(),
        )?);
    }
    ensure!(
        said.contains("User Authentication Expired"),
        "not by its end"
    );
    Ok(())
}

/// The leaf's creds as they are sealed, but soon to end.
fn short(hosts: &Hosts) -> Result<String> {
    let whole = Creds::parse(hosts.entry(LEAF, "creds")?.as_bytes())?;
    let role = hosts
        .desk
        .entry("operator.yaml", "account.CIM.leaf.plant-a.nk")?;
    let role = key::key_pair(&role, KeyKind::Account)?;
    let now = now().unix_timestamp();
    let account = &whole.token().claims.nats.issuer_account;
    let claims = Claims::new(whole.key().public_key(), User::scoped(account.clone()));
    let jwt = claims.named(LEAF).expiring(now + 12).encode(&role, now)?;
    let seed = key::seed(whole.key())?;
    let again = key::key_pair(&seed, KeyKind::User)?;
    Ok(Creds::new(jwt, again)?.text()?.to_string())
}

async fn accounts(load: &mut Load) -> Result<()> {
    let sealed = |hosts: &Hosts| -> Result<_> {
        let creds = hosts.servers.member(LEAF)?.dir().join("leaf.creds");
        Ok((hosts.desk.read("secrets/plant-a.yaml")?, fs::read(creds)?))
    };
    let before = sealed(&load.hosts())?;
    load.step("account JWT: a leaf's flow", Cut::Link, move |hosts| {
        hosts.desk.plan["fleet"]["leaves"][LEAF]["exports"] =
            serde_json::json!(["ticks.>", "extra.>"]);
        hosts.desk.make(&[])?;
        hosts.push()
    })
    .await?;
    ensure!(before == sealed(&load.hosts())?, "the leaf's creds changed");
    let mut extra = load.watcher.subscribe("extra.x").await?;
    until("the new flow crosses", async || {
        load.leaf.publish("extra.x", "".into()).await?;
        let heard = timeout(Duration::from_millis(100), extra.next()).await?;
        heard.map(drop).context("the end")
    })
    .await?;
    load.step(
        "account JWT: everybody deployed after it",
        Cut::Nobody,
        move |hosts| {
            NODES.iter().try_for_each(|node| hosts.deploy(node))?;
            hosts.deploy(LEAF)
        },
    )
    .await?;
    for (role, cut) in [("default", Cut::Client), ("leaf/plant-a", Cut::Link)] {
        let what = ["account-signing", "CIM", role];
        let new = format!("signing key of {role}, the new one");
        load.step(&new, Cut::Nobody, move |hosts| {
            hosts.rotate(&what)?;
            hosts.push()?;
            hosts.hand_over("smith")?;
            hosts.place(LEAF)
        })
        .await?;
        let end = format!("signing key of {role}, the old one's end");
        load.step(&end, cut, move |hosts| {
            hosts.rotate(&[&what[..], &["--finish", "--yes"]].concat())?;
            hosts.push()
        })
        .await?;
    }
    Ok(())
}
