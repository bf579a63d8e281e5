//! Bare nats-servers, folders of assets, and `cim-provision` on both.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};
use cim_check::Server;
use cim_node::provision::api::Api;
use cim_render::places::Listener;
use cim_testkit::{Ports, Wire, nats_server, until};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A server without accounts, or a cluster of them, and a folder of assets. The folder goes after the servers.
pub struct Site {
    pub servers: Vec<Option<Server>>,
    configs: Vec<PathBuf>,
    urls: Vec<String>,
    monitors: Vec<String>,
    leafnodes: Vec<u16>,
    clustered: bool,
    /// Whose health is asked for.
    pub monitor: usize,
    /// Where clients are, of servers that are no cluster.
    pub home: usize,
    /// What every command has beside.
    pub args: Vec<String>,
    /// Where commands go instead of to the servers themselves.
    by: Option<String>,
    _ports: Box<dyn std::any::Any>,
    pub dir: TempDir,
}

/// What `cim-provision` said and how it ended.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Said {
    pub fn of(output: Output) -> Result<Self> {
        Ok(Self {
            code: output.status.code().context("it ended by a signal")?,
            out: String::from_utf8(output.stdout)?,
            err: String::from_utf8(output.stderr)?,
        })
    }

    /// It ended with this code and said all of `parts`.
    pub fn ended(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, code, "{self:?}");
        let all = format!("{}{}", self.out, self.err);
        for part in parts {
            assert!(all.contains(part), "no {part:?} in: {all}");
        }
    }
}

/// One server.
pub fn one() -> Result<Site> {
    site(1, "")
}

/// Servers, with further lines in each config, or after `js:` in its JetStream block; `%` stands for a server's number.
/// Several are a cluster but after `alone:`.
pub fn site(count: usize, more: &str) -> Result<Site> {
    let (clustered, more) = match more.strip_prefix("alone:") {
        Some(more) => (false, more),
        None => (count > 1, more),
    };
    let dir = tempfile::tempdir().context("creating a folder")?;
    let (ports, held) = Ports::Free.choose(count)?;
    let port = |index: usize, listener| ports[index].get(&listener).copied().unwrap_or_default();
    let routes: Vec<_> = (0..count)
        .map(|index| format!("\"nats://127.0.0.1:{}\"", port(index, Listener::Cluster)))
        .collect();
    let mut site = Site {
        servers: Vec::new(),
        configs: Vec::new(),
        urls: Vec::new(),
        monitors: Vec::new(),
        leafnodes: Vec::new(),
        clustered,
        monitor: 0,
        home: 0,
        args: Vec::new(),
        by: None,
        _ports: Box::new(held),
        dir,
    };
    for index in 0..count {
        let home = site.dir.path().join(format!("s{index}"));
        fs::create_dir_all(&home)?;
        let cluster = format!(
            "cluster {{ name: C, listen: \"127.0.0.1:{}\", routes: [{}] }}\n",
            port(index, Listener::Cluster),
            routes.join(", ")
        );
        let config = format!(
            "server_name: s{index}\nlisten: \"127.0.0.1:{}\"\nhttp: \"127.0.0.1:{}\"\nports_file_dir: \"{home}\"\n\
             jetstream {{ store_dir: \"{home}/js\" %JS% }}\n{}{}",
            port(index, Listener::Client),
            port(index, Listener::Monitor),
            if clustered { &cluster } else { "" },
            if more.starts_with("js:") { "" } else { more },
            home = home.display(),
        );
        let config = config.replace("%JS%", more.strip_prefix("js:").unwrap_or_default());
        let path = home.join("nats.conf");
        fs::write(&path, config.replace('%', &index.to_string()))?;
        site.configs.push(path);
        site.urls.push(format!(
            "nats://127.0.0.1:{}",
            port(index, Listener::Client)
        ));
        site.leafnodes.push(port(index, Listener::Leafnodes));
        site.monitors.push(format!(
            "http://127.0.0.1:{}",
            port(index, Listener::Monitor)
        ));
        site.servers.push(None);
        site.start(index)?;
    }
    fs::create_dir_all(site.folder())?;
    Ok(site)
}

impl Site {
    /// Starts a server again.
    pub fn start(&mut self, index: usize) -> Result<()> {
        let mut server = Server::start(&nats_server()?, &self.configs[index])?;
        server.healthy()?;
        self.servers[index] = Some(server);
        Ok(())
    }

    /// Starts a server whose config is changed; it need not become healthy.
    pub fn start_changed(&mut self, index: usize, from: &str, to: &str) -> Result<()> {
        let config = fs::read_to_string(&self.configs[index])?;
        ensure!(config.contains(from), "no {from:?} in {config}");
        fs::write(&self.configs[index], config.replace(from, to))?;
        self.servers[index] = Some(Server::start(&nats_server()?, &self.configs[index])?);
        Ok(())
    }

    /// Makes one server a leaf of another: both start again.
    pub fn link(&mut self, leaf: usize, hub: usize) -> Result<()> {
        let port = self.leafnodes[hub];
        let blocks = [
            (
                hub,
                format!("leafnodes {{ listen: \"127.0.0.1:{port}\" }}\n"),
            ),
            (
                leaf,
                format!(
                    "leafnodes {{ remotes: [{{ url: \"nats://127.0.0.1:{port}\" }}], reconnect: 1 }}\n"
                ),
            ),
        ];
        for (index, block) in blocks {
            let config = fs::read_to_string(&self.configs[index])?;
            self.kill(index)?;
            put(&self.configs[index], &format!("{config}{block}"))?;
            self.start(index)?;
        }
        Ok(())
    }

    pub fn kill(&mut self, index: usize) -> Result<()> {
        self.servers[index]
            .take()
            .context("it does not run")?
            .kill()
    }

    pub fn url(&self) -> &str {
        &self.urls[0]
    }

    /// Commands go to the first server by a wire from now on; who publishes does not.
    pub fn wire(&mut self) -> Result<Wire> {
        let port = self.url().rsplit(':').next().context("a port")?;
        let wire = Wire::to(port.parse()?)?;
        self.by = Some(format!("nats://127.0.0.1:{}", wire.port()));
        Ok(wire)
    }

    pub fn folder(&self) -> PathBuf {
        self.dir.path().join("assets")
    }

    /// Declares an asset: `streams/A`, and what its file says.
    pub fn declare(&self, asset: &str, config: &Value) -> Result<()> {
        put(
            &self.folder().join(format!("{asset}.json")),
            &config.to_string(),
        )
    }

    /// Declares a stream: its name, and further fields.
    pub fn stream(&self, name: &str, fields: Value) -> Result<()> {
        let mut config = json!({ "name": name });
        merge(&mut config, fields);
        self.declare(&format!("streams/{name}"), &config)
    }

    /// Declares a durable consumer.
    pub fn consumer(&self, stream: &str, name: &str, fields: Value) -> Result<()> {
        let mut config = json!({ "durable_name": name });
        merge(&mut config, fields);
        self.declare(&format!("consumers/{stream}/{name}"), &config)
    }

    pub fn command(&self, what: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cim-provision"));
        command.arg(what).arg(self.folder());
        let urls = match &self.by {
            Some(by) => std::slice::from_ref(by),
            None if self.clustered => self.urls.as_slice(),
            None => &self.urls[..1],
        };
        for url in urls {
            command.args(["--server", url]);
        }
        if what != "import" {
            command.args(["--monitor", &self.monitors[self.monitor]]);
        }
        command.args(&self.args);
        command
    }

    pub fn run(&self, what: &str, args: &[&str]) -> Result<Said> {
        Said::of(self.command(what).args(args).output()?)
    }

    /// `plan` or `apply` with `--json`.
    pub fn json(&self, what: &str, args: &[&str]) -> Result<Value> {
        let said = Said::of(self.command(what).arg("--json").args(args).output()?)?;
        serde_json::from_str(&said.out).with_context(|| format!("{said:?}"))
    }

    /// Applies, and everything is as declared afterwards.
    pub fn applied(&self) -> Result<()> {
        self.run("apply", &[])?.ended(0, &[]);
        Ok(())
    }

    /// Once `plan` finds everything as declared, it says all of `parts`. In a cluster a node that has just started may
    /// tell old configurations for a while, and `plan` changes nothing: what was lost stays lost however often it asks.
    pub async fn agrees(&self, parts: &[&str]) -> Result<()> {
        let said = until("everything is as declared", async || {
            let said = self.run("plan", &[])?;
            ensure!(said.code == 0, "{said:?}");
            Ok(said)
        });
        said.await?.ended(0, parts);
        Ok(())
    }

    pub async fn client(&self) -> Result<async_nats::Client> {
        let urls = match self.clustered {
            true => self.urls.as_slice(),
            false => &self.urls[self.home..=self.home],
        };
        Ok(async_nats::connect(urls).await?)
    }

    pub async fn api(&self) -> Result<Api> {
        Ok(Api::new(
            self.client().await?,
            None,
            std::time::Duration::from_secs(20),
        ))
    }

    /// The configuration of a stream on the server.
    pub async fn held(&self, name: &str) -> Result<Value> {
        let info = self
            .api()
            .await?
            .ask(&format!("STREAM.INFO.{name}"), &Value::Null)
            .await;
        Ok(info.map_err(|failure| anyhow::anyhow!("{failure}"))?["config"].clone())
    }

    /// How many messages a stream has.
    pub async fn messages(&self, name: &str) -> Result<u64> {
        let info = self
            .api()
            .await?
            .ask(&format!("STREAM.INFO.{name}"), &Value::Null)
            .await;
        let info = info.map_err(|failure| anyhow::anyhow!("{failure}"))?;
        info["state"]["messages"].as_u64().context("no count")
    }

    /// Waits until a stream's last message is so many seconds older than the server's clock.
    pub async fn aged(&self, stream: &str, seconds: i64) -> Result<()> {
        let api = self.api().await?;
        let moment = |value: &Value| {
            let format = &time::format_description::well_known::Rfc3339;
            let text = value.as_str().context("a moment")?;
            Ok::<_, anyhow::Error>(time::OffsetDateTime::parse(text, format)?)
        };
        until(&format!("{stream} is {seconds} s old"), async || {
            let info = api
                .ask(&format!("STREAM.INFO.{stream}"), &Value::Null)
                .await;
            let info = info.map_err(|failure| anyhow::anyhow!("{failure}"))?;
            let age = moment(&info["ts"])? - moment(&info["state"]["last_ts"])?;
            ensure!(age > time::Duration::seconds(seconds), "{age}");
            Ok(())
        })
        .await
    }

    /// Publishes messages into a stream, each acknowledged.
    pub async fn publish(&self, subjects: &[&str], each: usize) -> Result<()> {
        let client = self.client().await?;
        for subject in subjects {
            for number in 0..each {
                let ack = client
                    .request((*subject).to_owned(), format!("message {number:04}").into())
                    .await?;
                let ack: Value = serde_json::from_slice(&ack.payload)?;
                ensure!(ack["error"].is_null(), "{ack}");
            }
        }
        Ok(())
    }
}

pub fn put(path: &Path, text: &str) -> Result<()> {
    fs::create_dir_all(path.parent().context("a file has a folder")?)?;
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}

/// Sets an object's fields.
pub fn merge(into: &mut Value, fields: Value) {
    if let (Some(into), Value::Object(fields)) = (into.as_object_mut(), fields) {
        into.extend(fields);
    }
}

/// The one asset of a report.
pub fn asset<'a>(report: &'a Value, name: &str) -> Result<&'a Value> {
    let mut assets = report["assets"].as_array().context("no assets")?.iter();
    assets
        .find(|asset| asset["asset"] == name)
        .with_context(|| format!("no {name} in {report}"))
}
