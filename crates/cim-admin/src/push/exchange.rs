//! Many requests under way at once, each with an answer from every node.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use async_nats::{Message, StatusCode};
use futures_util::StreamExt;
use tokio::time::timeout;

use super::hub::Hub;

/// How fast to ask, and how long to wait.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Requests under way at once.
    pub at_once: usize,
    /// How long nothing may arrive before what is missing counts as missing.
    pub patience: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            at_once: 256,
            patience: Duration::from_secs(3),
        }
    }
}

/// One request.
pub(super) struct Asked {
    pub subject: String,
    pub payload: Vec<u8>,
}

/// Asks everything, and hands over each answer with the number of its request, until each request
/// has `answers` of them or none has come for as long as the patience lasts.
pub(super) async fn exchange(
    hub: &Hub,
    asked: impl Iterator<Item = Asked>,
    answers: usize,
    pace: Pace,
    mut each: impl FnMut(usize, Message) -> Result<()>,
) -> Result<()> {
    let client = hub.client();
    let inbox = client.new_inbox();
    let mut replies = client.subscribe(format!("{inbox}.*")).await?;
    let mut asked = asked.enumerate();
    // How many answers each request still needs.
    let mut wanted: Vec<usize> = Vec::new();
    let mut open = 0usize;
    let mut patience = pace.patience;
    loop {
        while open < pace.at_once.max(1) {
            let Some((at, Asked { subject, payload })) = asked.next() else {
                break;
            };
            client
                .publish_with_reply(subject, format!("{inbox}.{at}"), payload.into())
                .await?;
            wanted.push(answers);
            open += 1;
        }
        if open == 0 {
            return Ok(());
        }
        let next = timeout(patience, replies.next()).await;
        let Ok(next) = next else {
            hub.refusal()?;
            // What was not answered in time is given up; what was not asked yet still is, but whoever
            // was silent once is not waited for as long again.
            patience = pace.patience / 10;
            open = 0;
            wanted.iter_mut().for_each(|wanted| *wanted = 0);
            continue;
        };
        let message = next.context("the connection to the hub was lost")?;
        if message.status == Some(StatusCode::NO_RESPONDERS) {
            bail!("{}", super::hub::NO_RESOLVER);
        }
        let at = message.subject.rsplit('.').next();
        let at: usize = at.and_then(|at| at.parse().ok()).context("an answer")?;
        if let Some(wanted) = wanted.get_mut(at).filter(|wanted| **wanted > 0) {
            *wanted -= 1;
            if *wanted == 0 {
                open -= 1;
            }
        }
        each(at, message)?;
    }
}
