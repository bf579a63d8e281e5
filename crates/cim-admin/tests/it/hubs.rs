//! Real hubs in operator mode that trust a committed identity.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use async_nats::{Client, ConnectOptions};
use cim_check::Server;
use cim_creds::{Operator, decode};
use cim_render::places::Listener;
use cim_testkit::{Ports, nats_server};
use tempfile::TempDir;

/// Running nodes, and the folder that goes after them.
pub struct Nodes {
    pub servers: Vec<Option<Server>>,
    dir: TempDir,
    pub leaf_ports: Vec<u16>,
    _held: cim_testkit::Held,
}

impl Nodes {
    /// Starts nodes on a committed identity, with an empty resolver each, but for the system account.
    pub fn start_on(identity: &Path, count: usize) -> Result<Self> {
        let (ports, held) = Ports::Free.choose(count)?;
        let port = |listener| ports.iter().map(move |ports| ports[&listener]);
        let mut nodes = Nodes {
            servers: Vec::new(),
            dir: tempfile::tempdir()?,
            leaf_ports: port(Listener::Leafnodes).collect(),
            _held: held,
        };
        let routes: Vec<u16> = port(Listener::Cluster).collect();
        for index in 0..count {
            let folder = nodes.folder(index);
            let full = format!(
                "resolver: {{ type: full, dir: \"{}/jwt\", allow_delete: true, interval: \"2m\" }}\n",
                folder.display()
            );
            let more = [full, cluster(&routes, index)].concat();
            nodes.prepare(index, identity, &more)?;
        }
        for index in 0..count {
            nodes.servers.push(None);
            nodes.start(index)?;
        }
        Ok(nodes)
    }

    /// A single node that keeps accounts in memory.
    pub fn in_memory(identity: &Path) -> Result<Self> {
        let (ports, held) = Ports::Free.choose(1)?;
        let mut nodes = Nodes {
            servers: vec![None],
            dir: tempfile::tempdir()?,
            leaf_ports: vec![ports[0][&Listener::Leafnodes]],
            _held: held,
        };
        nodes.prepare(0, identity, "resolver: MEMORY\n")?;
        nodes.start(0)?;
        Ok(nodes)
    }

    fn prepare(&self, index: usize, identity: &Path, more: &str) -> Result<()> {
        let folder = self.folder(index);
        fs::create_dir_all(&folder)?;
        let (trust, dir) = (trust(identity)?, folder.display());
        let (name, leaf) = (index + 1, self.leaf_ports[index]);
        let conf = format!(
            "listen: \"127.0.0.1:-1\"\nserver_name: \"hub-{name}\"\nports_file_dir: \"{dir}\"\ndebug: true\nmax_payload: 262144\n\
             jetstream {{ store_dir: \"{dir}/js\" }}\nleafnodes {{ listen: \"127.0.0.1:{leaf}\" }}\n{more}{trust}"
        );
        Ok(fs::write(folder.join("nats.conf"), conf)?)
    }

    /// Has the operator and the preloaded account of an identity from its next start on.
    pub fn reconfigure(&self, index: usize, identity: &Path) -> Result<()> {
        let conf = self.folder(index).join("nats.conf");
        let text = fs::read_to_string(&conf)?;
        let at = text.find("operator: ").context("an operator")?;
        Ok(fs::write(conf, [&text[..at], &trust(identity)?].concat())?)
    }

    /// Stops a node as a restart of its unit does, and starts it.
    pub fn restart(&mut self, index: usize) -> Result<()> {
        let server = self.servers[index].take().context("it runs")?;
        server.stop()?;
        self.start(index)
    }

    pub fn folder(&self, index: usize) -> PathBuf {
        self.dir.path().join(format!("hub-{}", index + 1))
    }

    pub fn start(&mut self, index: usize) -> Result<()> {
        let server = Server::start(&nats_server()?, &self.folder(index).join("nats.conf"))?;
        self.servers[index] = Some(server);
        Ok(())
    }

    pub fn server(&self, index: usize) -> Result<&Server> {
        self.servers[index].as_ref().context("it runs")
    }

    pub fn url(&self) -> String {
        let running = self.servers.iter().flatten().next();
        running.map_or("", Server::url).to_owned()
    }

    pub fn log(&self, index: usize) -> Result<String> {
        Ok(fs::read_to_string(self.folder(index).join("server.log"))?)
    }

    pub async fn connect(&self, index: usize, creds: &str) -> Result<Client> {
        let options = ConnectOptions::with_credentials(creds)?;
        Ok(options.connect(self.server(index)?.url()).await?)
    }

    /// A leaf node by this name with these creds, linked to a node; its clients need no login.
    pub fn leaf(&self, index: usize, name: &str, creds: &str) -> Result<Server> {
        let folder = self.dir.path().join(name);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("leaf.creds"), creds)?;
        let dir = folder.display();
        let port = self.leaf_ports[index];
        let conf = format!(
            "listen: \"127.0.0.1:-1\"\nserver_name: \"{name}\"\nports_file_dir: \"{dir}\"\ndebug: true\nhttp: \"127.0.0.1:-1\"\n\
             leafnodes {{ reconnect: 1, remotes: [ {{ url: \"nats://127.0.0.1:{port}\", credentials: \"{dir}/leaf.creds\" }} ] }}\n"
        );
        fs::write(folder.join("nats.conf"), conf)?;
        Server::start(&nats_server()?, &folder.join("nats.conf"))
    }
}

/// The operator of an identity, and its system account.
fn trust(identity: &Path) -> Result<String> {
    let operator = fs::read_to_string(identity.join("operator.jwt"))?;
    let operator = operator.trim();
    let sys = decode::<Operator>(operator)?.claims.nats.system_account;
    let preload = fs::read_to_string(identity.join("accounts/SYS.jwt"))?;
    let preload = preload.trim();
    Ok(format!(
        "operator: \"{operator}\"\nsystem_account: \"{sys}\"\nresolver_preload: {{ {sys}: \"{preload}\" }}\n"
    ))
}

fn cluster(routes: &[u16], index: usize) -> String {
    if routes.len() == 1 {
        return String::new();
    }
    let own = routes[index];
    let others = routes.iter().filter(|route| **route != own);
    let others: Vec<String> = others
        .map(|route| format!("\"nats://127.0.0.1:{route}\""))
        .collect();
    format!(
        "cluster {{ name: estate, listen: \"127.0.0.1:{own}\", routes: [{}] }}\n",
        others.join(", ")
    )
}
