//! Real servers with everything that is measured: a leaf with creds and its hub, both with streams, consumers, sources and a backup
//! that was restored for proof, and a node of a cluster in operator mode; and `cim-health daemon` beside each.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use async_nats::Client;
use cim_creds::{Account, Claims, Creds, KeyPair, User, decode};
use cim_render::places::Listener;
use cim_spec::artefact::{Health, WatchedFile, WatchedFileKind};
use cim_testkit::{Fleet, Held, Identity, Ports, golden, in_operator_mode, key, plan};
use nkeys::KeyPairType;
use serde_json::{Value, json};

use crate::process;

/// The account with streams on both servers.
const ACCOUNT: &str = "CIM-PROD";

/// Server, the user who makes its streams, role, leaf.
const WATCHED: [(&str, Option<&str>, &str, &str); 3] = [
    ("cim-prod-001", Some("graph"), "leaf", "cim-prod-001"),
    ("hub", Some("alchemist"), "hub", ""),
    ("hub-1", None, "hub", ""),
];

/// What runs.
pub struct Programs {
    pub nats_server: PathBuf,
    pub cim_health: PathBuf,
    pub cim_backup: PathBuf,
}

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
    _port: Held,
    child: Child,
}

/// Where somebody may listen, and what keeps others from there: a port that the system gives out may be somebody's
/// connection by then.
pub fn listener() -> Result<(String, Held)> {
    let (ports, held) = Ports::Free.choose(1)?;
    let port = ports[0].get(&Listener::Monitor).context("a port")?;
    Ok((format!("127.0.0.1:{port}"), held))
}

impl Scene {
    /// Starts all of it.
    pub fn start(programs: &Programs) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("starting a runtime")?;
        let folder = tempfile::tempdir().context("creating a folder")?;
        let fleet = |name: &str, specs: Vec<Value>| -> Result<Fleet> {
            let plans = specs.iter().map(plan).collect::<Result<Vec<_>>>()?;
            let nats_server = &programs.nats_server;
            Fleet::prepare(plans, &folder.path().join(name), nats_server, Ports::Free)
        };
        let mut pair = fleet("pair", declared()?)?;
        pair.start_all()?;
        runtime.block_on(pair.linked("cim-prod-001"))?;
        let (nodes, identity) = cluster()?;
        let mut cluster = fleet("cluster", nodes)?;
        identity.hand_out(&cluster)?;
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
                for backup in &mut health.watch.backups {
                    let status = backed_up(&pair, name, programs)?;
                    backup.status = status.to_string_lossy().into_owned();
                }
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
            let mut command = Command::new(&programs.cim_health);
            command.arg("daemon").args(fleet.health_logins(name)?);
            command.arg("--nats-server").arg(&programs.nats_server);
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
        let (address, port) = listener()?;
        command.args(["--listen", &address]).arg(file);
        let child = command.stderr(Stdio::null()).spawn();
        Ok(Self {
            name,
            role,
            leaf,
            address,
            _port: port,
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

/// The nodes of a hub in operator mode, one of whose accounts has a JWT that ends in ten days, made elsewhere.
fn cluster() -> Result<(Vec<Value>, Identity)> {
    let mut nodes = vec![golden("hub-1")?, golden("hub-2")?, golden("hub-3")?];
    let identity = in_operator_mode(&mut nodes)?;
    let now = now()?;
    for node in &mut nodes {
        let jwt = &mut node["hub"]["fleet"]["accounts"]["CIM"]["jwt"];
        let claims = decode::<Account>(jwt.as_str().context("a JWT")?)?.claims;
        let signer = key(KeyPairType::Operator, "operator.signing");
        let ending = claims.expiring(now + 10 * 24 * 3600);
        *jwt = json!(ending.encode(&signer, now)?);
    }
    Ok((nodes, identity))
}

fn now() -> Result<i64> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    Ok(i64::try_from(now.as_secs())?)
}

/// The leaf and its hub: their users may do everything, limits are there to be measured against, and backups are asked for.
fn declared() -> Result<Vec<Value>> {
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
        server["backup"] = json!({"enable": true, "accounts": [ACCOUNT], "drill": true});
    }
    Ok(vec![leaf, hub])
}

/// Takes a backup of what a server's account holds and restores it for proof, as its unit does; gives the file that tells of both.
fn backed_up(fleet: &Fleet, name: &str, programs: &Programs) -> Result<PathBuf> {
    let member = fleet.member(name)?;
    let own = |file: &str| member.dir().join(file);
    let status = own("backups.json");
    let tool = |task: &str| {
        let mut command = Command::new(&programs.cim_backup);
        command.arg(task).arg(own("backups"));
        command.arg("--status").arg(&status);
        command
    };
    let mut create = tool("create");
    create.arg("--server").arg(member.url());
    let key = own(&format!("{ACCOUNT}.backup.nk"));
    create.arg("--nkey-seed").arg(key);
    create.arg("--ca").arg(fleet.ca_file());
    create.arg("--certificate").arg(own("cert.pem"));
    process::quiet(create.arg("--key").arg(own("key.pem")))?;
    let mut drill = tool("drill");
    drill.arg("--nats-server").arg(&programs.nats_server);
    process::quiet(drill.arg("--temp").arg(member.dir()))?;
    Ok(status)
}

/// A `.creds` file that ends in two days.
fn creds(folder: &Path) -> Result<PathBuf> {
    let now = now()?;
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
