//! Real servers with everything that is measured: a leaf with creds and its hub, both with streams, consumers and sources, and a
//! node of a cluster; and `cim-health daemon` beside each.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use async_nats::Client;
use cim_creds::{Claims, Creds, KeyPair, User};
use cim_spec::artefact::{Health, WatchedFile, WatchedFileKind};
use cim_testkit::{Fleet, Ports, golden, plan};
use serde_json::{Value, json};

/// The account with streams on both servers.
const ACCOUNT: &str = "CIM-PROD";

/// Server, the user who makes its streams, role, leaf.
const WATCHED: [(&str, Option<&str>, &str, &str); 3] = [
    ("cim-prod-001", Some("graph"), "leaf", "cim-prod-001"),
    ("hub", Some("alchemist"), "hub", ""),
    ("hub-1", None, "hub", ""),
];

/// Servers and daemons; daemons end first, the folder goes last.
pub struct Scene {
    daemons: Vec<Daemon>,
    _fleets: Vec<Fleet>,
    _folder: tempfile::TempDir,
}

/// `cim-health daemon`, ended when dropped.
struct Daemon {
    name: &'static str,
    role: &'static str,
    leaf: &'static str,
    address: String,
    child: Child,
}

impl Scene {
    /// Starts all of it.
    pub fn start(nats_server: &Path, cim_health: &Path) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("starting a runtime")?;
        let folder = tempfile::tempdir().context("creating a folder")?;
        let fleet = |name: &str, specs: Vec<Value>| -> Result<Fleet> {
            let plans = specs.iter().map(plan).collect::<Result<Vec<_>>>()?;
            Fleet::prepare(plans, &folder.path().join(name), nats_server, Ports::Free)
        };
        let (mut leaf, mut hub) = (golden("security-cim-prod-001")?, golden("security-hub")?);
        for (accounts, server) in [
            (&mut leaf["leaf"]["leaf"]["accounts"], "graph"),
            (&mut hub["hub"]["fleet"]["accounts"], "alchemist"),
        ] {
            let user = &mut accounts[ACCOUNT]["users"][server];
            ensure!(user.is_object(), "no user {server}");
            user["permissions"] = Value::Null;
        }
        for server in [
            &mut leaf["leaf"]["leaf"]["server"],
            &mut hub["hub"]["hub"]["server"],
        ] {
            server["limits"]["maxSubscriptions"] = json!(1000);
            server["jetstream"]["maxMemoryStore"] = json!("1MiB");
        }
        let mut pair = fleet("pair", vec![leaf, hub])?;
        pair.start_all()?;
        runtime.block_on(pair.linked("cim-prod-001"))?;
        let mut cluster = fleet(
            "cluster",
            vec![golden("hub-1")?, golden("hub-2")?, golden("hub-3")?],
        )?;
        for name in cluster.names() {
            cluster.start(&name)?;
        }
        let mut daemons = Vec::new();
        for (name, user, role, leaf) in WATCHED {
            let fleet = if user.is_some() { &pair } else { &cluster };
            let mut health = fleet.health(name)?;
            // A disk that others fill is no business of a test. What the throwaway certificates are told is: they end in a day.
            health.watch.levels.disk.warning = None;
            health.watch.levels.disk.critical = None;
            health.watch.interval = 200;
            health.watch.slow_interval = 1000;
            if let Some(user) = user {
                runtime.block_on(assets(&pair, name, user, &health))?;
            }
            // What a leaf's remote logs in with, and in operator mode a hub's own programs.
            if user.is_some() {
                let file = creds(folder.path())?;
                health.watch.files.push(WatchedFile {
                    kind: WatchedFileKind::Credentials,
                    file: file.to_string_lossy().into_owned(),
                });
            }
            let file = folder.path().join(format!("{name}.health.json"));
            fs::write(&file, serde_json::to_vec(&health)?)?;
            let mut command = Command::new(cim_health);
            command.arg("daemon").args(logins(fleet, name, &health)?);
            command.arg("--nats-server").arg(nats_server);
            daemons.push(Daemon::start(command, &file, (name, role, leaf))?);
        }
        Ok(Self {
            daemons,
            _fleets: vec![pair, cluster],
            _folder: folder,
        })
    }

    /// Labels and address of every page, as services.cim.monitoring gives them.
    pub fn targets(&self) -> Vec<Value> {
        let each = self.daemons.iter().map(|daemon| {
            json!({
                "targets": [daemon.address],
                "labels": {
                    "instance": daemon.name,
                    "role": daemon.role,
                    "hub": "hub",
                    "leaf": daemon.leaf,
                    "region": "here",
                },
            })
        });
        each.collect()
    }

    /// A query of a dashboard with its variables filled in as an operator does who looks at all of its servers.
    pub fn filled(&self, query: &str, dashboard: &str) -> String {
        let servers = self.daemons.iter();
        let servers = servers.filter(|daemon| daemon.role == dashboard);
        let servers: Vec<_> = servers.map(|daemon| daemon.name).collect();
        query
            .replace("$__rate_interval", "10s")
            .replace("$region", ".*")
            .replace("$server", &servers.join("|"))
    }
}

impl Daemon {
    /// With the rest of the command line.
    fn start(
        mut command: Command,
        file: &Path,
        (name, role, leaf): (&'static str, &'static str, &'static str),
    ) -> Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        command.args(["--listen", &address]).arg(file);
        let child = command.stderr(Stdio::null()).spawn();
        Ok(Self {
            name,
            role,
            leaf,
            address,
            child: child.context("starting cim-health")?,
        })
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended by itself; then its page was missed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The words with which cim-health logs in to its server.
fn logins(fleet: &Fleet, name: &str, health: &Health) -> Result<Vec<String>> {
    let member = fleet.member(name)?;
    let files = health.watch.accounts.iter().map(|account| {
        let file = member.dir().join(format!("{account}.health.nk"));
        format!("--login={account}={}", file.display())
    });
    let ca = member.plan().client.tls.is_some();
    let ca = ca.then(|| format!("--ca={}", fleet.ca_file().display()));
    let server = format!("--server={}", member.url());
    Ok(files.chain([server]).chain(ca).collect())
}

/// A `.creds` file that ends in two days.
fn creds(folder: &Path) -> Result<PathBuf> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    let now = i64::try_from(now.as_secs())?;
    let user = KeyPair::new_user();
    let claims = Claims::new(user.public_key(), User::default()).expiring(now + 2 * 24 * 3600);
    let token = claims.encode(&KeyPair::new_account(), now)?;
    let file = folder.join("leaf.creds");
    fs::write(&file, Creds::new(token, user)?.text()?.as_bytes())?;
    Ok(file)
}

/// A stream, a consumer of it and a copy of it, declared and made.
async fn assets(fleet: &Fleet, server: &str, user: &str, health: &Health) -> Result<()> {
    let client = fleet.client(server, user).await?;
    let jetstream = health.watch.jetstream.as_ref().context("JetStream")?;
    let folder = Path::new(&jetstream.assets).join(ACCOUNT);
    fs::create_dir_all(folder.join("streams"))?;
    fs::create_dir_all(folder.join("consumers/SEEN"))?;
    let streams = [
        json!({"name": "SEEN", "subjects": ["seen.>"]}),
        json!({"name": "COPY", "sources": [{"name": "SEEN"}]}),
    ];
    for stream in &streams {
        let name = stream["name"].as_str().unwrap_or_default();
        ask(&client, &format!("STREAM.CREATE.{name}"), stream).await?;
        fs::write(
            folder.join(format!("streams/{name}.json")),
            stream.to_string(),
        )?;
    }
    let consumer = json!({"durable_name": "reader", "ack_policy": "explicit"});
    let request = json!({"stream_name": "SEEN", "config": consumer});
    ask(&client, "CONSUMER.DURABLE.CREATE.SEEN.reader", &request).await?;
    fs::write(
        folder.join("consumers/SEEN/reader.json"),
        consumer.to_string(),
    )?;
    client.publish("seen.x", "x".into()).await?;
    client.flush().await.context("publishing")
}

async fn ask(client: &Client, subject: &str, body: &Value) -> Result<()> {
    let subject = format!("$JS.API.{subject}");
    let answer = client
        .request(subject.clone(), body.to_string().into())
        .await?;
    let answer: Value = serde_json::from_slice(&answer.payload)?;
    ensure!(answer["error"].is_null(), "{subject}: {answer}");
    Ok(())
}
