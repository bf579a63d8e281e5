//! What is committed, what the hub has, and what of it may be pushed.

use anyhow::{Context, Result, ensure};
use cim_creds::{Account, KeyKind, KeyPair, decode, key};

use crate::cli::Desk;
use crate::cli::reach::{OPERATORS, Reach};
use crate::push::{self, Change, Committed, Held, Hub, Names, Node, Verdict};
use crate::sops::Plain;

/// A hub, and how the accounts of the folder stand there.
pub struct Survey<'a> {
    pub hub: Hub,
    pub nodes: Vec<Node>,
    pub verdicts: Vec<(&'a Held, Verdict)>,
    /// Accounts that the hub has and the folder has not.
    pub strangers: Vec<Stranger>,
}

/// An account that is not in the folder.
pub struct Stranger {
    pub key: String,
    /// What it says it is called; empty: it cannot be read.
    pub name: String,
}

/// How many strangers are asked for their names.
const NAMED: usize = 100;

impl<'a> Survey<'a> {
    pub async fn of(
        reach: &Reach,
        committed: &Committed,
        chosen: Vec<&'a Held>,
        desk: &Desk,
    ) -> Result<Survey<'a>> {
        let hub = reach.hub(desk).await?;
        let nodes = hub.nodes(reach.nodes()).await?;
        push::told(committed, &nodes)?;
        let listed = hub.list(&nodes).await?;
        let found = push::look(&hub, &nodes, &chosen, reach.pace()).await?;
        let keys = committed.names();
        let names = Names {
            keys: &keys,
            holders: &committed.holders,
        };
        let verdicts = chosen.into_iter().zip(&found);
        let mut verdicts: Vec<_> = verdicts
            .map(|(account, found)| (account, push::compare(found, nodes.len(), account, &names)))
            .collect();
        in_use(&hub, &nodes, &mut verdicts).await?;
        let unknown = |key: &String| committed.accounts.iter().all(|held| held.key() != key);
        let unknown: Vec<String> = listed.into_iter().filter(unknown).collect();
        let strangers = strangers(&hub, &nodes, unknown).await?;
        Ok(Survey {
            hub,
            nodes,
            verdicts,
            strangers,
        })
    }

    /// The accounts that some node has not as they are committed.
    pub fn differing(&self) -> Vec<&'a Held> {
        let differing = self.verdicts.iter();
        differing
            .filter(|(_, verdict)| !matches!(verdict, Verdict::Same))
            .map(|(account, _)| *account)
            .collect()
    }

    /// Refuses accounts that do not fit in a message.
    pub fn fits(&self) -> Result<()> {
        let most = self.hub.max_payload();
        let large = self
            .differing()
            .into_iter()
            .find(|account| account.jwt.len() > most);
        ensure!(
            large.is_none(),
            "{}: {} bytes, of which a message to this hub may have {most}: raise maxPayload of the hub's nodes",
            large
                .map(|account| account.place.display().to_string())
                .unwrap_or_default(),
            large.map(|account| account.jwt.len()).unwrap_or_default(),
        );
        Ok(())
    }

    /// Refuses to replace what was issued after what is committed.
    pub fn none_newer(&self) -> Result<()> {
        let newer = self
            .verdicts
            .iter()
            .filter_map(|(account, verdict)| match verdict {
                Verdict::Differs(differing) if differing.newer.is_some() => {
                    Some(account.place.display().to_string())
                }
                _ => None,
            });
        let newer: Vec<String> = newer.collect();
        ensure!(
            newer.is_empty(),
            "the hub has later JWTs than {}: someone else pushed; take over what they committed (git pull), or consent with --replace-newer",
            newer.join(", ")
        );
        Ok(())
    }
}

/// Lowering the number of connections takes nothing from anybody while there are fewer.
async fn in_use(hub: &Hub, nodes: &[Node], verdicts: &mut [(&Held, Verdict)]) -> Result<()> {
    for (account, verdict) in verdicts {
        let Verdict::Differs(differing) = verdict else {
            continue;
        };
        let limits = account.claims.nats.limits.clone();
        let of = |change: &&mut Change| change.cuts && change.what.starts_with("limit ");
        let mut counted = None;
        for change in differing.changes.iter_mut().filter(of) {
            let (leaf, most) = match change.what.split(' ').nth(1) {
                Some("conn") => (false, limits.conn),
                Some("leaf") => (true, limits.leaf),
                _ => continue,
            };
            if counted.is_none() {
                counted = Some(push::standing(hub, nodes, &[account.key()]).await?);
            }
            let standing = counted.iter().flatten();
            let now = standing.filter(|standing| standing.leaf == leaf).count();
            change.cuts = i64::try_from(now).is_ok_and(|now| now > most);
            change.who = vec![format!("{now} are connected")];
        }
    }
    Ok(())
}

async fn strangers(hub: &Hub, nodes: &[Node], keys: Vec<String>) -> Result<Vec<Stranger>> {
    let asked = keys.iter().take(NAMED).map(String::as_str).collect();
    let names = push::texts(hub, nodes, asked).await?;
    let each = keys.into_iter().enumerate().map(|(at, key)| {
        let read = names.get(at).and_then(|jwt| decode::<Account>(jwt).ok());
        let name = read.map(|token| token.claims.data.name).unwrap_or_default();
        Stranger { key, name }
    });
    Ok(each.collect())
}

/// The operator's signing key, or its identity key where it has none.
pub fn signer(reach: &Reach, committed: &Committed, desk: &Desk) -> Result<KeyPair> {
    let store = reach.store();
    let place = store.path().join(OPERATORS);
    let place = place.display();
    let found = store.folder()?.read(OPERATORS, &store.identities(desk)?)?;
    let Some(Plain::Tree(tree)) = found else {
        anyhow::bail!("there is no {place}, which holds the operator's keys");
    };
    let entry = if committed.operator.nats.signing_keys.is_empty() {
        "operator.nk"
    } else {
        "operator.signing.nk"
    };
    let seed = tree.get(entry).and_then(|value| value.as_text());
    let seed = seed.with_context(|| format!("{place} has no {entry}"))?;
    key::key_pair(seed, KeyKind::Operator).with_context(|| format!("reading {entry} of {place}"))
}
