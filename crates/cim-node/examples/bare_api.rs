//! What a run of `cim-provision` with nothing to do must at least ask JetStream, and nothing else: the names of the
//! streams, and one INFO for each asset of a list, so many at a time. For `cargo xtask bench` to compare with.
//!
//! Arguments: the server's URL, how many requests are open at a time, and a file with one API subject a line
//! (`STREAM.INFO.A`), which are asked in that order.

use std::fs;

use anyhow::{Context, Result, ensure};
use futures_util::{StreamExt, stream};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let mut next = || args.next().context("say URL, number and file");
    let (url, at_once, file) = (next()?, next()?.parse()?, next()?);
    let subjects = fs::read_to_string(&file).with_context(|| format!("reading {file}"))?;
    let client = async_nats::connect(url).await?;
    let names = client.request("$JS.API.STREAM.NAMES", "".into()).await?;
    ensure!(!names.payload.is_empty(), "no names");
    let asked = stream::iter(subjects.lines()).map(async |subject| {
        let answer = client
            .request(format!("$JS.API.{subject}"), "".into())
            .await?;
        // The answer is read, as whoever wants to know anything of it must.
        let answer: serde_json::Value = serde_json::from_slice(&answer.payload)?;
        ensure!(answer["config"].is_object(), "{subject}: {answer}");
        Ok(())
    });
    let mut asked = asked.buffer_unordered(at_once);
    let mut count = 0;
    while let Some(result) = asked.next().await {
        result?;
        count += 1;
    }
    println!("{count}");
    Ok(())
}
