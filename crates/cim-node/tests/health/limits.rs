//! Limits that are reached, and what nats-server only counts.

use std::cell::RefCell;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::fault::{Fault, well};
use crate::scene::{LEAF, Said, Scene, alone, open};
use crate::transcript::{FORMS, Told, words};

/// A leaf with other options of its server.
fn leaf(changes: &[(&str, Value)]) -> Result<Scene> {
    let mut spec = open("security-cim-prod-001")?;
    for (path, value) in changes {
        let at = spec.pointer_mut(&format!("/leaf/leaf/server/{path}"));
        *at.with_context(|| format!("no {path}"))? = value.clone();
    }
    alone(&spec)
}

#[tokio::test(flavor = "multi_thread")]
async fn stores_that_fill_up() -> Result<()> {
    let mut scene = leaf(&[
        ("jetstream/maxFileStore", json!("1MiB")),
        ("jetstream/maxMemoryStore", json!("1MiB")),
    ])?;
    let client = scene.fleet.client(LEAF, "graph").await?;
    for (check, storage) in [("storage", "file"), ("memory", "memory")] {
        for (kib, state, says) in [
            (800, "WARNING", "of 1.0 MiB used: 78 %"),
            (960, "CRITICAL", "of 1.0 MiB used: 9"),
        ] {
            let full = Fault {
                check,
                of: "",
                state,
                says: &[says],
            };
            let stream = json!({"name": "FULL", "subjects": ["full"], "storage": storage});
            let wait = |work: &mut dyn FnMut() -> Result<()>| tokio::task::block_in_place(work);
            full.seen(
                &mut scene,
                |_| {
                    wait(&mut || {
                        block(async {
                            ask(&client, "$JS.API.STREAM.CREATE.FULL", &stream.to_string()).await?;
                            for _ in 0..kib / 80 {
                                ask(&client, "full", &"x".repeat(80 * 1024 - 100)).await?;
                            }
                            Ok(())
                        })
                    })
                },
                |_| wait(&mut || block(ask(&client, "$JS.API.STREAM.DELETE.FULL", ""))),
            )?;
        }
    }
    Ok(())
}

async fn ask(client: &async_nats::Client, subject: &str, body: &str) -> Result<()> {
    let answer = client
        .request(subject.to_owned(), body.to_owned().into())
        .await?;
    let answer: Value = serde_json::from_slice(&answer.payload)?;
    ensure!(answer["error"].is_null(), "{subject}: {answer}");
    Ok(())
}

fn block<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Handle::current().block_on(work)
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_run_out() -> Result<()> {
    let mut scene = leaf(&[("limits/maxConnections", json!(4))])?;
    let clients = RefCell::new(Vec::new());
    for (count, state, says) in [
        (3, "WARNING", "3 of 4 connections: 75 %"),
        (4, "CRITICAL", "4 of 4 connections: 100 %"),
    ] {
        let many = Fault {
            check: "connections",
            of: "",
            state,
            says: &[says],
        };
        many.seen(
            &mut scene,
            |scene| {
                tokio::task::block_in_place(|| {
                    block(async {
                        for _ in 0..count {
                            let client = scene.fleet.client(LEAF, "graph").await?;
                            clients.borrow_mut().push(client);
                        }
                        Ok(())
                    })
                })
            },
            |_| {
                tokio::task::block_in_place(|| {
                    block(async {
                        for client in clients.take() {
                            client.drain().await?;
                        }
                        Ok(())
                    })
                })
            },
        )?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_that_run_out() -> Result<()> {
    let mut scene = leaf(&[("limits/maxSubscriptions", json!(10))])?;
    let client = scene.fleet.client(LEAF, "graph").await?;
    let mut held = Vec::new();
    let many = Fault {
        check: "subscriptions",
        of: "",
        state: "CRITICAL",
        says: &["(\"graph\") has 9 of 10 subscriptions: 90 %"],
    };
    let (held, client) = (&mut held, &client);
    many.seen(
        &mut scene,
        |_| {
            tokio::task::block_in_place(|| {
                block(async {
                    for number in 0..9 {
                        held.push(client.subscribe(format!("s.{number}")).await?);
                    }
                    client.flush().await.context("flushing")
                })
            })
        },
        |_| {
            tokio::task::block_in_place(|| {
                block(async { client.drain().await.context("draining") })
            })
        },
    )
}

/// How often the server was asked for a page.
fn asked(scene: &Scene, page: &str) -> Result<u64> {
    let varz: Value = scene.fleet.server(LEAF)?.get("/varz")?;
    Ok(varz["http_req_stats"][page].as_u64().unwrap_or_default())
}

/// Two looks in every form, with something between them.
async fn between(scene: &Scene, work: impl AsyncFnOnce() -> Result<()>) -> Result<Told> {
    let before = asked(scene, "/healthz")?;
    let looking = FORMS.map(|form| -> Result<_> {
        let words = [words(form), &["--over", "4"]].concat();
        let mut command = scene.command(&words)?;
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().context("looking")
    });
    let all = u64::try_from(FORMS.len())?;
    cim_testkit::until("the first looks", async || {
        ensure!(asked(scene, "/healthz")? >= before + all, "not yet");
        Ok(())
    })
    .await?;
    work().await?;
    let ended = |child: Result<std::process::Child>| Said::of(child?.wait_with_output()?);
    tokio::task::block_in_place(|| Told::of(looking.map(ended)))
}

/// How often two looks are taken before what they say is taken for wrong: on a busy machine the work may last longer than
/// there is between them.
const TRIES: usize = 3;

/// What is done between two looks is told by the second, in every form.
async fn counted(
    scene: &Scene,
    fault: Fault<'_>,
    before: &Told,
    work: impl AsyncFn() -> Result<()>,
) -> Result<()> {
    for _ in 1..TRIES {
        let told = between(scene, &work).await?;
        if fault.told(scene, before, &told).is_ok() {
            return Ok(());
        }
    }
    fault.told(scene, before, &between(scene, &work).await?)
}

/// How many connections were too slow so far.
fn cut_off(scene: &Scene) -> Result<u64> {
    let varz: Value = scene.fleet.server(LEAF)?.get("/varz")?;
    varz["slow_consumers"].as_u64().context("a count")
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_fail_are_counted() -> Result<()> {
    let mut scene = leaf(&[])?;
    scene.health.watch.levels.api_errors = crate::scene::level(3, 100);
    let once = scene.report()?;
    ensure!(
        once["later"].to_string().contains("slow-consumers"),
        "{once:#}"
    );
    let client = scene.fleet.client(LEAF, "graph").await?;
    let scene = alone_looks(scene)?;
    let before = between(&scene, async || Ok(())).await?;
    let failed = Fault {
        check: "api-errors",
        of: "",
        state: "WARNING",
        says: &["3 requests to JetStream failed in the last "],
    };
    counted(&scene, failed, &before, async || {
        for _ in 0..3 {
            client
                .request("$JS.API.STREAM.INFO.NOWHERE", "".into())
                .await?;
        }
        Ok(())
    })
    .await?;
    failed.mended(&before, &between(&scene, async || Ok(())).await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_cannot_keep_up_are_counted() -> Result<()> {
    let scene = alone_looks(leaf(&[
        ("limits/maxPayload", json!("1MiB")),
        ("limits/maxPending", json!("1MiB")),
    ])?)?;
    let client = scene.fleet.client(LEAF, "graph").await?;
    let before = between(&scene, async || Ok(())).await?;
    let slow = Fault {
        check: "slow-consumers",
        of: "",
        state: "WARNING",
        says: &[" connections too slow in the last "],
    };
    counted(&scene, slow, &before, async || {
        let then = cut_off(&scene)?;
        // A client that subscribes and never reads on: nobody runs its part.
        let deaf = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let subscribed = tokio::task::block_in_place(|| {
            deaf.block_on(async {
                let client = scene.fleet.client(LEAF, "graph").await?;
                let messages = client.subscribe("much").await?;
                cim_testkit::taken(&client).await?;
                // Its one worker is kept busy with something else.
                tokio::spawn(async { std::thread::park_timeout(Duration::from_secs(20)) });
                anyhow::Ok((client, messages))
            })
        })?;
        for _ in 0..64 {
            client.publish("much", vec![0; 512 * 1024].into()).await?;
        }
        client.flush().await?;
        cim_testkit::until("it is cut off", async || {
            ensure!(cut_off(&scene)? > then, "not yet");
            Ok(())
        })
        .await?;
        drop(subscribed);
        deaf.shutdown_background();
        Ok(())
    })
    .await?;
    slow.mended(&before, &between(&scene, async || Ok(())).await?)
}

/// A scene that is well.
fn alone_looks(scene: Scene) -> Result<Scene> {
    well(&scene)?;
    Ok(scene)
}
