//! The table of fields is upstream's.

use std::collections::BTreeMap;

use anyhow::Result;
use cim_spec::asset::{
    Change, Consumer, ConsumerLimits, External, Field, KeyValue, ObjectStore, Placement, Republish,
    Source, SourceConsumer, Stream, SubjectTransform,
};
use serde::Deserialize;

/// Fields that are the server's own: no file declares them.
const OWN: [&str; 2] = ["direct", "sourcing"];

#[derive(Deserialize)]
struct Upstream {
    types: BTreeMap<String, Vec<String>>,
}

#[test]
fn every_type_has_upstreams_fields_in_upstreams_order() -> Result<()> {
    let upstream: Upstream =
        serde_json::from_str(include_str!("../../../cim-spec/src/asset/upstream.json"))?;
    let ours: [(&str, &[Field]); 11] = [
        ("StreamConfig", Stream::FIELDS),
        ("ConsumerConfig", Consumer::FIELDS),
        ("StreamSource", Source::FIELDS),
        ("ExternalStream", External::FIELDS),
        ("StreamConsumerSource", SourceConsumer::FIELDS),
        ("StreamConsumerLimits", ConsumerLimits::FIELDS),
        ("RePublish", Republish::FIELDS),
        ("SubjectTransformConfig", SubjectTransform::FIELDS),
        ("Placement", Placement::FIELDS),
        ("KeyValueConfig", KeyValue::FIELDS),
        ("ObjectStoreConfig", ObjectStore::FIELDS),
    ];
    assert_eq!(upstream.types.len(), ours.len());
    for (name, fields) in ours {
        let theirs: Vec<_> = upstream.types[name]
            .iter()
            .filter(|field| !OWN.contains(&field.as_str()))
            .collect();
        let fields: Vec<_> = fields.iter().map(|field| field.name).collect();
        assert_eq!(fields, theirs, "{name}");
    }
    Ok(())
}

#[test]
fn every_field_of_a_bucket_is_one_of_its_stream() {
    for field in KeyValue::FIELDS.iter().chain(ObjectStore::FIELDS) {
        match field.change {
            Change::Stream(of) => {
                assert!(Stream::FIELDS.iter().any(|field| field.name == of), "{of}")
            }
            Change::Name => {}
            other => panic!("{}: {other:?}", field.name),
        }
    }
}
