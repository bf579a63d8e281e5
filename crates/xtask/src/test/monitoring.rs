//! Alerts and dashboards: promtool accepts and tests them, every check has its alert, and a real Prometheus that reads real
//! servers has every series that they name.

mod dashboards;
mod prometheus;
mod promql;
mod rules;
mod scene;
mod scrape;

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use self::dashboards::Dashboard;
use self::prometheus::Prometheus;
use self::rules::Alert;
use self::scene::{Programs, Scene};
use super::eval::Eval;
use super::{Session, units};

/// What the operators' Prometheus reads.
const RULES: &str = "modules/monitoring/rules.yaml";

/// The step.
pub fn run(session: &mut Session) -> Result<()> {
    let tools = session.tools()?;
    let flake = session.flake()?;
    let root = session.workspace.root.clone();
    let alerts = rules::read(&root.join(RULES))?;
    let dashboards = dashboards::read(&root.join("modules/monitoring/dashboards"))?;

    let mut problems = rules::told(&alerts);
    problems.extend(rules::known(&alerts));
    problems.extend(rules::tested(&alerts, &root.join("checks/monitoring"))?);
    units::none(problems)?;
    rules::check(&tools, &root)?;
    rules::each_state_has_one(&tools, &root.join(RULES))?;

    let eval = Eval::new(&tools, flake.source(), flake.standins());
    let hosts = units::hosts(&eval)?;
    let set: BTreeMap<_, _> = hosts
        .iter()
        .map(|(name, host)| (name.as_str(), host.summary("monitoring")))
        .collect();
    scrape::check(&tools, &set)?;

    let programs = Programs {
        nats_server: tools.nats_server.path.clone(),
        cim_health: session.workspace.built("cim-health"),
        cim_backup: session.workspace.built("cim-backup"),
    };
    let scene = Scene::start(&programs)?;
    let prometheus = Prometheus::start(&tools, &root.join(RULES), &scene)?;
    let seen = queries(&prometheus, &scene, &alerts, &dashboards)?;
    session.progress.note(&seen);
    Ok(())
}

/// Everything that alerts and dashboards ask, of a Prometheus that reads real servers.
fn queries(
    prometheus: &Prometheus,
    scene: &Scene,
    alerts: &[Alert],
    dashboards: &[Dashboard],
) -> Result<String> {
    let mut problems = Vec::new();
    let mut count = 0;
    for dashboard in dashboards {
        let series = dashboard.series();
        for query in dashboard.queries.iter().chain(&series) {
            let asked = scene.filled(query, &dashboard.name);
            count += 1;
            if let Err(error) = prometheus.until_some(&asked) {
                problems.push(format!(
                    "{}: {}: {query}: {error:#}",
                    dashboard.name, dashboard.title
                ));
            }
        }
    }
    let mut names: Vec<_> = alerts.iter().flat_map(Alert::series).collect();
    names.sort();
    names.dedup();
    for name in &names {
        if let Err(error) = prometheus.until_some(name) {
            problems.push(format!("{RULES}: {name}: {error:#}"));
        }
    }
    units::none(problems)?;
    let firing = prometheus.alerts_are_well()?;
    ensure!(count > 0 && !names.is_empty(), "nothing was asked");
    Ok(format!(
        "{count} queries of dashboards, and series in them, and {} series of alerts are there; {firing} alerts are pending or firing",
        names.len()
    ))
}

/// A list at a path of a value.
fn list<'a>(value: &'a Value, path: &str) -> Result<&'a Vec<Value>> {
    let found = value.pointer(path).and_then(Value::as_array);
    found.with_context(|| format!("{path} is no list in {value}"))
}
