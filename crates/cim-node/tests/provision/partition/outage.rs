//! One outage: publishers at both ends, a cut of some kind and length, and a leaf that dies in it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use async_nats::Client;
use cim_testkit::{Cut, until};
use futures_util::future::{try_join, try_join_all};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::watch::{Sender, channel};
use tokio::task::JoinSet;

use super::held::{bodies, compare};
use super::pair::{HUB, LEAF, Pair, SIDES, Side};
use super::publisher::{Done, Order, Publisher, WINDOW};
use super::table::Row;

/// How many messages each side has acknowledged by the end, at least.
pub const MESSAGES: u64 = 10_000;

/// Publishers at each end.
const PUBLISHERS: usize = 2;

/// How many messages each end has acknowledged before the cut, and publishes once all have caught up.
const AROUND: u64 = 500;

/// What goes on being published while they catch up.
const MEANWHILE: Order = Order::Pace(Duration::from_secs(1));

/// How long it may take until everything is at the other end.
const PATIENCE: Duration = Duration::from_secs(240);

/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// What happens.
#[derive(Debug, Clone, Copy)]
pub struct Outage {
    pub cut: Cut,
    pub length: Duration,
    pub death: Death,
}

/// When the leaf is killed at once, and when it comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Death {
    /// It lives on.
    None,
    /// Killed while it is cut off, it starts when the wire is mended.
    AtTheEnd,
    /// Killed while it is cut off, it starts while it still is.
    Within,
    /// Three times while it is cut off, and again as soon as it is linked: while both ends catch up.
    Often,
}

/// One side, as messages are published and followed.
struct Lane {
    side: Side,
    orders: Sender<Order>,
    done: Arc<Done>,
    origin: Client,
    copy: Client,
}

impl Lane {
    fn acknowledged(&self) -> u64 {
        self.done.acknowledged.load(Ordering::SeqCst)
    }
}

/// The messages that a stream has.
pub async fn messages(client: &Client, stream: &str) -> Result<u64> {
    let subject = format!("$JS.API.STREAM.INFO.{stream}");
    let answer = client.request(subject, "".into()).await?;
    let info: Value = serde_json::from_slice(&answer.payload)?;
    let count = info["state"]["messages"].as_u64();
    count.with_context(|| format!("{stream}: {info}"))
}

/// Waits until a stream has so many.
pub async fn reaches(client: &Client, stream: &str, count: u64) -> Result<()> {
    let until = Instant::now() + PATIENCE;
    loop {
        // A server that was just killed does not answer.
        let found = messages(client, stream).await;
        if found.as_ref().is_ok_and(|found| *found >= count) {
            return Ok(());
        }
        ensure!(
            Instant::now() < until,
            "{stream} has {found:?} of {count} after {PATIENCE:?}"
        );
        tokio::time::sleep(LOOK).await;
    }
}

impl Outage {
    /// Lives through it, on a pair that was never cut off, and holds every message at every end.
    pub async fn suffer(&self, pair: &mut Pair) -> Result<Row> {
        let mut publishers = JoinSet::new();
        let mut lanes = Vec::new();
        for side in SIDES {
            let (done, login) = (Arc::new(Done::default()), pair.login(side)?);
            let (orders, heard) = channel(Order::Haste);
            for number in 0..PUBLISHERS {
                let publisher = Publisher::new(side, number, login.clone(), done.clone());
                publishers.spawn(publisher.run(heard.clone()));
            }
            lanes.push(Lane {
                orders,
                done,
                origin: pair.fleet.client(side.server, side.user).await?,
                copy: pair
                    .fleet
                    .client(side.far().server, side.far().user)
                    .await?,
                side,
            });
        }
        for lane in &lanes {
            reaches(&lane.copy, lane.side.copy, AROUND).await?;
        }
        let mut row = self.cut_off(pair, &lanes).await?;
        self.catch_up(pair, &lanes, &mut row).await?;
        for lane in &lanes {
            lane.orders.send_replace(Order::Haste);
            let enough = (lane.acknowledged() + AROUND).max(MESSAGES);
            reaches(&lane.origin, lane.side.origin, enough).await?;
            lane.orders.send_replace(Order::Stop);
        }
        let mut acknowledged = BTreeMap::new();
        while let Some(ended) = publishers.join_next().await {
            let (name, count) = ended??;
            acknowledged.insert(name, count);
        }
        for lane in &lanes {
            all_there(lane, &acknowledged).await?;
            let of = |number: &AtomicU64| number.load(Ordering::SeqCst);
            row.acknowledged.push(of(&lane.done.acknowledged));
            row.resent.push(of(&lane.done.resent));
            row.duplicates.push(of(&lane.done.duplicates));
        }
        Ok(row)
    }

    /// From the cut until the wire is mended.
    async fn cut_off(&self, pair: &mut Pair, lanes: &[Lane]) -> Result<Row> {
        let before: Vec<u64> = lanes.iter().map(Lane::acknowledged).collect();
        let mut row = Row::of(self);
        pair.wire.cut(self.cut);
        let since = Instant::now();
        for lane in lanes {
            lane.orders.send_replace(self.pace());
        }
        // Late in the outage, so that it is seen when the leaf notices by itself.
        let kills: &[f64] = match self.death {
            Death::None => &[],
            Death::AtTheEnd | Death::Within => &[0.6],
            Death::Often => &[0.6, 0.75, 0.9],
        };
        for place in kills {
            self.watch(pair, since, self.length.mul_f64(*place), &mut row)
                .await;
            pair.fleet.kill(LEAF)?;
            row.was_killed = true;
            if self.death != Death::AtTheEnd {
                pair.fleet.start(LEAF)?;
            }
        }
        self.watch(pair, since, self.length, &mut row).await;
        for (lane, before) in lanes.iter().zip(&before) {
            // A machine that others load makes it longer. What is stored may not be acknowledged yet.
            if self.is_long() {
                let enough = before + MESSAGES + 4 * WINDOW;
                reaches(&lane.origin, lane.side.origin, enough).await?;
            }
        }
        row.lasted = since.elapsed().as_secs_f64();
        for (lane, before) in lanes.iter().zip(before) {
            row.while_cut.push(lane.acknowledged() - before);
        }
        Ok(row)
    }

    /// Whether 10,000 messages can be published while it lasts.
    fn is_long(&self) -> bool {
        self.length >= Duration::from_secs(15)
    }

    /// Such that they are; twice as fast, for the leaf dies and others load the machine.
    fn pace(&self) -> Order {
        let windows = MESSAGES * 2 / WINDOW;
        let publishers = u32::try_from(PUBLISHERS).unwrap_or(1);
        let each = self.length * publishers / u32::try_from(windows).unwrap_or(1);
        match self.is_long() {
            true => Order::Pace(each),
            false => Order::Haste,
        }
    }

    /// Looks at the link's ends until so long after the cut.
    async fn watch(&self, pair: &Pair, since: Instant, until: Duration, row: &mut Row) {
        while since.elapsed() < until {
            let gone = |server| pair.fleet.links(server).is_ok_and(|links| links.is_empty());
            // One that was killed has no link to give up.
            if !row.was_killed && row.leaf_noticed.is_none() && gone(LEAF) {
                row.leaf_noticed = Some(since.elapsed().as_secs_f64());
            }
            if row.hub_noticed.is_none() && gone(HUB) {
                row.hub_noticed = Some(since.elapsed().as_secs_f64());
            }
            tokio::time::sleep(LOOK.min(until.saturating_sub(since.elapsed()))).await;
        }
    }

    /// Mends the wire, and measures how long the ends take.
    async fn catch_up(&self, pair: &mut Pair, lanes: &[Lane], row: &mut Row) -> Result<()> {
        pair.wire.mend();
        let since = Instant::now();
        if self.death == Death::AtTheEnd {
            pair.fleet.start(LEAF)?;
        }
        let mut stored = Vec::new();
        for lane in lanes {
            // The leaf may have started just now.
            let told = async || messages(&lane.origin, lane.side.origin).await;
            stored.push(until("it tells what it has", told).await?);
        }
        linked(pair, since).await?;
        row.linked = since.elapsed().as_secs_f64();
        if self.death == Death::Often {
            pair.fleet.kill(LEAF)?;
            pair.fleet.start(LEAF)?;
        }
        let arrivals = lanes.iter().zip(stored).map(async |(lane, stored)| {
            reaches(&lane.copy, lane.side.copy, stored).await?;
            Ok::<_, anyhow::Error>(since.elapsed().as_secs_f64())
        });
        let published = lanes.iter().map(async |lane| {
            reaches(&lane.origin, lane.side.origin, MESSAGES).await?;
            lane.orders.send_replace(MEANWHILE);
            Ok(())
        });
        let (arrived, _) = try_join(try_join_all(arrivals), try_join_all(published)).await?;
        row.caught_up = arrived;
        Ok(())
    }
}

/// Waits until both ends say that they are linked.
async fn linked(pair: &Pair, since: Instant) -> Result<()> {
    loop {
        let is = |server| pair.fleet.links(server).is_ok_and(|links| links.len() == 1);
        if is(LEAF) && is(HUB) {
            return Ok(());
        }
        ensure!(since.elapsed() < PATIENCE, "no link after {PATIENCE:?}");
        tokio::time::sleep(LOOK).await;
    }
}

/// Every acknowledged message is in the origin and in its copy, once, in order; and both have one order.
async fn all_there(lane: &Lane, acknowledged: &BTreeMap<String, u64>) -> Result<()> {
    let own = format!("{}-", lane.side.subjects);
    let mut of_side = acknowledged.clone();
    of_side.retain(|name, _| name.starts_with(&own));
    let count = messages(&lane.origin, lane.side.origin).await?;
    reaches(&lane.copy, lane.side.copy, count).await?;
    let origin = bodies(&lane.origin, lane.side.origin).await?;
    let copy = bodies(&lane.copy, lane.side.copy).await?;
    compare(&of_side, &origin).with_context(|| lane.side.origin)?;
    compare(&of_side, &copy).with_context(|| lane.side.copy)?;
    let differ = origin
        .iter()
        .zip(&copy)
        .position(|(one, other)| one != other);
    match differ {
        None => Ok(()),
        Some(place) => Err(anyhow!(
            "{} has {:?} at {place}, its origin {:?}",
            lane.side.copy,
            copy.get(place),
            origin.get(place)
        )),
    }
}
