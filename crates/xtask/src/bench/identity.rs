//! What an identity costs: thousands of users made in one run, and thousands of accounts brought to a running hub.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use cim_check::Server;
use serde_json::{Map, Value, json};

use super::Bench;
use crate::process;

/// How many users one account has, and how many accounts one hub.
const MANY: usize = 10_000;

/// How many of them are pushed one after the other, as tools do that wait for each.
const ONE_BY_ONE: usize = 500;

/// A folder with an identity.
struct Desk<'a> {
    folder: PathBuf,
    cim_admin: &'a Path,
}

impl Bench<'_> {
    /// Makes identities and pushes one.
    pub fn identity(&self, cim_admin: &Path) -> Result<()> {
        println!("\ncim-admin, {MANY} of each");
        let users = Desk::new(self.folder.join("users"), cim_admin)?;
        let seconds = users.make(json!({ "SYS": account(0), "APP": account(MANY) }))?;
        say("identity make: users with creds, sealed", MANY, seconds);
        let seconds = users.make(json!({ "SYS": account(0), "APP": account(MANY) }))?;
        say("identity make again, which changes nothing", MANY, seconds);

        let desk = Desk::new(self.folder.join("accounts"), cim_admin)?;
        let mut accounts: Map<String, Value> = (0..MANY)
            .map(|index| (format!("APP-{index}"), account(1)))
            .collect();
        accounts.insert("SYS".to_owned(), account(0));
        let seconds = desk.make(Value::Object(accounts))?;
        say("identity make: accounts with one user each", MANY, seconds);
        let server = desk.hub(&self.tools.nats_server.path)?;
        let few: Vec<String> = (0..ONE_BY_ONE)
            .map(|index| format!("APP-{index}"))
            .collect();
        let mut one_by_one = vec!["push", "--yes", "--at-once", "1"];
        few.iter()
            .for_each(|name| one_by_one.extend(["--account", name]));
        let slow = desk.accounts(&server, &one_by_one)?;
        say("accounts push: one after the other", ONE_BY_ONE, slow);
        let fast = desk.accounts(&server, &["push", "--yes"])?;
        say(
            "accounts push: what differs, 256 under way",
            MANY - ONE_BY_ONE,
            fast,
        );
        let seconds = desk.accounts(&server, &["diff"])?;
        say("accounts diff, which finds nothing", MANY, seconds);
        let trip = round_trips(&server)?;
        say(
            "nats-server's own: a bare request, one after the other",
            ROUND_TRIPS,
            trip,
        );
        #[allow(clippy::cast_precision_loss)]
        let each = |count: usize, seconds: f64| seconds / count as f64;
        println!(
            "an account pushed costs {:.2} times a bare request's round trip; one after the other, {:.2} times",
            each(MANY - ONE_BY_ONE, fast) / each(ROUND_TRIPS, trip),
            each(ONE_BY_ONE, slow) / each(ROUND_TRIPS, trip),
        );
        server.stop()?;
        Ok(())
    }
}

/// Requests whose answers are waited for.
const ROUND_TRIPS: usize = 5_000;

/// Seconds that requests to an echo take, one after the other.
fn round_trips(server: &Server) -> Result<f64> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime
        .context("starting to wait for a network")?
        .block_on(async {
            use futures_util::StreamExt;
            let url = server.url();
            let folder = server.log().parent().context("a folder")?;
            let creds = fs::read_to_string(folder.join("user.creds")).context("reading creds")?;
            let connect = || async_nats::ConnectOptions::with_credentials(&creds);
            let answering = connect()?.connect(url).await?;
            let mut requests = answering.subscribe("echo").await?;
            answering.flush().await?;
            let answers = tokio::spawn(async move {
                while let Some(request) = requests.next().await {
                    if let Some(reply) = request.reply {
                        let _ = answering.publish(reply, request.payload).await;
                    }
                }
            });
            let asking = connect()?.connect(url).await?;
            let start = Instant::now();
            for _ in 0..ROUND_TRIPS {
                asking.request("echo", "".into()).await?;
            }
            answers.abort();
            Ok(start.elapsed().as_secs_f64())
        })
}

fn say(what: &str, count: usize, seconds: f64) {
    #[allow(clippy::cast_precision_loss)]
    let rate = count as f64 / seconds;
    println!("{what:<55} {count:>6} in {seconds:>7.2} s   {rate:>9.0} a second");
}

impl<'a> Desk<'a> {
    fn new(folder: PathBuf, cim_admin: &'a Path) -> Result<Self> {
        if folder.exists() {
            fs::remove_dir_all(&folder).context("removing what the last run made")?;
        }
        fs::create_dir_all(&folder)?;
        Ok(Self { folder, cim_admin })
    }

    fn run(&self, args: &[&str]) -> Result<f64> {
        let mut command = Command::new(self.cim_admin);
        command
            .current_dir(&self.folder)
            .args(args)
            .args(["--keys", "keys.txt"]);
        let start = Instant::now();
        process::output(&mut command)?;
        Ok(start.elapsed().as_secs_f64())
    }

    /// Seconds of one run for these accounts.
    fn make(&self, accounts: Value) -> Result<f64> {
        let plan = json!({ "fleet": fleet(accounts), "hosts": {} });
        fs::write(self.folder.join("plan.json"), serde_json::to_vec(&plan)?)?;
        self.run(&[
            "identity",
            "make",
            "--plan",
            "plan.json",
            "--new-keys",
            "--json",
        ])
    }

    /// Seconds of one `accounts` command.
    fn accounts(&self, server: &Server, args: &[&str]) -> Result<f64> {
        self.run(&[&["accounts"], args, &["--server", server.url()]].concat())
    }

    /// A hub with an empty resolver that trusts this identity.
    fn hub(&self, binary: &Path) -> Result<Server> {
        let folder = self.folder.join("hub");
        fs::create_dir_all(&folder)?;
        let read = |place: &str| {
            let text = fs::read_to_string(self.folder.join("identity").join(place));
            text.map(|text| text.trim().to_owned())
                .with_context(|| place.to_owned())
        };
        let (operator, system) = (read("operator.jwt")?, read("accounts/SYS.jwt")?);
        let keys: Value = serde_json::from_str(&read("keys.json")?)?;
        let key = keys["accounts"]["SYS"]["nkey"].as_str().context("a key")?;
        let dir = folder.display();
        let conf = format!(
            "listen: \"127.0.0.1:-1\"\nserver_name: hub\nports_file_dir: \"{dir}\"\noperator: \"{operator}\"\n\
             system_account: \"{key}\"\nresolver: {{ type: full, dir: \"{dir}/jwt\" }}\n\
             resolver_preload: {{ {key}: \"{system}\" }}\n"
        );
        fs::write(folder.join("nats.conf"), conf)?;
        let user = "users/APP-0/user-0.creds";
        self.run(&["secrets", "decrypt", user, "--to", "hub/user.creds"])?;
        let server = Server::start(binary, &folder.join("nats.conf"))?;
        ensure!(!server.url().is_empty(), "the hub listens nowhere");
        Ok(server)
    }
}

fn account(users: usize) -> Value {
    let user = json!({
        "nkey": null, "passwordHash": null, "certificate": null, "permissions": null, "fields": {},
    });
    let users: Map<String, Value> = (0..users)
        .map(|index| (format!("user-{index}"), user.clone()))
        .collect();
    json!({
        "users": users, "jwt": null, "exports": [], "imports": [], "mappings": {},
        "jetstream": { "enable": false, "maxMemory": null, "maxFile": null },
        "defaultPermissions": null, "fields": {},
    })
}

/// As `modules/spec.nix` writes it.
fn fleet(accounts: Value) -> Value {
    json!({
        "systemAccount": "SYS", "accounts": accounts, "authCallout": null, "leaves": {}, "gateways": {},
        "operator": { "jwt": null, "resolver": {
            "type": "full", "allowDelete": false, "limit": null, "ttl": null, "interval": null, "timeout": null,
        } },
        "hubs": { "hub": {
            "domain": "hub",
            "nodes": { "hub-1": {
                "address": "127.0.0.1", "port": 4222, "leafnodesPort": 7422, "clusterPort": 6222,
                "websocketPort": null, "gatewayPort": null,
            } },
            "leafnodes": {
                "plaintext": false, "verify": false, "verifyAndMap": false, "isolateInterest": null,
            },
        } },
        "lifetimes": { "server": "720h", "leaf": "365d", "device": "168h", "user": "365d" },
        "expiryHorizon": "14d", "acknowledged": {},
    })
}
