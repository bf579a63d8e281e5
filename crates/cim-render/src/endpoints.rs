//! `endpoints.json`: where and as whom other projects reach an instance; no secrets.

use std::collections::BTreeMap;

use cim_spec::implied;
use cim_spec::plan::{Access, Address, Permissions, Plan, Principal, PrincipalKind};
use cim_spec::spec::Flow;
use serde::Serialize;

use crate::places::host_port;

/// What a downstream project needs to connect and to know what flows.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Endpoints {
    /// Server name.
    pub server_name: String,
    /// Clients of this server.
    pub client: Endpoint,
    /// URL for leaves of this server; `null` on a leaf.
    pub leafnodes_url: Option<String>,
    /// Monitoring, on the host itself.
    pub monitor: String,
    /// JetStream domain; `null`: no JetStream.
    pub jetstream_domain: Option<String>,
    /// Who may log in, by account.
    pub accounts: BTreeMap<String, AccountEndpoints>,
    /// What crosses the leaf's links; `null` on a hub.
    pub flows: Option<Flows>,
}

/// A listener as others reach it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Endpoint {
    /// URL.
    pub url: String,
    /// File with the authority to verify the server with; `null`: the system's, or no TLS.
    pub ca_file: Option<String>,
}

/// Names in one account.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountEndpoints {
    /// Users.
    pub users: Vec<String>,
    /// Leaves, with the subjects that each may publish and receive.
    pub leaves: BTreeMap<String, Flows>,
}

/// Subjects that may cross a leaf link.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Flows {
    /// From the hub to the leaf.
    pub imports: Vec<String>,
    /// From the leaf to the hub.
    pub exports: Vec<String>,
}

/// The endpoints of one instance.
pub fn endpoints(plan: &Plan) -> Endpoints {
    Endpoints {
        server_name: plan.server_name.clone(),
        client: client(plan),
        leafnodes_url: plan
            .leafnodes
            .as_ref()
            .map(|listener| url(listener.tls.is_some(), &listener.advertise)),
        monitor: monitor(plan),
        jetstream_domain: plan.jetstream.as_ref().map(|js| js.domain.clone()),
        accounts: accounts(plan),
        flows: plan.link.as_ref().map(|link| Flows {
            imports: link.imports.iter().map(Flow::arrives_as).collect(),
            exports: link
                .exports
                .iter()
                .map(|flow| flow.subject.clone())
                .collect(),
        }),
    }
}

/// URL of the monitoring listener.
pub fn monitor(plan: &Plan) -> String {
    format!("http://127.0.0.1:{}", plan.http_port)
}

fn client(plan: &Plan) -> Endpoint {
    let listener = &plan.client;
    // A leaf tells nobody an address: its clients are on the host itself.
    let address = listener.advertise.clone().unwrap_or(Address {
        host: match listener.host.as_str() {
            "0.0.0.0" => "127.0.0.1".to_owned(),
            "::" => "::1".to_owned(),
            host => host.to_owned(),
        },
        port: listener.port,
    });
    Endpoint {
        url: url(listener.tls.is_some(), &address),
        ca_file: listener
            .tls
            .as_ref()
            .and_then(|tls| tls.ca.as_ref())
            .map(|ca| ca.path.clone()),
    }
}

fn url(tls: bool, address: &Address) -> String {
    let scheme = if tls { "tls" } else { "nats" };
    format!("{scheme}://{}", host_port(address))
}

/// Services are ours and at home on their hosts: nobody connects as one.
fn is_somebodys(principal: &Principal) -> bool {
    principal.kind != PrincipalKind::Service
}

fn accounts(plan: &Plan) -> BTreeMap<String, AccountEndpoints> {
    let entered = plan.accounts.iter();
    entered
        .filter(|account| account.principals.iter().any(is_somebodys))
        .map(|account| {
            let mut names = AccountEndpoints::default();
            for principal in &account.principals {
                match principal.kind {
                    PrincipalKind::User => names.users.push(principal.name.clone()),
                    PrincipalKind::Leaf => {
                        let allowed = principal.permissions.as_ref();
                        let declared = |subject: &&String| !implied::is(subject);
                        let subjects = |pick: fn(&Permissions) -> &Access| {
                            let allowed = allowed.into_iter().flat_map(|all| &pick(all).allow);
                            allowed.filter(declared).cloned().collect()
                        };
                        let flows = Flows {
                            imports: subjects(|all| &all.subscribe),
                            exports: subjects(|all| &all.publish),
                        };
                        names.leaves.insert(principal.name.clone(), flows);
                    }
                    PrincipalKind::Service => {}
                }
            }
            (account.name.clone(), names)
        })
        .collect()
}
