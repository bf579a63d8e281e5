//! Exports, imports and mappings of an account, as its JWT says them.

use std::collections::BTreeMap;

use cim_creds::body::account::WeightedMapping;
use cim_creds::body::share::{Export, ExportType, Import, ResponseType, Sampling, ServiceLatency};
use cim_spec::plan::{self, Shared};
use cim_spec::spec::{Latency, Mappings};

use crate::template::nanoseconds;

/// How a subject is shared.
pub(crate) fn kind(shared: Shared) -> ExportType {
    match shared {
        Shared::Stream => ExportType::Stream,
        Shared::Service => ExportType::Service,
    }
}

/// An export; one for some accounts only needs an activation of each.
pub(crate) fn export(export: &plan::Export) -> Export {
    let position = export.account_token_position.unwrap_or_default();
    Export {
        token_req: export.accounts.is_some(),
        response_type: match export.response_type.as_deref() {
            Some("stream") => Some(ResponseType::Stream),
            Some("chunked") => Some(ResponseType::Chunked),
            Some(_) => Some(ResponseType::Singleton),
            None => None,
        },
        response_threshold: export.threshold.map_or(0, nanoseconds),
        service_latency: export.latency.as_ref().map(latency),
        account_token_position: u32::try_from(position).unwrap_or_default(),
        allow_trace: export.allow_trace.unwrap_or_default(),
        ..Export::new(kind(export.shared), &export.subject)
    }
}

fn latency(latency: &Latency) -> ServiceLatency {
    let percent = latency.sampling.trim_end_matches('%').parse();
    ServiceLatency {
        sampling: percent.map_or(Sampling::Headers, Sampling::Percent),
        results: latency.subject.clone(),
    }
}

/// An import from the account of a public key, without its activation.
pub(crate) fn import(import: &plan::Import, exporter: &str) -> Import {
    let subject = &import.from.subject;
    let prefixed = import.prefix.as_ref();
    let prefixed = prefixed.map(|prefix| format!("{prefix}.{subject}"));
    let local = import.to.clone().or(prefixed).unwrap_or_default();
    Import {
        local_subject: local,
        share: import.share.unwrap_or_default(),
        allow_trace: import.allow_trace.unwrap_or_default(),
        ..Import::new(kind(import.shared), exporter, subject)
    }
}

/// Where messages go instead.
pub(crate) fn mappings(mappings: &Mappings) -> BTreeMap<String, Vec<WeightedMapping>> {
    let of = |(subject, to): (&String, &Vec<cim_spec::spec::Destination>)| {
        let to = to.iter().map(|to| WeightedMapping {
            subject: to.destination.clone(),
            weight: to.weight,
            cluster: to.cluster.clone().unwrap_or_default(),
        });
        (subject.clone(), to.collect())
    };
    mappings.iter().map(of).collect()
}
