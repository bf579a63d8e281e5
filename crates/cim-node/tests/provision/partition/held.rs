//! What a stream holds, body by body, and what is wrong with that.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use async_nats::Client;
use async_nats::jetstream::consumer::pull::OrderedConfig;
use futures_util::StreamExt;

/// How many mistakes are told of.
const TOLD: usize = 5;

/// A publisher's message: no two are alike.
pub fn body(publisher: &str, number: u64) -> String {
    let noise = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    format!("{publisher} {number} {noise:016x}{noise:016x}{noise:016x}{noise:016x}")
}

/// All messages of a stream, in its order.
pub async fn bodies(client: &Client, stream: &str) -> Result<Vec<String>> {
    let jetstream = async_nats::jetstream::new(client.clone());
    let stream = jetstream.get_stream(stream).await;
    let stream = stream.map_err(|error| anyhow!("{error}"))?;
    let count = usize::try_from(stream.cached_info().state.messages)?;
    if count == 0 {
        return Ok(Vec::new());
    }
    let consumer = stream.create_consumer(OrderedConfig::default()).await?;
    let mut messages = consumer.messages().await?.take(count);
    let mut bodies = Vec::with_capacity(count);
    while let Some(message) = messages.next().await {
        let message = message.map_err(|error| anyhow!("{error}"))?;
        let body = String::from_utf8(message.payload.to_vec());
        bodies.push(body.context("no body of ours")?);
    }
    ensure!(bodies.len() == count, "{} of {count} came", bodies.len());
    Ok(bodies)
}

/// Holds a stream against what was acknowledged: how many messages of each publisher. Every one is there once, and each
/// publisher's are in its order.
pub fn compare(acknowledged: &BTreeMap<String, u64>, held: &[String]) -> Result<()> {
    let mut wrong = Vec::new();
    let mut next: BTreeMap<&str, u64> = BTreeMap::new();
    for (place, held) in held.iter().enumerate() {
        let mut words = held.split(' ');
        let publisher = words.next().unwrap_or_default();
        let number = words.next().and_then(|number| number.parse().ok());
        let Some(number) = number.filter(|number| body(publisher, *number) == *held) else {
            wrong.push(format!("{held:?} at {place} is nobody's message"));
            continue;
        };
        let due = next.entry(publisher).or_default();
        if number != *due {
            wrong.push(format!(
                "{publisher} {number} at {place}, where {publisher} {due} is due"
            ));
        }
        *due = number + 1;
    }
    for (publisher, count) in acknowledged {
        let reached = next.remove(publisher.as_str()).unwrap_or_default();
        if reached != *count {
            wrong.push(format!("{publisher} ends at {reached} of {count}"));
        }
    }
    wrong.extend(
        next.keys()
            .map(|publisher| format!("{publisher} is nobody")),
    );
    if !wrong.is_empty() {
        let told = wrong.iter().take(TOLD).map(String::as_str);
        bail!(
            "{} mistakes among {} messages: {}",
            wrong.len(),
            held.len(),
            told.collect::<Vec<_>>().join("; ")
        );
    }
    Ok(())
}

/// That a message lost, doubled, moved or changed is noticed: else the tests here prove nothing.
#[test]
fn what_is_wrong_is_noticed() {
    let acknowledged = BTreeMap::from([("a".to_owned(), 3), ("b".to_owned(), 1)]);
    let good = ["a 0", "b 0", "a 1", "a 2"].map(|text| {
        let (publisher, number) = text.split_once(' ').unwrap();
        body(publisher, number.parse().unwrap())
    });
    compare(&acknowledged, &good).unwrap();
    let says = |change: fn(&mut Vec<String>), says: &str| {
        let mut held = good.to_vec();
        change(&mut held);
        let error = compare(&acknowledged, &held).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    };
    says(|held| drop(held.remove(0)), "a 1 at 1, where a 0 is due");
    says(|held| drop(held.pop()), "a ends at 2 of 3");
    says(|held| held.push(body("a", 3)), "a ends at 4 of 3");
    says(|held| held.push(body("a", 2)), "a 2 at 4, where a 3 is due");
    says(|held| held.swap(0, 2), "a 1 at 0, where a 0 is due");
    says(|held| held[1] = body("b", 0) + "0", "is nobody's message");
    says(|held| held.push(body("c", 0)), "c is nobody");
}
