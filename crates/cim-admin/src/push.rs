//! Account JWTs between the folder `identity/` and the hub's full resolver, over the system account.
//!
//! Upstream: nats-server 2.15 `accounts.go` (`DirAccResolver.Start`). The resolver stores whatever is
//! pushed, older JWTs and another operator's too, so what must not arrive is refused here.

mod answers;
mod committed;
mod delete;
mod difference;
mod exchange;
mod found;
mod hub;
mod links;
mod permissions;
mod sharing;
mod words;

pub use committed::{Committed, Held, Holder};
pub use delete::delete;
pub use difference::{Change, Names, between};
pub use exchange::Pace;
pub use found::{Differing, Found, Verdict, compare, look, texts, told};
pub use hub::{Hub, Login, Node};
pub use links::{Standing, standing};

use anyhow::{Result, bail};
use async_nats::Message;
use serde::Deserialize;

use exchange::{Asked, exchange};

/// What a node says to an update or a deletion.
#[derive(Debug, Deserialize)]
struct Answer {
    server: Server,
    error: Option<Refused>,
}

/// Who answers.
#[derive(Debug, Clone, Deserialize)]
struct Server {
    name: String,
    id: String,
}

#[derive(Debug, Deserialize)]
struct Refused {
    description: String,
}

/// What became of one account.
#[derive(Debug, Clone)]
pub struct Pushed {
    /// The account.
    pub account: String,
    /// Nodes that took it, by name.
    pub took: Vec<String>,
    /// Nodes that did not, with what they said, or `None` where they said nothing.
    pub missed: Vec<(String, Option<String>)>,
}

/// Pushes accounts to every node and waits for what each says.
///
/// # Errors
/// A connection that is lost.
pub async fn push(
    hub: &Hub,
    nodes: &[Node],
    accounts: &[&Held],
    pace: Pace,
) -> Result<Vec<Pushed>> {
    let mut answers: Vec<Vec<(String, Option<String>)>> = vec![Vec::new(); accounts.len()];
    let asked = accounts.iter().map(|account| Asked {
        subject: format!("$SYS.REQ.ACCOUNT.{}.CLAIMS.UPDATE", account.key()),
        payload: account.jwt.clone().into(),
    });
    exchange(hub, asked, nodes.len(), pace, |to, message| {
        let (id, said) = answer(&message)?;
        if let Some(answers) = answers.get_mut(to.at) {
            answers.push((id, said));
        }
        Ok(())
    })
    .await?;
    let each = accounts.iter().zip(answers);
    Ok(each
        .map(|(account, answers)| judged(account, nodes, &answers))
        .collect())
}

/// Who answered, by id, and why it refused.
fn answer(message: &Message) -> Result<(String, Option<String>)> {
    if message.payload.is_empty() {
        bail!("nobody there updates accounts: {}", hub::NO_RESOLVER);
    }
    let answer: Answer = serde_json::from_slice(&message.payload)?;
    Ok((
        answer.server.id,
        answer.error.map(|refused| refused.description),
    ))
}

fn judged(account: &Held, nodes: &[Node], answers: &[(String, Option<String>)]) -> Pushed {
    let mut pushed = Pushed {
        account: account.name.clone(),
        took: Vec::new(),
        missed: Vec::new(),
    };
    for node in nodes {
        match answers.iter().find(|(id, _)| *id == node.id) {
            Some((_, None)) => pushed.took.push(node.name.clone()),
            Some((_, said)) => pushed.missed.push((node.name.clone(), said.clone())),
            None => pushed.missed.push((node.name.clone(), None)),
        }
    }
    pushed
}
