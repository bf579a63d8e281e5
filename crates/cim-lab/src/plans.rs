//! The plans of a host's instances, for names, files and addresses.

use std::collections::BTreeSet;

use anyhow::{Context, Result, anyhow};
use cim_render::input;
use cim_spec::Plan;
use cim_spec::file::File;
use cim_spec::plan::{Address, Login, PrincipalKind, Proof, TlsFiles};

use crate::command::names;
use crate::stage::Generation;

/// The plans of all instances that a generation has on a host.
pub fn of_host(generation: &Generation, host: &str) -> Result<Vec<Plan>> {
    let toplevel = generation
        .hosts
        .get(host)
        .with_context(|| format!("no host {host}"))?;
    let specs = generation.specs.as_ref();
    let specs = specs.context("hosts are made from the first generation, which has specs")?;
    let plan = |name: String| {
        let file = specs.join(format!("instances/{name}.json"));
        Plan::from_spec(&input::spec(&file)?).map_err(|problems| anyhow!("{name}:\n{problems}"))
    };
    names(&toplevel.join("etc/cim"))?
        .into_iter()
        .map(plan)
        .collect()
}

/// The names under which others reach a server.
pub fn advertised(plan: &Plan) -> BTreeSet<String> {
    let cluster = plan.cluster.iter().map(|cluster| &cluster.advertise);
    let leafnodes = plan.leafnodes.iter().map(|leafnodes| &leafnodes.advertise);
    let addresses = plan.client.advertise.iter().chain(cluster).chain(leafnodes);
    addresses.map(|Address { host, .. }| host.clone()).collect()
}

/// What nats-server opens to show and check certificates.
pub fn tls_files(plan: &Plan) -> Vec<&TlsFiles> {
    let cluster = plan
        .cluster
        .iter()
        .filter_map(|cluster| cluster.tls.as_ref());
    let leafnodes = plan
        .leafnodes
        .iter()
        .filter_map(|leafnodes| leafnodes.tls.as_ref());
    let remotes = plan.link.iter().flat_map(|link| &link.remotes);
    let client = plan.client.tls.iter();
    client
        .chain(cluster)
        .chain(leafnodes)
        .chain(remotes.filter_map(|remote| remote.tls.as_ref()))
        .collect()
}

/// The files with the seed that a leaf logs in with.
pub fn seed_files(plan: &Plan) -> Vec<&File> {
    let remotes = plan.link.iter().flat_map(|link| &link.remotes);
    remotes
        .filter_map(|remote| match &remote.login {
            Login::NkeySeed(file) => Some(file),
            _ => None,
        })
        .collect()
}

/// The public nkey of somebody whom one of these servers knows.
pub fn nkey(plans: &[Plan], kind: PrincipalKind, name: &str) -> Result<String> {
    let accounts = plans.iter().flat_map(|plan| &plan.accounts);
    accounts
        .flat_map(|account| &account.principals)
        .find_map(|principal| match &principal.proof {
            Proof::Nkey(public) if principal.kind == kind && principal.name == name => {
                Some(public.clone())
            }
            _ => None,
        })
        .with_context(|| format!("nobody knows {name} by an nkey"))
}
