//! A hub and a leaf as a deployment makes them, with a wire between them that can be cut.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use async_nats::{Client, ConnectOptions};
use cim_testkit::{Fleet, Ports, Wire, golden, nats_server, plan};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::deployed;

pub const HUB: &str = "hub";
pub const LEAF: &str = "cim-prod-001";

/// One end of the link: where messages begin, and where they must arrive.
#[derive(Debug, Clone, Copy)]
pub struct Side {
    /// The server where they are published.
    pub server: &'static str,
    /// A user there who may do everything.
    pub user: &'static str,
    /// What the publishers' subjects begin with.
    pub subjects: &'static str,
    /// The stream that takes them.
    pub origin: &'static str,
    /// The stream at the other end that copies it.
    pub copy: &'static str,
}

/// What the leaf has to tell, and what the hub wants done.
pub const SIDES: [Side; 2] = [
    Side {
        server: LEAF,
        user: "cim-local",
        subjects: "events",
        origin: "EVENTS",
        copy: "ALL_EVENTS",
    },
    Side {
        server: HUB,
        user: "alchemist",
        subjects: "commands",
        origin: "COMMANDS",
        copy: "DIRECTIVES",
    },
];

impl Side {
    /// The other end, where the copy is.
    pub fn far(&self) -> Self {
        let [leaf, hub] = SIDES;
        if self.server == leaf.server {
            hub
        } else {
            leaf
        }
    }
}

/// What flows that are `durable` will declare by themselves: until they can be said, streams and their copies by hand.
fn declare(hub: &mut Value, leaf: &mut Value) -> Result<()> {
    let streams = hub.pointer("/hub/fleet/assets/accounts/CIM/streams");
    let plain = streams
        .context("the hub's streams")?
        .get("COMMANDS")
        .context("a stream to go by")?
        .clone();
    let stream = |fields: Value, sources: Value| {
        let mut stream = plain.clone();
        stream["fields"] = fields;
        stream["sources"] = sources;
        stream
    };
    let origin = |subjects: &str| json!({"subjects": [subjects], "discard": "new", "maxBytes": "256MiB", "duplicateWindow": "2m"});
    let copy = json!({"maxBytes": "256MiB"});
    let of_leaf = json!([{"name": "EVENTS", "leaf": LEAF, "hub": null, "fields": {}}]);
    let of_hub = json!([{"name": "COMMANDS", "leaf": null, "hub": HUB, "fields": {}}]);
    let set = |spec: &mut Value, at: &str, value: Value| -> Result<()> {
        *spec.pointer_mut(at).with_context(|| at.to_owned())? = value;
        Ok(())
    };
    set(
        hub,
        "/hub/fleet/assets/accounts/CIM/streams",
        json!({
            "COMMANDS": stream(origin("commands.>"), json!([])),
            "ALL_EVENTS": stream(copy.clone(), of_leaf),
        }),
    )?;
    set(
        leaf,
        "/leaf/leaf/assets/CIM/streams",
        json!({
            "EVENTS": stream(origin("events.>"), json!([])),
            "DIRECTIVES": stream(copy, of_hub),
        }),
    )?;
    let crossing = json!({"toHub": ["EVENTS"], "toLeaf": ["COMMANDS"]});
    set(
        hub,
        "/hub/fleet/leaves/cim-prod-001/streams",
        crossing.clone(),
    )?;
    set(leaf, "/leaf/fleet/leaf/streams", crossing)
}

/// The two servers. The folder goes after them.
pub struct Pair {
    pub fleet: Fleet,
    pub wire: Wire,
    pub dir: TempDir,
}

/// Both run, are linked, and hold what is declared.
pub async fn pair() -> Result<Pair> {
    let (mut hub, mut leaf) = (golden("assets-hub")?, golden("assets-cim-prod-001")?);
    declare(&mut hub, &mut leaf)?;
    let (hub, leaf) = (plan(&hub)?, plan(&leaf)?);
    let dir = tempfile::tempdir().context("creating a folder")?;
    let mut fleet = Fleet::prepare(vec![hub, leaf], dir.path(), &nats_server()?, Ports::Free)?;
    let wire = fleet.wire(HUB)?;
    fleet.start_all()?;
    fleet.linked(LEAF).await?;
    let pair = Pair { fleet, wire, dir };
    for server in [LEAF, HUB] {
        deployed::provision(&pair.fleet, pair.dir.path(), server)?;
    }
    Ok(pair)
}

impl Pair {
    /// Who somebody at one end is.
    pub fn login(&self, side: Side) -> Result<Login> {
        let member = self.fleet.member(side.server)?;
        Ok(Login {
            url: member.url(),
            seed: self.fleet.seed(side.server, side.user)?.to_owned(),
            ca: self.fleet.ca_file(),
        })
    }
}

/// Where a client goes, and who it is there.
#[derive(Debug, Clone)]
pub struct Login {
    url: String,
    seed: String,
    ca: PathBuf,
}

impl Login {
    /// Connects once: a client that came back by itself would send what it had not sent yet behind its user's back, and
    /// before what its user sends again.
    pub async fn connect(&self) -> Result<Client> {
        let is_connected = Arc::new(AtomicBool::new(false));
        let before = is_connected.clone();
        let never = Duration::from_secs(24 * 3600);
        let mut options = ConnectOptions::with_nkey(self.seed.clone())
            .ignore_discovered_servers()
            .reconnect_delay_callback(move |_| match before.load(Ordering::SeqCst) {
                true => never,
                false => Duration::ZERO,
            });
        if self.url.starts_with("tls:") {
            options = options
                .require_tls(true)
                .add_root_certificates(self.ca.clone());
        }
        let client = options.connect(&self.url).await.context("connecting")?;
        is_connected.store(true, Ordering::SeqCst);
        Ok(client)
    }
}
