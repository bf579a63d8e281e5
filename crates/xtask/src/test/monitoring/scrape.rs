//! What the modules tell Prometheus: promtool takes it, and what the dashboards go by is in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::list;
use crate::process;
use crate::tools::Tools;

/// What services.cim.monitoring sets on each host, as checks/eval tells it.
pub fn check(tools: &Tools, hosts: &BTreeMap<&str, &Value>) -> Result<()> {
    let folder = tempfile::tempdir().context("creating a folder")?;
    let mut labels = BTreeSet::new();
    let mut declared = 0;
    for (host, set) in hosts {
        let Some(configs) = set.get("scrapeConfigs") else {
            continue;
        };
        let file = folder.path().join(format!("{host}.json"));
        fs::write(&file, json!({ "scrape_configs": configs }).to_string())?;
        let mut promtool = tools.command("promtool")?;
        process::quiet(promtool.args(["check", "config"]).arg(&file))
            .with_context(|| format!("the configuration of {host}"))?;
        for target in list(&configs[0], "/static_configs")? {
            let of_target = target["labels"].as_object().context("labels")?;
            labels.extend(of_target.keys().cloned());
        }
        for rules in list(set, "/ruleFiles")?
            .iter()
            .filter(|rules| rules.is_object())
        {
            fs::write(&file, rules.to_string())?;
            let mut promtool = tools.command("promtool")?;
            process::quiet(promtool.args(["check", "rules"]).arg(&file))?;
            for rule in list(rules, "/groups/0/rules")? {
                ensure!(rule["record"] == "cim_fleet_server", "{rule}");
                declared += 1;
            }
        }
    }
    let labels: Vec<_> = labels.iter().map(String::as_str).collect();
    ensure!(
        labels == ["hub", "instance", "leaf", "region", "role"],
        "labels of the pages are {labels:?}"
    );
    ensure!(declared > 0, "no host has the fleet as series");
    Ok(())
}
