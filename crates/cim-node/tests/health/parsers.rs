//! Whatever a monitoring page says, it is read or refused, and what is read is judged without a panic.

use cim_node::health::judge::judge;
use cim_node::health::look::Looker;
use cim_node::health::{json, nagios, openmetrics, text};
use cim_node::monitor::{Connz, Jsz, Leafz, Routez, Varz, duration};
use cim_spec::artefact::Health;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Any JSON, with the names that the pages have.
fn page() -> impl Strategy<Value = Value> {
    const NAMES: [&str; 22] = [
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

fn health() -> Result<Health, TestCaseError> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../cim-render/tests/golden/security-cim-prod-001/health.json"
    );
    cim_node::read_health(path.as_ref()).map_err(|error| TestCaseError::fail(error.to_string()))
}

fn read<T: serde::de::DeserializeOwned>(page: &Value) -> Option<T> {
    serde_json::from_value(page.clone()).ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_page_makes_it_panic_and_none_of_them_makes_it_well(pages in prop::collection::vec(page(), 4)) {
        let health = health()?;
        // Nobody listens there; what was seen is put in its place.
        let mut look = Looker::new("/nowhere".into()).look(&Health { monitor: "http://127.0.0.1:1".to_owned(), ..health.clone() });
        if let Some(varz) = read::<Varz>(&pages[0]) {
            look.varz = Ok(varz);
        }
        if let Some(leafz) = read::<Leafz>(&pages[1]) {
            look.leafz = Ok(leafz);
        }
        if let Some(routez) = read::<Routez>(&pages[2]) {
            look.routez = Ok(routez);
        }
        let _ = read::<Connz>(&pages[3]);
        if let (Some(slow), Some(jsz)) = (std::rc::Rc::get_mut(&mut look.slow), read::<Jsz>(&pages[3])) {
            slow.jsz = Ok(jsz);
        }
        let report = judge(&health, &look, None);
        prop_assert_ne!(report.state().code(), 0);
        let told = [text::text(&report), nagios::nagios(&report), openmetrics::openmetrics(&report), json::json(&report).to_string()];
        prop_assert!(told.iter().all(|told| !told.is_empty()));
        prop_assert!(told[2].ends_with("# EOF\n"));
    }

    #[test]
    fn bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = serde_json::from_slice::<Varz>(&bytes);
        let _ = serde_json::from_slice::<Jsz>(&bytes);
        let _ = serde_json::from_slice::<Leafz>(&bytes);
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
