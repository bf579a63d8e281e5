//! The files of one instance, in memory: what a build puts into `$out`.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use cim_spec::Plan;
use cim_spec::artefact::{
    Certificate, Health, Secrets, Watch, WatchedBackup, WatchedFile, WatchedFileKind,
    WatchedJetstream, WatchedLink,
};
use cim_spec::plan::{HEALTH_LOGIN, Login, Principal, PrincipalKind, TlsFiles};

use crate::accounts;
use crate::conf::{self, Document};
use crate::endpoints::{endpoints, monitor};
use crate::jetstream;
use crate::nats_conf;
use crate::places::{Host, Places, backup_status, config_dir, secrets_file};

/// Files with their content.
#[derive(Debug)]
pub struct Artefacts {
    /// By name: `nats.conf`, `health.json`, `endpoints.json`; below `jetstream/`, what accounts hold.
    pub files: BTreeMap<String, String>,
}

impl Artefacts {
    /// Renders everything for the host that the plan is for.
    ///
    /// # Errors
    /// Only bugs of ours: a plan that held every rule renders.
    pub fn render(plan: &Plan) -> Result<Self> {
        let document = document(plan, &Host)?;
        let health = health(plan, &document);
        let mut files = BTreeMap::from([
            ("nats.conf".to_owned(), text(plan, &document)?),
            ("health.json".to_owned(), json(&health)?),
            ("endpoints.json".to_owned(), json(&endpoints(plan))?),
        ]);
        files.extend(jetstream::files(plan)?);
        Ok(Self { files })
    }
}

/// The tree of a plan's nats.conf.
///
/// # Errors
/// A key that both an option and `settings` set: a gap in the table of owned keys.
pub fn document(plan: &Plan, places: &dyn Places) -> Result<Document> {
    nats_conf::document(plan, places)
        .with_context(|| format!("this is a bug in cim: merging {}.settings", plan.options))
}

/// The text of a nats.conf, read back before it leaves: what is written is what was meant.
///
/// # Errors
/// A tree that nats.conf cannot hold, or that reads back as another.
pub fn text(plan: &Plan, document: &Document) -> Result<String> {
    let body = conf::write(document)
        .with_context(|| format!("writing the nats.conf of {}", plan.server_name))?;
    let read = conf::read(&body).with_context(|| {
        format!(
            "this is a bug in cim: reading the nats.conf of {} back",
            plan.server_name
        )
    })?;
    ensure!(
        read == *document,
        "this is a bug in cim: the nats.conf of {} reads back as another one",
        plan.server_name
    );
    Ok(format!(
        "# Written by cim-render for {}. Edits are lost.\n{body}",
        plan.server_name
    ))
}

fn health(plan: &Plan, document: &Document) -> Health {
    Health {
        unit: plan.unit.clone(),
        server_name: plan.server_name.clone(),
        monitor: monitor(plan),
        config: format!("{}/nats.conf", config_dir(plan)),
        config_digest: conf::digest(document, &BTreeMap::new()),
        secrets: secrets(plan),
        certificates: certificates(plan),
        watch: watch(plan),
    }
}

fn watch(plan: &Plan) -> Watch {
    let watched = &plan.watched;
    Watch {
        instance: plan.name.clone(),
        accounts: spoken_in(plan),
        flows: watched.flows.clone(),
        interval: watched.interval,
        slow_interval: watched.slow_interval,
        levels: watched.levels.clone(),
        jetstream: plan.jetstream.as_ref().map(|jetstream| WatchedJetstream {
            store_dir: jetstream.store_dir.clone(),
            assets: format!("{}/jetstream", config_dir(plan)),
        }),
        links: watched.links.iter().map(|link| bound(plan, link)).collect(),
        leaves: watched.leaves.clone(),
        peers: watched.peers.clone(),
        files: watched_files(plan),
        backups: backups(plan),
        limits: accounts::limits(plan),
        jwts: accounts::jwts(plan),
    }
}

/// Accounts that have a login for `cim-health`.
fn spoken_in(plan: &Plan) -> Vec<String> {
    let is_health = |principal: &Principal| {
        principal.kind == PrincipalKind::Service && principal.name == HEALTH_LOGIN
    };
    let accounts = plan.accounts.iter();
    let accounts = accounts.filter(|account| account.principals.iter().any(is_health));
    accounts.map(|account| account.name.clone()).collect()
}

/// Where the backup's unit tells of each account.
fn backups(plan: &Plan) -> Vec<WatchedBackup> {
    let accounts = plan.watched.backups.iter();
    let each = accounts.map(|account| WatchedBackup {
        account: account.clone(),
        status: backup_status(plan, account),
        drill: plan.watched.drill,
    });
    each.collect()
}

/// A link with the account that its remote is really bound to: an uplink's, where there is one.
fn bound(plan: &Plan, link: &WatchedLink) -> WatchedLink {
    let mut remotes = plan.link.iter().flat_map(|link| &link.remotes);
    let remote = remotes.find(|remote| remote.name == link.remote);
    WatchedLink {
        account: remote
            .map_or(&link.account, |remote| &remote.account)
            .clone(),
        ..link.clone()
    }
}

/// What the instance logs in with at hubs, and every authority that it names; listeners' certificates stand apart.
fn watched_files(plan: &Plan) -> Vec<WatchedFile> {
    let watched = |kind, file: &str| WatchedFile {
        kind,
        file: file.to_owned(),
    };
    let mut files = Vec::new();
    let remotes = plan.link.iter().flat_map(|link| &link.remotes);
    for remote in remotes.clone() {
        if let Login::Credentials(file) = &remote.login {
            files.push(watched(WatchedFileKind::Credentials, &file.path));
        }
        let identity = remote.tls.as_ref().and_then(|tls| tls.identity.as_ref());
        if let Some((certificate, _)) = identity {
            files.push(watched(WatchedFileKind::Certificate, &certificate.path));
        }
    }
    let listeners = [
        plan.client.tls.as_ref(),
        plan.cluster.as_ref().and_then(|c| c.tls.as_ref()),
        plan.leafnodes.as_ref().and_then(|l| l.tls.as_ref()),
        plan.websocket.as_ref().and_then(|l| l.tls.as_ref()),
        plan.mqtt.as_ref().and_then(|l| l.tls.as_ref()),
        plan.gateway.as_ref().and_then(|g| g.tls.as_ref()),
    ];
    let tls = listeners.into_iter().flatten();
    for authority in tls
        .chain(remotes.filter_map(|remote| remote.tls.as_ref()))
        .filter_map(|tls| tls.ca.as_ref())
    {
        files.push(watched(WatchedFileKind::Authority, &authority.path));
    }
    files.sort();
    files.dedup();
    files
}

/// What the secrets file of an instance holds; `None` where its config needs none.
fn secrets(plan: &Plan) -> Option<Secrets> {
    let entries = nats_conf::secrets(plan);
    (!entries.is_empty()).then(|| Secrets {
        path: secrets_file(plan),
        entries,
    })
}

/// The certificates of listeners: those whose loaded expiry `/varz` tells.
fn certificates(plan: &Plan) -> Vec<Certificate> {
    let block = |name: &str, tls: Option<&TlsFiles>| {
        let (certificate, _) = tls?.identity.as_ref()?;
        Some(Certificate {
            block: name.to_owned(),
            file: certificate.path.clone(),
        })
    };
    [
        block("", plan.client.tls.as_ref()),
        block(
            "cluster",
            plan.cluster.as_ref().and_then(|c| c.tls.as_ref()),
        ),
        block("leaf", plan.leafnodes.as_ref().and_then(|l| l.tls.as_ref())),
        block(
            "websocket",
            plan.websocket.as_ref().and_then(|l| l.tls.as_ref()),
        ),
        block("mqtt", plan.mqtt.as_ref().and_then(|l| l.tls.as_ref())),
        block(
            "gateway",
            plan.gateway.as_ref().and_then(|g| g.tls.as_ref()),
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

pub(crate) fn json(value: &impl serde::Serialize) -> Result<String> {
    let mut text = serde_json::to_string_pretty(value).context("writing JSON")?;
    text.push('\n');
    Ok(text)
}
