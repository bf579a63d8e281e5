//! What an account may have, as its JWT says it: an absent limit there is none at all, so every one is written.

use cim_creds::body::account::{ClusterTraffic, MsgTrace};
use cim_creds::body::limits::{JetStreamLimits, NO_LIMIT, OperatorLimits};
use cim_spec::field::{Setting, SettingValue};
use cim_spec::plan;

/// The account's limits, JetStream's among them.
pub(crate) fn of(account: &plan::Account) -> OperatorLimits {
    let mut limits = OperatorLimits {
        jetstream: account.jetstream.map(quota).unwrap_or_default(),
        ..OperatorLimits::default()
    };
    for setting in &account.fields {
        put(&mut limits, account.jetstream.is_some(), setting);
    }
    limits
}

/// Without a limit of the account's own: what the server has.
fn quota(quota: plan::Quota) -> JetStreamLimits {
    let bytes = |limit: Option<u64>| {
        limit.map_or(NO_LIMIT, |bytes| i64::try_from(bytes).unwrap_or(i64::MAX))
    };
    JetStreamLimits {
        mem_storage: bytes(quota.max_memory),
        disk_storage: bytes(quota.max_file),
        streams: NO_LIMIT,
        consumer: NO_LIMIT,
        max_ack_pending: NO_LIMIT,
        mem_max_stream_bytes: NO_LIMIT,
        disk_max_stream_bytes: NO_LIMIT,
        max_bytes_required: false,
    }
}

/// The rows of `fields/account.json` that are limits.
fn put(limits: &mut OperatorLimits, jetstream: bool, setting: &Setting) {
    let store = &mut limits.jetstream;
    let place = match setting.field.option {
        "limits.maxConnections" => &mut limits.conn,
        "limits.maxSubscriptions" => &mut limits.subs,
        "limits.maxPayload" => &mut limits.payload,
        "limits.maxLeafnodes" => &mut limits.leaf,
        // Of an account without JetStream they would switch it on.
        _ if !jetstream => return,
        "jetstream.maxStreams" => &mut store.streams,
        "jetstream.maxConsumers" => &mut store.consumer,
        "jetstream.maxAckPending" => &mut store.max_ack_pending,
        "jetstream.memMaxStreamBytes" => &mut store.mem_max_stream_bytes,
        "jetstream.diskMaxStreamBytes" => &mut store.disk_max_stream_bytes,
        "jetstream.maxBytesRequired" => {
            store.max_bytes_required = setting.value == SettingValue::Bool(true);
            return;
        }
        _ => return,
    };
    if let SettingValue::Int(number) = setting.value {
        *place = number;
    }
}

/// Tracing of its messages; `None`: none.
pub(crate) fn trace(account: &plan::Account) -> Option<MsgTrace> {
    let mut trace = MsgTrace::default();
    for setting in &account.fields {
        match (setting.field.option, &setting.value) {
            ("msgTrace.dest", SettingValue::Text(subject)) => trace.dest.clone_from(subject),
            ("msgTrace.sampling", SettingValue::Int(percent)) => trace.sampling = *percent,
            _ => {}
        }
    }
    (!trace.dest.is_empty()).then_some(trace)
}

/// Where its JetStream's cluster traffic runs; `None`: nats-server's own, the system account.
pub(crate) fn cluster_traffic(account: &plan::Account) -> Option<ClusterTraffic> {
    let mut fields = account.fields.iter();
    let set = fields.find(|setting| setting.field.option == "jetstream.clusterTraffic")?;
    match &set.value {
        SettingValue::Text(word) if word == "owner" => Some(ClusterTraffic::Owner),
        _ => Some(ClusterTraffic::System),
    }
}
