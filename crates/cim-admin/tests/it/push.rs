//! Pushing accounts to real hubs: what arrives where, who is cut off, and who is not.

use std::collections::BTreeSet;
use std::fs;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use async_nats::{Client, Subscriber};
use cim_check::Server;
use cim_creds::body::permissions::UserPermissionLimits;
use cim_testkit::until;
use futures_util::StreamExt;
use serde_json::json;
use tokio::time::timeout;

use crate::estate::Estate;
use crate::hubs::Nodes;

/// What clients of this library need beside their flows.
const OWN: [&str; 2] = ["$SYS.REQ.USER.INFO", "_INBOX.>"];

/// Leave to publish these, and to hear everything.
pub fn publishes(subjects: &[&str]) -> impl FnOnce(&mut UserPermissionLimits) + use<> {
    let subjects = subjects
        .iter()
        .chain(&OWN)
        .map(ToString::to_string)
        .collect();
    move |template| template.permissions.publish.allow = subjects
}

#[test]
fn every_node_gets_what_differs_and_then_nothing_does() -> Result<()> {
    let mut estate = Estate::new()?;
    let nodes = estate.start(3)?;
    let said = estate.fails(&nodes, &["accounts", "diff", "--node", "hub-3"])?;
    ensure!(said.contains("APP: no node has it"), "{said}");
    let dry = ["accounts", "push", "--dry-run", "--node", "hub-3"];
    let said = estate.does(&nodes, &dry)?;
    ensure!(said.contains("would push 1 accounts"), "{said}");
    let report = estate.push(&nodes)?;
    let took = &report["pushed"][0]["took"];
    ensure!(took == &json!(["hub-1", "hub-2", "hub-3"]), "{report:#}");
    let said = estate.does(&nodes, &["accounts", "diff"])?;
    ensure!(said.contains("2 of 2 accounts are as committed"), "{said}");
    let key = estate.key("APP")?.public_key();
    let committed = fs::read_to_string(estate.path("identity/accounts/APP.jwt"))?;
    for index in 0..3 {
        let kept = nodes.folder(index).join(format!("jwt/{key}.jwt"));
        ensure!(fs::read_to_string(kept)? == committed.trim());
    }
    estate.change("APP", |app| app.limits.conn = 7)?;
    let said = estate.fails(&nodes, &["accounts", "diff"])?;
    ensure!(said.contains("APP: 3 of 3 nodes have another"), "{said}");
    // Nobody is connected, so nobody loses anything: no question is asked.
    ensure!(
        said.contains("limit conn unlimited → 7: 0 are connected"),
        "{said}"
    );
    estate.does(&nodes, &["accounts", "push"])?;
    Ok(())
}

#[test]
fn a_node_that_is_not_there_or_does_not_take_it_is_named() -> Result<()> {
    let mut estate = Estate::new()?;
    let mut nodes = estate.start(3)?;
    estate.push(&nodes)?;
    // A file where the folder was: it can keep nothing any more.
    let store = nodes.folder(1).join("jwt");
    fs::remove_dir_all(&store)?;
    fs::write(&store, "")?;
    estate.change("APP", |app| app.description = "second".to_owned())?;
    let said = estate.fails(&nodes, &["accounts", "push", "--json"])?;
    let said: serde_json::Value = serde_json::from_str(&said).context(said.clone())?;
    let pushed = &said["pushed"][0];
    ensure!(pushed["took"] == json!(["hub-1", "hub-3"]), "{said:#}");
    ensure!(pushed["missed"][0]["node"] == "hub-2", "{said:#}");
    let server = nodes.servers[1].take().context("it runs")?;
    server.stop()?;
    let said = estate.fails(&nodes, &["accounts", "push", "--node", "hub-2"])?;
    ensure!(
        said.contains("hub-2 does not answer, only hub-1, hub-3"),
        "{said}"
    );
    fs::remove_file(&store)?;
    nodes.start(1)?;
    let report = estate.push(&nodes)?;
    ensure!(
        report["pushed"][0]["took"] == json!(["hub-1", "hub-2", "hub-3"]),
        "{report:#}"
    );
    Ok(())
}

/// How often a client was let in.
fn connects(client: &Client) -> u64 {
    client.statistics().connects.load(Ordering::Relaxed)
}

/// Two users and two leaves with flows `a.>` and `b.>`, and who hears all of them.
struct Flows {
    estate: Estate,
    nodes: Nodes,
    one: Client,
    other: Client,
    /// Leaf servers, and a client of each.
    leaves: Vec<(Server, Client)>,
    heard: Subscriber,
    rounds: u32,
}

impl Flows {
    async fn new() -> Result<Self> {
        let mut estate = Estate::new()?;
        for role in ["user/one", "user/other", "leaf/plant-a", "leaf/plant-b"] {
            estate.role("APP", role, publishes(&["a.>", "b.>", "$LDS.>"]))?;
        }
        let one = estate.user("APP", "user/one", "users/APP/one.jwt")?;
        let other = estate.user("APP", "user/other", "users/APP/other.jwt")?;
        let creds = [
            estate.user("APP", "leaf/plant-a", "leaves/plant-a.jwt")?,
            estate.user("APP", "leaf/plant-b", "leaves/plant-b.jwt")?,
        ];
        let nodes = estate.start(1)?;
        estate.push(&nodes)?;
        let (one, other) = (
            nodes.connect(0, &one).await?,
            nodes.connect(0, &other).await?,
        );
        let heard = other.subscribe("*.*").await?;
        other.request("$SYS.REQ.USER.INFO", "".into()).await?;
        let mut leaves = Vec::new();
        for (name, creds) in ["plant-a", "plant-b"].into_iter().zip(&creds) {
            let server = nodes.leaf(0, name, creds)?;
            let client = async_nats::connect(server.url()).await?;
            leaves.push((server, client));
        }
        let mut flows = Self {
            estate,
            nodes,
            one,
            other,
            leaves,
            heard,
            rounds: 0,
        };
        flows
            .become_so(&[
                "a.leaf-0", "a.leaf-1", "a.one", "a.other", "b.leaf-0", "b.leaf-1", "b.one",
                "b.other",
            ])
            .await?;
        Ok(flows)
    }

    /// Waits until exactly these of `a.` and `b.` by each of the four get through.
    async fn become_so(&mut self, wanted: &[&str]) -> Result<()> {
        let wanted: BTreeSet<String> = wanted.iter().map(ToString::to_string).collect();
        until("the flows are so", async || {
            let heard = self.round().await?;
            ensure!(heard == wanted, "{heard:?}");
            Ok(())
        })
        .await
    }

    /// What gets through of one message each, and nothing of earlier rounds.
    async fn round(&mut self) -> Result<BTreeSet<String>> {
        self.round_with(&[]).await
    }

    /// The same, once all of `still` did.
    async fn round_with(&mut self, still: &[&str]) -> Result<BTreeSet<String>> {
        self.rounds += 1;
        let round = self.rounds.to_string();
        for flow in ["a", "b"] {
            let (one, other) = (format!("{flow}.one"), format!("{flow}.other"));
            self.one.publish(one, round.clone().into()).await?;
            self.other.publish(other, round.clone().into()).await?;
            for (index, (_, client)) in self.leaves.iter().enumerate() {
                let leaf = format!("{flow}.leaf-{index}");
                client.publish(leaf, round.clone().into()).await?;
            }
        }
        let mut heard = BTreeSet::new();
        loop {
            let all = still.iter().all(|subject| heard.contains(*subject));
            let moment = Duration::from_millis(if all { 100 } else { 10_000 });
            let Ok(next) = timeout(moment, self.heard.next()).await else {
                return Ok(heard);
            };
            let message = next.context("a message")?;
            if message.payload == round {
                heard.insert(message.subject.to_string());
            }
        }
    }
}

#[tokio::test]
async fn a_narrowed_role_holds_at_once_and_nobody_else_notices() -> Result<()> {
    let mut flows = Flows::new().await?;
    for role in ["user/one", "leaf/plant-a"] {
        flows
            .estate
            .role("APP", role, publishes(&["a.>", "$LDS.>"]))?;
    }
    let said = flows.estate.fails(&flows.nodes, &["accounts", "push"])?;
    for line in [
        "--yes is your consent",
        "APP: role leaf/plant-a: may no longer publish b.>: leaf plant-a",
        "APP: role user/one: may no longer publish b.>: user APP/one",
    ] {
        ensure!(said.contains(line), "{said}");
    }
    let log = flows.nodes.log(0)?.len();
    flows.estate.push(&flows.nodes)?;
    // nats-server itself closes what the changed roles have open, and that alone.
    until("both are closed", async || {
        let log = flows.nodes.log(0)?.split_off(log);
        let closed: Vec<_> = log
            .lines()
            .filter(|l| l.contains("closed: Authentication Failure"))
            .collect();
        ensure!(closed.len() == 2, "{closed:?}");
        ensure!(
            closed.iter().any(|line| line.contains("Remote: plant-a")),
            "{closed:?}"
        );
        Ok(())
    })
    .await?;
    // What it has read by then still counts; from the first message of the next connection on:
    until("it is back", async || {
        ensure!(connects(&flows.one) == 2);
        Ok(())
    })
    .await?;
    let still = ["a.other", "b.other", "a.leaf-1", "b.leaf-1"];
    let heard = flows.round_with(&still).await?;
    ensure!(!heard.contains("b.one"), "{heard:?}");
    for subject in still {
        ensure!(heard.contains(subject), "{heard:?}");
    }
    flows
        .become_so(&[
            "a.leaf-0", "a.leaf-1", "a.one", "a.other", "b.leaf-1", "b.other",
        ])
        .await?;
    ensure!(connects(&flows.other) == 1);
    Ok(())
}

#[tokio::test]
async fn a_revoked_leaf_is_cut_off_and_stays_so() -> Result<()> {
    let mut flows = Flows::new().await?;
    let jwt = fs::read_to_string(flows.estate.path("identity/leaves/plant-a.jwt"))?;
    let user = cim_creds::decode::<cim_creds::User>(jwt.trim())?
        .claims
        .data
        .sub;
    let now = flows.estate.now();
    flows
        .estate
        .change("APP", |app| app.revocations.revoke(user, now))?;
    let said = flows.estate.fails(&flows.nodes, &["accounts", "push"])?;
    ensure!(said.contains("APP: revokes leaf plant-a"), "{said}");
    flows.estate.push(&flows.nodes)?;
    flows
        .become_so(&[
            "a.leaf-1", "a.one", "a.other", "b.leaf-1", "b.one", "b.other",
        ])
        .await?;
    until("it is refused", async || {
        let log = flows.nodes.log(0)?;
        ensure!(log.contains("User authentication revoked"), "{log}");
        Ok(())
    })
    .await
}

#[test]
fn an_account_that_is_gone_from_the_folder_is_deleted_by_name_only() -> Result<()> {
    let mut estate = Estate::new()?;
    estate.add("OLD")?;
    let nodes = estate.start(1)?;
    estate.push(&nodes)?;
    let said = estate.fails(&nodes, &["accounts", "delete", "OLD", "--confirm"])?;
    ensure!(said.contains("take it out of the fleet"), "{said}");
    fs::remove_file(estate.path("identity/accounts/OLD.jwt"))?;
    let said = estate.does(&nodes, &["accounts", "diff"])?;
    ensure!(
        said.contains("is on the hub and not in the folder"),
        "{said}"
    );
    let said = estate.fails(&nodes, &["accounts", "delete", "OLD"])?;
    ensure!(said.contains("--confirm is your consent"), "{said}");
    estate.seal()?;
    let store = ["--keys", "keys.txt"];
    let delete = [&["accounts", "delete", "OLD"][..], &store].concat();
    let dry = [&delete[..], &["--dry-run"]].concat();
    estate.does(&nodes, &dry)?;
    let said = estate.does(&nodes, &["accounts", "diff"])?;
    ensure!(said.contains("OLD"), "{said}");
    estate.does(&nodes, &[&delete[..], &["--confirm"]].concat())?;
    let said = estate.does(&nodes, &["accounts", "diff"])?;
    ensure!(!said.contains("OLD"), "{said}");
    Ok(())
}
