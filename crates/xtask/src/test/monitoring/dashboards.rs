//! The dashboards: what they ask, and that Grafana takes them for three.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{list, promql};

/// One dashboard.
pub struct Dashboard {
    /// Its file, without the ending.
    pub name: String,
    pub title: String,
    /// What its panels and variables ask.
    pub queries: Vec<String>,
}

/// All in the folder.
pub fn read(folder: &Path) -> Result<Vec<Dashboard>> {
    let mut dashboards = Vec::new();
    let mut uids = BTreeSet::new();
    for entry in fs::read_dir(folder).context("reading the dashboards")? {
        let path = entry.context("reading the dashboards")?.path();
        let text = fs::read_to_string(&path)?;
        let value: Value =
            serde_json::from_str(&text).with_context(|| format!("reading {}", path.display()))?;
        let dashboard = one(&path, &value).with_context(|| format!("in {}", path.display()))?;
        let uid = value["uid"].as_str().context("no uid")?;
        ensure!(
            uids.insert(uid.to_owned()),
            "two dashboards have the uid {uid}"
        );
        dashboards.push(dashboard);
    }
    dashboards.sort_by(|a, b| a.name.cmp(&b.name));
    let names: Vec<_> = dashboards.iter().map(|one| one.name.as_str()).collect();
    ensure!(
        names == ["fleet", "hub", "leaf"],
        "the dashboards are {names:?}"
    );
    Ok(dashboards)
}

impl Dashboard {
    /// The series that its queries are made of: a query has an answer while one part of an `or` has.
    pub fn series(&self) -> BTreeSet<String> {
        let each = self.queries.iter();
        each.flat_map(|query| promql::selectors(query)).collect()
    }
}

fn one(path: &Path, value: &Value) -> Result<Dashboard> {
    let mut queries = Vec::new();
    let mut ids = BTreeSet::new();
    for panel in list(value, "/panels")? {
        let title = panel["title"].as_str().context("a panel has no title")?;
        ensure!(
            ids.insert(panel["id"].as_u64()),
            "{title}: its id is another's"
        );
        let about = panel["description"].as_str().unwrap_or_default();
        ensure!(
            !about.is_empty(),
            "{title}: nothing says what it shows (description)"
        );
        for target in list(panel, "/targets")? {
            let expr = target["expr"].as_str();
            queries.push(
                expr.with_context(|| format!("{title}: no expr"))?
                    .to_owned(),
            );
        }
    }
    for variable in list(value, "/templating/list")? {
        if variable["type"] == "query" {
            let query = variable["query"].as_str().context("a variable asks")?;
            let inside = query.strip_prefix("label_values(");
            let series = inside.and_then(|inside| inside.rsplit_once(", "));
            let (series, label) = series.with_context(|| format!("{query}: no label_values"))?;
            let label = label.trim_end_matches(')');
            // Series without the label are no values.
            queries.push(format!(
                "count by ({label}) ({series}) unless on ({label}) vector(0)"
            ));
        }
    }
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    Ok(Dashboard {
        name: name.into_owned(),
        title: value["title"].as_str().context("no title")?.to_owned(),
        queries,
    })
}
