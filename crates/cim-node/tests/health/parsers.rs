//! Whatever a monitoring page says, it is read or refused, and what is read is judged without a panic.

use anyhow::Result;
use cim_node::health::judge::{Report, judge};
use cim_node::health::look::Looker;
use cim_node::health::{json, nagios, openmetrics, text};
use cim_node::monitor::{Leafz, Varz, duration};
use cim_spec::artefact::{Health, LimitKind, WatchedBackup, WatchedLimit};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};

use crate::scene::{LEAF, pair};

/// Any JSON, with the names that the pages have.
fn page() -> impl Strategy<Value = Value> {
    const NAMES: [&str; 25] = [
        "server_name",
        "config_load_time",
        "server_id",
        "start",
        "now",
        "connections",
        "jetstream",
        "config",
        "stats",
        "api",
        "max_memory",
        "leafs",
        "routes",
        "name",
        "account_details",
        "stream_detail",
        "consumer_detail",
        "sources",
        "active",
        "cluster",
        "replicas",
        "metadata",
        "newest",
        "drill",
        "attempt",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(json!("cim-prod-001")),
        Just(json!("2026-11-21T17:31:51.961611804Z")),
    ];
    leaf.prop_recursive(6, 96, 8, |inner| {
        let name = prop_oneof![
            prop::sample::select(&NAMES[..]).prop_map(str::to_owned),
            ".{0,8}"
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name, inner, 0..8)
                .prop_map(|map| Value::from(Map::from_iter(map))),
        ]
    })
}

/// What a leaf is held against, backups among it.
fn watching() -> Result<Health, TestCaseError> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../cim-render/tests/golden/security-cim-prod-001/health.json"
    );
    let read = cim_node::read_health(path.as_ref());
    let mut health = read.map_err(|error| TestCaseError::fail(format!("{error:#}")))?;
    health.watch.backups.push(WatchedBackup {
        account: "CIM-PROD".to_owned(),
        status: "/nowhere/status.json".to_owned(),
        drill: true,
    });
    health.watch.limits = LimitKind::ALL
        .map(|kind| WatchedLimit {
            account: "CIM-PROD".to_owned(),
            account_id: "CIM-PROD".to_owned(),
            kind,
            most: 1,
            option: "limits".to_owned(),
        })
        .into();
    Ok(health)
}

/// Puts what can be read of these pages into a look at nobody, and judges it in every form.
fn judged(pages: [&[u8]; 5]) -> Result<Report, TestCaseError> {
    let health = watching()?;
    // Nobody listens there; what was seen is put in its place.
    let nobody = "http://127.0.0.1:1".to_owned();
    let mut look = Looker::new("/nowhere".into()).look(&Health {
        monitor: nobody,
        ..health.clone()
    });
    let [varz, leafz, routez, jsz, told] = pages;
    if let Ok(varz) = serde_json::from_slice(varz) {
        look.varz = Ok(varz);
    }
    if let Ok(leafz) = serde_json::from_slice(leafz) {
        look.leafz = Ok(leafz);
    }
    if let Ok(routez) = serde_json::from_slice(routez) {
        look.routez = Ok(routez);
    }
    if let Some(slow) = std::rc::Rc::get_mut(&mut look.slow) {
        if let Ok(jsz) = serde_json::from_slice(jsz) {
            slow.jsz = Ok(jsz);
        }
        slow.connz = serde_json::from_slice(jsz).map_err(|error| error.to_string());
        let said = |page| serde_json::from_slice::<Value>(page).unwrap_or_default();
        let stat = &said(jsz)["connections"];
        let accounts =
            json!({"account_statz": [{"acc": "CIM-PROD", "conns": stat, "leafnodes": stat}]});
        let accounts = serde_json::from_value(accounts);
        slow.accounts.connected = Some(accounts.map_err(|error| error.to_string()));
        let connz = serde_json::from_slice(jsz).map_err(|error| error.to_string());
        slow.accounts.greediest = [("CIM-PROD".to_owned(), connz)].into();
        if let (Ok(told), Some((_, seen))) =
            (serde_json::from_slice(told), slow.backups.first_mut())
        {
            *seen = Ok(Some(told));
        }
    }
    let report = judge(&health, &look, None);
    let told = [
        text::text(&report),
        nagios::nagios(&report),
        openmetrics::openmetrics(&report),
        json::json(&report).to_string(),
    ];
    prop_assert!(told.iter().all(|told| !told.is_empty()));
    prop_assert!(told[2].ends_with("# EOF\n"));
    Ok(report)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_page_makes_it_panic_and_none_of_them_makes_it_well(pages in prop::collection::vec(page(), 5)) {
        let pages: Vec<_> = pages.iter().map(|page| page.to_string().into_bytes()).collect();
        let report = judged(std::array::from_fn(|index| pages[index].as_slice()))?;
        prop_assert_ne!(report.state().code(), 0);
    }

    #[test]
    fn no_bytes_make_it_panic_and_none_of_them_make_it_well(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let report = judged([&bytes; 5])?;
        prop_assert_eq!(report.state().code(), 3, "nobody knows anything");
    }

    #[test]
    fn every_cut_of_a_page_is_refused(at in 0_usize..100) {
        let page = json!({"server_name": "a", "config_load_time": "2026-11-21T17:31:51Z", "leafs": [], "routes": []}).to_string();
        if at < page.len() {
            prop_assert!(serde_json::from_str::<Varz>(&page[..at]).is_err());
            prop_assert!(serde_json::from_str::<Leafz>(&page[..at]).is_err());
        }
    }

    #[test]
    fn durations_are_read_or_refused(text in ".{0,20}") {
        if let Some(seconds) = duration::seconds(&text) {
            prop_assert!(seconds.is_finite() && seconds >= 0.0);
        }
    }
}

/// Pages of a real server with a few bytes changed or cut away: whatever can still be read is judged.
#[tokio::test]
async fn damaged_pages_of_a_real_server_make_it_no_panic() -> Result<()> {
    let scene = pair().await?;
    let get = |path: &str| -> Result<Vec<u8>> {
        let page: Value = scene.fleet.server(LEAF)?.get(path)?;
        Ok(page.to_string().into_bytes())
    };
    let told = json!({"newest": {"backup": "20261121T020000.000Z", "start": "2026-11-21T02:00:00Z", "end": "2026-11-21T02:00:01Z",
        "streams": 1, "consumers": 1, "messages": 7, "bytes": 512}, "attempt": {"at": "2026-11-21T02:00:01Z", "exit": 0, "problems": 0},
        "drill": {"backup": "20261121T020000.000Z", "at": "2026-11-21T02:00:09Z", "ok": true, "problems": 0, "seconds": 0.5}});
    let jsz = "/jsz?accounts=true&streams=true&consumers=true&config=true";
    let pages = [
        get("/varz")?,
        get("/leafz")?,
        get("/routez")?,
        get(jsz)?,
        told.to_string().into_bytes(),
    ];
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
    let cut = prop::option::weighted(0.2, any::<prop::sample::Index>());
    let each = prop::collection::vec((changes, cut), 5);
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(300)
    };
    let mut runner = TestRunner::new(config);
    let ran = runner.run(&each, |damage| {
        let damaged: Vec<_> = pages
            .iter()
            .zip(damage)
            .map(|(page, (changes, cut))| {
                let mut page = page.clone();
                for (at, byte) in changes {
                    *at.get_mut(&mut page) = byte;
                }
                let length = cut.map_or(page.len(), |cut| cut.index(page.len()));
                page.truncate(length);
                page
            })
            .collect();
        judged(std::array::from_fn(|index| damaged[index].as_slice())).map(drop)
    });
    ran.map_err(|error| anyhow::anyhow!("{error}"))
}
