//! `cargo xtask soak render`: the property tests of cim-render on whole specs, at length.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use serde::Deserialize;

use super::machine::{date, machine};
use crate::process;
use crate::progress::Progress;
use crate::tools::{Purpose, Tools};
use crate::workspace::Workspace;

/// Where the result stands.
const PAGE: &str = "docs/fuzz.md";

/// How much of it, and which.
#[derive(clap::Args)]
pub struct Args {
    /// Changed specs that are taken through parsing, rules, rendering and reading back.
    #[arg(long, default_value_t = 1_000_000)]
    mutations: u64,
    /// Random plans that hold the rules and that the real server starts with.
    #[arg(long, default_value_t = 2_000)]
    plans: u64,
    /// Brings the same cases back.
    #[arg(long)]
    seed: Option<u64>,
}

/// What the first test reports.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Mutations {
    mutations: u64,
    no_spec: u64,
    refused: u64,
    rendered: u64,
    seconds: u64,
}

/// What the second test reports.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Plans {
    accepted: u64,
    seconds: u64,
    nats_server: String,
}

/// Runs both, and writes the page if all is well.
pub fn run(args: &Args, workspace: &Workspace, progress: &Progress) -> Result<()> {
    let tools = Tools::install(workspace, Purpose::Demo, progress)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.context("reading the clock")?.as_secs();
    let seed = args.seed.unwrap_or(now);
    progress.note(&format!("seed {seed}"));
    let scratch = tempfile::tempdir().context("making a scratch folder")?;
    let test = |name: &str| -> Result<String> {
        let report = scratch.path().join(name);
        let mut cargo = workspace.cargo();
        cargo
            .args(["test", "--profile", "soak", "--package", "cim-render"])
            .args(["--test", "it", "--", "--exact"])
            .arg(format!("mutation::{name}"))
            .env("NATS_SERVER", &tools.nats_server.path)
            .env("CIM_SOAK_REPORT", &report)
            .env("CIM_SOAK_SEED", seed.to_string())
            .env("CIM_SOAK_MUTATIONS", args.mutations.to_string())
            .env("CIM_SOAK_PLANS", args.plans.to_string());
        progress.doing(&name.replace('_', " "), || process::quiet(&mut cargo))?;
        fs::read_to_string(&report).with_context(|| format!("reading {}", report.display()))
    };
    let plans = test("the_real_server_takes_random_plans_that_hold_the_rules")?;
    let plans: Plans = serde_json::from_str(&plans).context("reading a report")?;
    let mutations = test("changed_specs_never_panic_and_leave_nothing_unquoted")?;
    let mutations: Mutations = serde_json::from_str(&mutations).context("reading a report")?;
    let page = workspace.root.join(PAGE);
    let text = text(&mutations, &plans, seed, &date()?);
    fs::write(&page, text).with_context(|| format!("writing {}", page.display()))?;
    progress.note(&format!("{PAGE} has the result"));
    Ok(())
}

fn text(mutations: &Mutations, plans: &Plans, seed: u64, date: &str) -> String {
    format!(
        "# Fuzzing the renderer\n\n\
         `cargo xtask soak render` writes this page; `cargo test -p cim-render mutation` is its short form.\n\n\
         Each case is a golden spec with a few places changed: values removed, swapped, renamed, nested, replaced by texts that \
         mean something to nats-server, by huge numbers, by what another spec has there. It must end in one of three ways, and \
         never in a panic: it is no spec, rules refuse it and say why, or it is rendered. What is rendered reads back as the \
         document that was meant, and each of its lines is a quoted key with a quoted text, a number or a word of the grammar (held \
         by a reader of lines that shares no code with the writer).\n\n\
         Each plan is a golden spec that random steps changed, where a step that a rule refuses is taken back. The real server must \
         pass `-t`, start, become healthy and stop with it, with the digest that we computed.\n\n\
         | {date}, {} | |\n|---|---|\n\
         | changed specs | {} |\n\
         | of these no spec, refused, rendered | {}, {}, {} |\n\
         | panics, unquoted lines, other documents | 0 |\n\
         | seconds | {} |\n\
         | plans that nats-server {} accepted, with our digest | {} of {} |\n\
         | seconds | {} |\n\
         | seed | {seed} |\n",
        machine(),
        mutations.mutations,
        mutations.no_spec,
        mutations.refused,
        mutations.rendered,
        mutations.seconds,
        plans.nats_server,
        plans.accepted,
        plans.accepted,
        plans.seconds,
    )
}
