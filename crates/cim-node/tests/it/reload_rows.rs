//! Every row of the table of fields, taken through a running nats-server: unset, its example, another value, unset.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::thread::ScopedJoinHandle;

use anyhow::{Result, ensure};
use cim_testkit::{Row, plan, rows};
use serde_json::Value;

use crate::support::{Hosts, hosts, reload};

/// How many nats-servers run at a time.
const WORKERS: usize = 6;

#[test]
fn rows_are_hot_or_cold_as_they_say() -> Result<()> {
    let mut groups: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for row in rows()? {
        groups.entry(row.unset.to_string()).or_default().push(row);
    }
    // Rows that start from the same spec share a server; in small pieces, so that no worker is left with a long one.
    let pieces = groups.into_values().flat_map(|rows| {
        let pieces = rows.chunks(12).map(<[Row]>::to_vec);
        pieces.collect::<Vec<_>>()
    });
    let pieces = Mutex::new(pieces.collect::<Vec<_>>());
    let next = || pieces.lock().ok()?.pop();
    let work = || std::iter::from_fn(next).flat_map(piece).collect();
    let complaints: Vec<String> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
        let join = |worker: ScopedJoinHandle<'_, Vec<String>>| {
            worker
                .join()
                .unwrap_or_else(|_| vec!["a worker panicked".to_owned()])
        };
        workers.into_iter().flat_map(join).collect()
    });
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    Ok(())
}

#[test]
fn accounts_are_hot_as_a_whole() -> Result<()> {
    let of_accounts = |row: &Row| {
        ["account.", "user."]
            .iter()
            .any(|b| row.name.starts_with(b))
    };
    let rows: Vec<Row> = rows()?.into_iter().filter(of_accounts).collect();
    assert!(rows.len() > 10, "only {} rows", rows.len());
    for row in rows {
        assert!(
            row.hot,
            "{} is cold: reload.json says that fleet.accounts is hot",
            row.name
        );
    }
    Ok(())
}

/// Tries rows on one server, which is started anew where a row did not leave it as it was.
fn piece(rows: Vec<Row>) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut running = None;
    for row in &rows {
        let started = match running.take() {
            Some(hosts) => Ok(hosts),
            None => start(&row.unset),
        };
        let tried = started.and_then(|mut hosts| Ok((all_transitions(&mut hosts, row)?, hosts)));
        match tried {
            Ok((true, hosts)) => running = Some(hosts),
            Ok((false, _)) => {}
            Err(error) => complaints.push(format!("{}: {error:#}", row.name)),
        }
    }
    complaints
}

fn start(spec: &Value) -> Result<Hosts> {
    let mut hosts = hosts(std::slice::from_ref(spec))?;
    hosts.fleet.start_all()?;
    Ok(hosts)
}

/// Whether the server is where it began.
fn all_transitions(hosts: &mut Hosts, row: &Row) -> Result<bool> {
    let name = hosts.fleet.names().remove(0);
    let pid = hosts.fleet.server(&name)?.pid();
    let mut at = None;
    let mut refused = Vec::new();
    let values = [Some(&row.example), row.other.as_ref()];
    for value in values.into_iter().flatten().map(Some).chain([None]) {
        if value == at {
            continue; // a refusal left it there
        }
        let spec = match value {
            Some(value) => row.set_to(value)?,
            None => row.unset.clone(),
        };
        hosts.fleet.rewrite(&name, plan(&spec)?)?;
        let said = reload(&hosts.fleet, &name)?;
        ensure!(hosts.fleet.server(&name)?.pid() == pid, "another process");
        if said.ok {
            at = value;
            continue;
        }
        let way = format!("{} → {}", shown(at), shown(value));
        ensure!(
            !row.hot,
            "{way} is refused, but the row is hot: {}",
            said.text
        );
        said.refused(&["keeps its old config", "nats-server says"]);
        refused.push(way);
    }
    let is_cold = row.hot || row.cold.is_some() || !refused.is_empty();
    ensure!(
        is_cold,
        "nats-server takes every transition over: say since when it is hot, or why it counts as cold"
    );
    ensure!(
        row.cold.is_none() || refused.is_empty(),
        "is cold by itself: {refused:?}"
    );
    Ok(at.is_none())
}

fn shown(value: Option<&Value>) -> String {
    value.map_or("unset".to_owned(), Value::to_string)
}
