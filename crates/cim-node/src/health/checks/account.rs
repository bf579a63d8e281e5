//! What accounts use of their own limits.

use std::time::Instant;

use cim_spec::artefact::{LimitKind, WatchedLimit};

use super::capacity::{asked, percent};
use crate::health::accounts::Connected;
use crate::health::check::Context;
use crate::health::finding::{Figure, Unit, Verdict, reached};
use crate::health::look::Seen;

/// `CIM/maxConnections`.
pub fn name(limit: &WatchedLimit) -> String {
    format!("{}/{}", limit.account, limit.kind)
}

/// Every limit of these kinds.
pub fn limits<'a>(
    context: &'a Context,
    kinds: &'static [LimitKind],
) -> impl Iterator<Item = &'a WatchedLimit> {
    let limits = context.health.watch.limits.iter();
    limits.filter(|limit| kinds.contains(&limit.kind))
}

/// Clients or leaf links of an account, over all nodes that tell.
pub fn connections(context: &Context, limit: &WatchedLimit) -> Result<Verdict, Verdict> {
    let accounts = &context.look.slow.accounts;
    asked_of(accounts.connected.as_ref())?;
    let mut all = accounts.here(&limit.account_id).unwrap_or_default();
    let mut silent = Vec::new();
    for node in &context.health.watch.peers {
        match at(context, node, &limit.account) {
            // Among an account's connections nats-server counts its own leaf links, and none of other nodes'.
            Some(there) if limit.kind == LimitKind::Connections => {
                all.clients = all.clients.saturating_add(there.clients);
            }
            Some(there) => all.leaves = all.leaves.saturating_add(there.leaves),
            None => silent.push(node.as_str()),
        }
    }
    let (used, what) = match limit.kind {
        LimitKind::Leafnodes => (all.leaves, "leaf links"),
        _ => (all.clients.saturating_add(all.leaves), "connections"),
    };
    let level = context.level(|levels| levels.connections);
    let share = percent(used, limit.most);
    let without = match silent.is_empty() {
        true => String::new(),
        false => format!(
            "; without those at {}, of which nothing is heard here",
            silent.join(", ")
        ),
    };
    let id = &limit.account_id;
    let page = match limit.kind {
        LimitKind::Leafnodes => format!("/leafz?acc={id}"),
        _ => format!("/connz?acc={id}"),
    };
    Ok(Verdict::measured(
        reached(share, level),
        format!(
            "{used} of {} {what} of {}: {share} %{without}",
            limit.most, limit.account
        ),
        format!(
            "see who they are: {page}; then raise {}, or mend who connects",
            limit.option
        ),
    )
    .figure(Figure::new("count", used as f64, Unit::Count))
    .figure(Figure::new("used_percent", share as f64, Unit::Percent).against(level)))
}

/// What another node of the cluster has told of an account; `None`: nothing that holds.
fn at(context: &Context, node: &str, account: &str) -> Option<Connected> {
    let heard = context.look.heard.as_ref()?;
    let said = heard.current(node, Instant::now())?;
    said.accounts.as_ref()?.get(account).copied()
}

/// Subscriptions of the connection of an account that has most.
pub fn subscriptions(context: &Context, limit: &WatchedLimit) -> Result<Verdict, Verdict> {
    let accounts = &context.look.slow.accounts;
    asked_of(accounts.connected.as_ref())?;
    let connz = accounts.greediest.get(&limit.account_id);
    let most = connz.map(asked).transpose()?;
    let most = most.and_then(|connz| connz.connections.first());
    let count = most.map_or(0, |connection| connection.subscriptions);
    let who = most.map_or("nobody".to_owned(), |most| most.who());
    let level = context.level(|levels| levels.subscriptions);
    let share = percent(count, limit.most);
    let id = &limit.account_id;
    Ok(Verdict::measured(
        reached(share, level),
        format!("{who} has {count} of {} subscriptions of {}: {share} %", limit.most, limit.account),
        format!(
            "see what it subscribes to: /connz?acc={id}&sort=subs&subs=1; then raise {}, or mend the client",
            limit.option
        ),
    )
    .figure(Figure::new("most", count as f64, Unit::Count))
    .figure(Figure::new("used_percent", share as f64, Unit::Percent).against(level)))
}

fn asked_of<T>(seen: Option<&Seen<T>>) -> Result<&T, Verdict> {
    match seen {
        Some(seen) => asked(seen),
        None => Err(Verdict::unknown("it was not looked at yet", "look again")),
    }
}
