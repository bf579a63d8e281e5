//! `cim-provision` on many assets beside the API requests that it cannot do without.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use cim_check::Server;
use serde_json::json;

use crate::process;
use crate::progress::Progress;
use crate::workspace::Workspace;

const STREAMS: u32 = 1000;

/// Consumers of each stream.
const CONSUMERS: u32 = 5;

/// Requests that are open at a time, of both.
const AT_ONCE: &str = "16";

/// How often each is run; the middle one counts.
const RUNS: usize = 7;

/// Runs it and prints the figures.
pub fn run(workspace: &Workspace, nats_server: &Path, progress: &Progress) -> Result<()> {
    progress.doing("building cim-provision for release", || {
        process::quiet(workspace.cargo().args([
            "build",
            "--release",
            "--package",
            "cim-node",
            "--bin",
            "cim-provision",
            "--example",
            "bare_api",
        ]))
    })?;
    let folder = tempfile::tempdir().context("creating a folder")?;
    let assets = folder.path().join("assets");
    let subjects = declare(&assets)?;
    let list = folder.path().join("subjects");
    fs::write(&list, subjects.join("\n")).context("writing the list of subjects")?;
    let home = folder.path().join("server");
    fs::create_dir_all(&home).context("creating the server's folder")?;
    let config = home.join("nats.conf");
    let text = format!(
        "listen: \"127.0.0.1:-1\"\nhttp: \"127.0.0.1:-1\"\nports_file_dir: \"{home}\"\njetstream {{ store_dir: \"{home}/js\" }}\n",
        home = home.display()
    );
    fs::write(&config, text).context("writing the server's config")?;
    let mut server = Server::start(nats_server, &config)?;
    server.healthy()?;

    let provision = workspace.target.join("release/cim-provision");
    let apply = || {
        let mut command = Command::new(&provision);
        command
            .arg("apply")
            .arg(&assets)
            .args(["--server", server.url()]);
        command.args(["--without-health", "--at-once", AT_ONCE]);
        command
    };
    let all = subjects.len();
    println!(
        "\n{STREAMS} streams and {} consumers, {AT_ONCE} requests at a time",
        all - STREAMS as usize
    );
    let (first, said) = timed(&mut apply())?;
    ensure!(
        said.contains(&format!("{all} done, 0 not")),
        "not all was made: {said}"
    );
    println!("first apply: {:.2} s", first);
    let bare = || {
        let mut command = Command::new(workspace.target.join("release/examples/bare_api"));
        command.args([server.url(), AT_ONCE]).arg(&list);
        command
    };
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let (seconds, said) = timed(&mut bare())?;
        ensure!(
            said.trim() == all.to_string(),
            "the bare program asked for {said:?} of {all}"
        );
        theirs.push(seconds);
        let (seconds, said) = timed(&mut apply())?;
        ensure!(
            said.contains(&format!("{all} as declared")),
            "something was to do: {said}"
        );
        ours.push(seconds);
    }
    let (ours, theirs) = (middle(ours), middle(theirs));
    println!(
        "nothing to do: {ours:.3} s; the bare API requests: {theirs:.3} s; {:.2} times as long",
        ours / theirs
    );
    Ok(())
}

/// Writes the assets' files; the API subjects that ask for them, in order.
fn declare(folder: &Path) -> Result<Vec<String>> {
    let write = |path: PathBuf, config: serde_json::Value| -> Result<()> {
        fs::create_dir_all(path.parent().unwrap_or(folder))
            .and_then(|()| fs::write(&path, config.to_string()))
            .with_context(|| format!("writing {}", path.display()))
    };
    let (mut streams, mut consumers) = (Vec::new(), Vec::new());
    for stream in 0..STREAMS {
        let name = format!("S{stream}");
        let config = json!({ "name": name, "subjects": [format!("s.{stream}.>")], "max_msgs": 1000, "max_age": 86_400_000_000_000_i64 });
        write(folder.join(format!("streams/{name}.json")), config)?;
        streams.push(format!("STREAM.INFO.{name}"));
        for consumer in 0..CONSUMERS {
            let config = json!({ "durable_name": format!("c{consumer}"), "ack_policy": "explicit", "filter_subject": format!("s.{stream}.{consumer}") });
            write(
                folder.join(format!("consumers/{name}/c{consumer}.json")),
                config,
            )?;
            consumers.push(format!("CONSUMER.INFO.{name}.c{consumer}"));
        }
    }
    streams.extend(consumers);
    Ok(streams)
}

fn timed(command: &mut Command) -> Result<(f64, String)> {
    let start = Instant::now();
    let output = command
        .stderr(Stdio::null())
        .output()
        .with_context(|| format!("running {command:?}"))?;
    let took = start.elapsed().as_secs_f64();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(
        output.status.success(),
        "{command:?} ended with {}: {said}",
        output.status
    );
    Ok((took, said))
}

fn middle(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or_default()
}
