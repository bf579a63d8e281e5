//! An identity that was made at the desk on running hosts: a hub and a leaf with their real configs, and what a deployment does there.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use cim_admin::sops::Plain;
use cim_node::log::Log;
use cim_node::reload::Reload;
use cim_testkit::{Ports, golden, nats_server, plan};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fleet::Fleet;

pub const LEAF: &str = "plant-a";
pub const NODES: [&str; 3] = ["hub-1", "hub-2", "hub-3"];

/// The desk, and the hosts that have what it made. The folder goes after the servers.
pub struct Hosts {
    pub desk: Fleet,
    pub servers: cim_testkit::Fleet,
    pub dir: TempDir,
}

impl Hosts {
    /// Makes the identity of three nodes and a leaf, and starts them on it, with TLS on every listener that others dial.
    pub fn start() -> Result<Self> {
        let mut desk = Fleet::new()?;
        declare(&mut desk)?;
        desk.make(&["--new-keys"])?;
        let names = NODES.into_iter().chain([LEAF]);
        let plans = names.map(|name| plan(&spec(&desk, name)?));
        let plans = plans.collect::<Result<Vec<_>>>()?;
        let dir = tempfile::tempdir().context("creating a folder")?;
        let servers = cim_testkit::Fleet::prepare(plans, dir.path(), &nats_server()?, Ports::Free)?;
        let mut hosts = Self { desk, servers, dir };
        for name in NODES.into_iter().chain([LEAF]) {
            hosts.place(name)?;
        }
        hosts.servers.start_all()?;
        Ok(hosts)
    }

    /// Puts a host's files where its server reads them, as sops-nix and `/etc` do; the server is not told.
    pub fn place(&self, host: &str) -> Result<()> {
        let chain = self
            .desk
            .read(&format!("identity/certificates/cim-{host}.pem"))?;
        self.put(host, "cert.pem", &chain)?;
        self.put(host, "key.pem", &self.entry(host, "key")?)?;
        self.put(host, "ca.pem", &self.desk.read("identity/ca.pem")?)?;
        if host == LEAF {
            self.put(host, "leaf.creds", &self.entry(host, "creds")?)?;
        }
        Ok(())
    }

    /// A whole deployment: config and files, then the reload that the unit does, which proves itself.
    pub fn deploy(&mut self, host: &str) -> Result<()> {
        self.servers
            .rewrite(host, plan(&spec(&self.desk, host)?)?)?;
        self.place(host)?;
        let server = self.servers.server(host)?;
        let reload = Reload {
            health: &self.servers.health(host)?,
            pid: i32::try_from(server.pid())?,
            nats_server: &nats_server()?,
            log: Log::file(server.log().to_owned())?,
        };
        reload.run().with_context(|| format!("deploying {host}"))
    }

    /// A file of a server, whole at every moment.
    pub fn put(&self, host: &str, name: &str, text: &str) -> Result<()> {
        let dir = self.servers.member(host)?.dir();
        fs::write(dir.join("new"), text)?;
        Ok(fs::rename(dir.join("new"), dir.join(name))?)
    }

    /// A host's secret, without the unit's name.
    pub fn entry(&self, host: &str, entry: &str) -> Result<String> {
        self.desk
            .entry(&format!("{host}.yaml"), &format!("cim-{host}.{entry}"))
    }

    /// Hands over somebody's creds; gives the file that has them.
    pub fn hand_over(&self, user: &str) -> Result<PathBuf> {
        let sealed = format!("users/CIM/{user}.creds");
        let Plain::Bytes(bytes) = self.desk.opened(&sealed)? else {
            anyhow::bail!("{sealed} has names");
        };
        let file = self.dir.path().join(format!("{user}.creds"));
        fs::write(file.with_extension("new"), &bytes[..])?;
        fs::rename(file.with_extension("new"), &file)?;
        Ok(file)
    }

    /// Runs `cim-admin rotate`.
    pub fn rotate(&self, what: &[&str]) -> Result<()> {
        let folders = ["--plan", "plan.json", "--keys", "keys.txt"];
        self.does(&[&["rotate"], what, &folders].concat())
    }

    /// Runs `cim-admin accounts push`, which every node must take.
    pub fn push(&self) -> Result<()> {
        let url = self.servers.member(NODES[0])?.url();
        let keys = ["--server", &url, "--keys", "keys.txt", "--yes"];
        let nodes = NODES.iter().flat_map(|node| ["--node", *node]);
        let nodes: Vec<&str> = nodes.collect();
        self.does(&[&["accounts", "push"], &keys[..], &nodes].concat())
    }

    fn does(&self, args: &[&str]) -> Result<()> {
        let output = self.desk.run(args)?;
        ensure!(output.status.success(), "{args:?}: {output:?}");
        Ok(())
    }

    /// How long the leaf waits before it dials again.
    pub fn reconnect(&self) -> Result<Duration> {
        let link = self.servers.member(LEAF)?.plan().link.as_ref();
        let reconnect = link.context("a leaf has links")?.reconnect;
        Ok(Duration::from_millis(reconnect.as_millis()))
    }

    /// Process ids, by server.
    pub fn pids(&self) -> Result<BTreeMap<String, u32>> {
        let names = self.servers.names().into_iter();
        names
            .map(|name| {
                let pid = self.servers.server(&name)?.pid();
                Ok((name, pid))
            })
            .collect()
    }
}

/// The fleet at the desk: three nodes that one reaches on loopback, a leaf whose stream OUT is copied to the hub.
fn declare(desk: &mut Fleet) -> Result<()> {
    for node in NODES {
        let address = format!("{node}.example.com");
        desk.plan["fleet"]["hubs"]["hub"]["nodes"][node] = json!({
            "address": address, "port": 4222, "leafnodesPort": 7422, "clusterPort": 6222,
            "websocketPort": null, "gatewayPort": null,
        });
        let certificate = json!({
            "kind": "certificateKey", "certificate": format!("certificates/cim-{node}.pem"), "usage": "server",
            "commonName": node, "names": [address, "127.0.0.1"],
        });
        desk.host(node, json!({ format!("cim-{node}.key"): certificate }))?;
    }
    let fleet = &mut desk.plan["fleet"];
    fleet["hubs"]["hub"]["leafnodes"]["verify"] = true.into();
    let everything = json!({ "allow": [">"], "deny": [] });
    fleet["accounts"]["CIM"]["users"]["alchemist"]["permissions"] =
        json!({ "publish": everything, "subscribe": everything, "allowResponses": null });
    let leaves = fleet["leaves"].as_object_mut().context("leaves")?;
    leaves.remove("plant-b");
    let leaf = &mut leaves[LEAF];
    leaf["domain"] = LEAF.into();
    leaf["exports"] = json!(["ticks.>"]);
    leaf["streams"]["toHub"] = json!(["OUT"]);
    Ok(())
}

/// What the modules write of the fleet, with what is committed now.
fn spec(desk: &Fleet, host: &str) -> Result<Value> {
    let fleet = &desk.plan["fleet"];
    if host == LEAF {
        let mut spec = golden("cim-prod-001")?;
        let instance = &mut spec["leaf"];
        instance["name"] = LEAF.into();
        instance["fleet"]["operator"] = true.into();
        instance["fleet"]["hubs"] = fleet["hubs"].clone();
        instance["fleet"]["leaf"] = fleet["leaves"][LEAF].clone();
        let leaf = &mut instance["leaf"];
        leaf["nkeySeedFile"] = Value::Null;
        leaf["remotes"]["hub"]["credentialsFile"] = "/run/secrets/cim-plant-a.creds".into();
        leaf["accounts"]["CIM"]["users"]["graph"]["permissions"] = Value::Null;
        return Ok(spec);
    }
    let mut spec = golden("hub-operator")?;
    let keys: Value = serde_json::from_str(&desk.read("identity/keys.json")?)?;
    let mut fleet = fleet.clone();
    fleet["lifetimes"] = Value::Null;
    fleet["expiryHorizon"] = Value::Null;
    fleet["operator"]["jwt"] = desk.read("identity/operator.jwt")?.trim().into();
    for (name, account) in fleet["accounts"].as_object_mut().context("accounts")? {
        let jwt = desk.read(&format!("identity/accounts/{name}.jwt"))?;
        account["jwt"] = jwt.trim().into();
        account["fields"]["nkey"] = keys["accounts"][name]["nkey"].clone();
    }
    let hub = &mut spec["hub"];
    hub["fleet"] = fleet;
    hub["node"] = host.into();
    hub["hub"]["server"]["logging"]["debug"] = true.into();
    Ok(spec)
}
