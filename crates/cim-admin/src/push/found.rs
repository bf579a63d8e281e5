//! What the nodes keep, held against the folder.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use cim_creds::{Account, Chain, Claims, decode};

use super::committed::{Committed, Held};
use super::difference::{Change, Names, between};
use super::exchange::{Asked, Pace, exchange};
use super::hub::{Hub, Node};

/// What the nodes keep of one account: one JWT each, in no order; empty texts where a node has none.
/// nats-server does not say which node it was, and one whose store is broken says nothing.
#[derive(Debug, Clone, Default)]
pub struct Found(pub Vec<String>);

/// How an account stands.
#[derive(Debug)]
pub enum Verdict {
    /// Every node has it as it is committed.
    Same,
    /// No node has it.
    New,
    /// Some node has another.
    Differs(Box<Differing>),
}

/// An account that some node has otherwise.
#[derive(Debug)]
pub struct Differing {
    /// What a push changes.
    pub changes: Vec<Change>,
    /// When the newest of the nodes' was issued, where that is after ours.
    pub newer: Option<i64>,
    /// How many nodes have none, or another than ours.
    pub nodes: usize,
    /// How many nodes do not say.
    pub silent: usize,
    /// What they have; `None`: nothing that can be read.
    pub theirs: Option<Claims<Account>>,
}

/// Asks every node for the accounts.
///
/// # Errors
/// A connection that is lost.
pub async fn look(hub: &Hub, nodes: &[Node], accounts: &[&Held], pace: Pace) -> Result<Vec<Found>> {
    // Each time that it was asked by itself, for nobody says who he is.
    let mut found: Vec<Vec<Found>> = vec![Vec::new(); accounts.len()];
    let asked = accounts.iter().map(|account| lookup(account.key()));
    exchange(hub, asked, nodes.len(), pace, |to, message| {
        let times = found.get_mut(to.at);
        let found = times.and_then(|times| {
            times.resize(times.len().max(to.again + 1), Found::default());
            times.get_mut(to.again)
        });
        if let Some(found) = found {
            let text = String::from_utf8_lossy(&message.payload);
            found.0.push(text.into_owned());
        }
        Ok(())
    })
    .await?;
    let most = |times: Vec<Found>| times.into_iter().max_by_key(|found| found.0.len());
    Ok(found
        .into_iter()
        .map(|times| most(times).unwrap_or_default())
        .collect())
}

/// One node's JWT of each of these accounts; empty texts where it has none.
///
/// # Errors
/// A connection that is lost.
pub async fn texts(hub: &Hub, nodes: &[Node], keys: Vec<&str>) -> Result<Vec<String>> {
    let mut texts = vec![String::new(); keys.len()];
    let asked = keys.into_iter().map(lookup);
    exchange(hub, asked, nodes.len(), Pace::default(), |to, message| {
        if let Some(text) = texts.get_mut(to.at).filter(|_| !message.payload.is_empty()) {
            *text = String::from_utf8_lossy(&message.payload).into_owned();
        }
        Ok(())
    })
    .await?;
    Ok(texts)
}

fn lookup(key: &str) -> Asked {
    Asked {
        subject: format!("$SYS.REQ.ACCOUNT.{key}.CLAIMS.LOOKUP"),
        payload: Vec::new(),
    }
}

/// Holds what was found against what is committed.
pub fn compare(found: &Found, nodes: usize, account: &Held, names: &Names<'_>) -> Verdict {
    let others: BTreeSet<&str> = found
        .0
        .iter()
        .map(String::as_str)
        .filter(|jwt| *jwt != account.jwt)
        .collect();
    let silent = nodes.saturating_sub(found.0.len());
    if others.is_empty() && silent == 0 {
        return Verdict::Same;
    }
    if found.0.iter().all(String::is_empty) && silent == 0 {
        return Verdict::New;
    }
    let nodes = found.0.iter().filter(|jwt| **jwt != account.jwt).count();
    let read = others.iter().filter_map(|jwt| decode::<Account>(jwt).ok());
    let mut theirs: Vec<_> = read.map(|token| token.claims).collect();
    theirs.sort_by_key(|claims| claims.data.iat);
    let newest = theirs.pop();
    let newer = newest
        .as_ref()
        .map(|claims| claims.data.iat)
        .filter(|iat| *iat > account.claims.data.iat);
    let changes = newest
        .as_ref()
        .map(|old| between(old, &account.claims, names))
        .unwrap_or_default();
    Verdict::Differs(Box::new(Differing {
        changes,
        newer,
        nodes,
        silent,
        theirs: newest,
    }))
}

/// Whether every node would believe these accounts: it trusts our operator, by a JWT that names the
/// key they are signed with.
///
/// # Errors
/// Nodes of another operator, or with an older operator JWT.
pub fn told(committed: &Committed, nodes: &[Node]) -> Result<()> {
    let ours = &committed.operator.data;
    for node in nodes {
        let same = node
            .operators
            .iter()
            .find(|found| found.data.sub == ours.sub);
        let Some(theirs) = same else {
            let keys: Vec<_> = node.operators.iter().map(|o| o.data.sub.as_str()).collect();
            bail!(
                "{} trusts {}, not the operator of this folder, {}: push to another hub, or from another folder",
                node.name,
                if keys.is_empty() {
                    "no operator".to_owned()
                } else {
                    format!("operator {}", keys.join(", "))
                },
                ours.sub
            );
        };
        for account in &committed.accounts {
            if let Err(error) = Chain::new(theirs, &account.claims) {
                bail!(
                    "{} would not believe account {}: {error}: deploy operator.jwt to it first",
                    node.name,
                    account.name
                );
            }
        }
    }
    Ok(())
}
