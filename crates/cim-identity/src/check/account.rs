//! An account's JWT: who signed it, its limits, and what it shares.

use cim_creds::body::share::{Export, Import};
use cim_creds::{Account as Body, Activation, Chain, ChainError, Claims, decode};
use cim_spec::OptionPath;

use super::say::Say;
use super::{Scope, template};
use crate::keys::Keys;
use crate::wanted::Account;
use crate::{body, limits, sharing};

/// Holds an account's JWT against its options.
pub(super) fn check(account: &Account, scope: &Scope<'_>, say: &mut Say<'_>) {
    let Some(claims) = scope.accounts.get(&account.name) else {
        return; // said where it was read
    };
    let file = file(account);
    let at = account.at.join("jwt");
    if claims.data.name != account.name {
        let what = format!("{file} is of account {:?}", claims.data.name);
        say.of_account(&at, what);
        return; // what else it says is about that one
    }
    let chain = scope.operator.map(|operator| Chain::new(operator, claims));
    match chain {
        // An operator that nobody trusts has been said once.
        None | Some(Ok(_) | Err(ChainError::OperatorIssuer { .. })) => {}
        Some(Err(error)) => say.of_account(&at, format!("{file}: {error}")),
    }
    template::roles(account, &claims.nats, scope.whole, say);
    limits(account, &claims.nats, say);
    rest(account, &claims.nats, say);
    exports(account, &claims.nats, say);
    imports(account, claims, scope, say);
}

/// Holds it against `keys.json`.
pub(super) fn keys(account: &Account, keys: &Keys, scope: &Scope<'_>, say: &mut Say<'_>) {
    is_of(account, keys.account(&account.name), scope, say);
    let claims = scope.accounts.get(&account.name);
    let Some(claims) = claims.filter(|claims| claims.data.name == account.name) else {
        return;
    };
    for role in &account.roles {
        let key = keys.role(&account.name, &role.name);
        let Some(key) = key.filter(|key| claims.nats.signing_keys.get(key).is_none()) else {
            continue;
        };
        let file = file(account);
        let what = format!(
            "{file} lacks the signing key {key} that keys.json has for role {}",
            role.name
        );
        say.of_account(&role.at, what);
    }
}

/// It is about the account of a key.
pub(super) fn is_of(account: &Account, key: Option<&str>, scope: &Scope<'_>, say: &mut Say<'_>) {
    let (Some(found), Some(key)) = (scope.key(&account.name), key) else {
        return;
    };
    if found != key {
        let what = format!("is {key}, but {} is of {found}", file(account));
        say.of_account(&account.at.join("nkey"), what);
    }
}

/// A JWT that no message can hold cannot be pushed.
pub(super) fn fits(account: &Account, bytes: usize, most: u64, say: &mut Say<'_>) {
    if u64::try_from(bytes).is_ok_and(|bytes| bytes > most) {
        let what = format!(
            "{} has {bytes} bytes, of which a message to the hub holds {most}",
            file(account)
        );
        let help =
            "give services.cim.hub.limits.maxPayload more, or move some leaves to an account of their own".to_owned();
        say.too_large(&account.at.join("jwt"), what, help);
    }
}

fn file(account: &Account) -> String {
    format!("accounts/{}.jwt", account.name)
}

fn limits(account: &Account, found: &Body, say: &mut Say<'_>) {
    let wanted = limits::of(&account.plan);
    let (stored, store) = (found.limits.jetstream, wanted.jetstream);
    let found = &found.limits;
    for (option, name, found, wanted) in [
        ("limits.maxConnections", "conn", found.conn, wanted.conn),
        ("limits.maxSubscriptions", "subs", found.subs, wanted.subs),
        (
            "limits.maxPayload",
            "payload",
            found.payload,
            wanted.payload,
        ),
        ("limits.maxLeafnodes", "leaf", found.leaf, wanted.leaf),
        ("imports", "imports", found.imports, wanted.imports),
        ("exports", "exports", found.exports, wanted.exports),
        (
            "jetstream.maxMemory",
            "mem_storage",
            stored.mem_storage,
            store.mem_storage,
        ),
        (
            "jetstream.maxFile",
            "disk_storage",
            stored.disk_storage,
            store.disk_storage,
        ),
        (
            "jetstream.maxStreams",
            "streams",
            stored.streams,
            store.streams,
        ),
        (
            "jetstream.maxConsumers",
            "consumer",
            stored.consumer,
            store.consumer,
        ),
        (
            "jetstream.maxAckPending",
            "max_ack_pending",
            stored.max_ack_pending,
            store.max_ack_pending,
        ),
        (
            "jetstream.memMaxStreamBytes",
            "mem_max_stream_bytes",
            stored.mem_max_stream_bytes,
            store.mem_max_stream_bytes,
        ),
        (
            "jetstream.diskMaxStreamBytes",
            "disk_max_stream_bytes",
            stored.disk_max_stream_bytes,
            store.disk_max_stream_bytes,
        ),
    ] {
        let what = format!("limits.{name} of {}", file(account));
        say.value(&account.at.descend(option), &what, &found, &wanted);
    }
    for (option, name, found, wanted) in [
        (
            "jetstream.maxBytesRequired",
            "max_bytes_required",
            stored.max_bytes_required,
            store.max_bytes_required,
        ),
        ("exports", "wildcards", found.wildcards, wanted.wildcards),
        (
            "users",
            "disallow_bearer",
            found.disallow_bearer,
            wanted.disallow_bearer,
        ),
    ] {
        let what = format!("limits.{name} of {}", file(account));
        say.value(&account.at.descend(option), &what, &found, &wanted);
    }
    let what = format!("limits.tiered_limits of {}", file(account));
    say.value(
        &account.at.join("jetstream"),
        &what,
        &found.tiered_limits,
        &wanted.tiered_limits,
    );
}

/// Mappings, default permissions, traces, cluster traffic, auth callout.
fn rest(account: &Account, found: &Body, say: &mut Say<'_>) {
    let file = file(account);
    let wanted = sharing::mappings(&account.plan.mappings);
    let at = account.at.join("mappings");
    let subjects = wanted.keys().chain(found.mappings.keys());
    for subject in subjects {
        let (found, wanted) = (found.mappings.get(subject), wanted.get(subject));
        let what = format!("the mapping of {subject:?} in {file}");
        say.value(&at.join(subject), &what, &found, &wanted);
    }
    let default = account.plan.default_permissions.as_ref();
    let default = default
        .map(crate::template::permissions)
        .unwrap_or_default();
    let at = account.at.join("defaultPermissions");
    let what = format!("default_permissions of {file}");
    template::permissions(&at, &at, &what, [&found.default_permissions, &default], say);
    let trace = limits::trace(&account.plan);
    let what = format!("trace of {file}");
    say.value(&account.at.join("msgTrace"), &what, &found.trace, &trace);
    let system = cim_creds::body::account::ClusterTraffic::System;
    let traffic = limits::cluster_traffic(&account.plan).unwrap_or(system);
    let what = format!("cluster_traffic of {file}");
    let at = account.at.join("jetstream").join("clusterTraffic");
    say.value(
        &at,
        &what,
        &found.cluster_traffic.unwrap_or(system),
        &traffic,
    );
    let what = format!("authorization of {file}");
    let none = cim_creds::body::account::ExternalAuthorization::default();
    let at = super::fleet_at().join("authCallout");
    say.value(&at, &what, &found.authorization, &none);
}

fn exports(account: &Account, found: &Body, say: &mut Say<'_>) {
    let file = file(account);
    let at = account.at.join("exports");
    let wanted = account.exports();
    let same =
        |one: &Export, other: &Export| one.subject == other.subject && one.kind == other.kind;
    for export in &wanted {
        let of = |own: &cim_spec::plan::Export| {
            sharing::kind(own.shared) == export.kind && own.subject == export.subject
        };
        let index = account.plan.exports.iter().position(of);
        let at = index.map_or_else(|| account.at.clone(), |index| at.index(index));
        let Some(known) = found.exports.iter().find(|known| same(known, export)) else {
            say.of_account(&at, format!("{file} does not export {:?}", export.subject));
            continue;
        };
        let what = format!("the export of {:?} in {file}", export.subject);
        say.value(&at, &what, &bare_export(known), &bare_export(export));
    }
    for export in &found.exports {
        if !wanted.iter().any(|known| same(known, export)) {
            let what = format!(
                "{file} exports {:?}, which the options do not say",
                export.subject
            );
            say.of_account(&at, what);
        }
    }
}

/// Without what is for people, and without revocations, which are the desk's.
fn bare_export(export: &Export) -> Export {
    Export {
        revocations: Default::default(),
        name: String::new(),
        description: String::new(),
        info_url: String::new(),
        advertise: false,
        ..export.clone()
    }
}

fn imports(account: &Account, claims: &Claims<Body>, scope: &Scope<'_>, say: &mut Say<'_>) {
    let file = file(account);
    let at = account.at.join("imports");
    let mut wanted = Vec::new();
    for (index, plan) in account.plan.imports.iter().enumerate() {
        let Some(exporter) = scope.key(&plan.from.account) else {
            continue; // its own JWT is missing, which has been said
        };
        let import = sharing::import(plan, exporter);
        let at = at.index(index);
        let mut all = claims.nats.imports.iter();
        match all.find(|known| body::is_same(known, &import)) {
            None => {
                let what = format!(
                    "{file} does not import {:?} of account {}",
                    import.subject, plan.from.account
                );
                say.of_account(&at, what);
            }
            Some(known) => {
                let what = format!("the import of {:?} in {file}", import.subject);
                say.value(&at, &what, &bare_import(known), &bare_import(&import));
                if account.private.iter().any(|(place, _)| *place == index) {
                    activation(&at, &file, known, (&plan.from.account, claims), scope, say);
                }
            }
        }
        wanted.push(import);
    }
    let complete = wanted.len() == account.plan.imports.len();
    for import in claims.nats.imports.iter().filter(|_| complete) {
        if !wanted.iter().any(|known| body::is_same(import, known)) {
            let what = format!(
                "{file} imports {:?} of {}, which the options do not say",
                import.subject, import.account
            );
            say.of_account(&at, what);
        }
    }
}

fn bare_import(import: &Import) -> Import {
    Import {
        name: String::new(),
        token: String::new(),
        ..import.clone()
    }
}

/// The exporter's leave to import.
fn activation(
    at: &OptionPath,
    file: &str,
    import: &Import,
    (exporter, importer): (&str, &Claims<Body>),
    scope: &Scope<'_>,
    say: &mut Say<'_>,
) {
    let of = format!("the activation of account {exporter} in {file}");
    if import.token.is_empty() {
        say.of_account(at, format!("{of} is not there"));
        return;
    }
    let token = match decode::<Activation>(&import.token) {
        Ok(token) => token,
        Err(error) => return say.of_account(at, format!("{of}: {error}")),
    };
    let chain = scope.chain(exporter);
    let verdict = chain.map(|chain| chain.activation(&token.claims, &importer.data.sub));
    if let Some(Err(error)) = verdict {
        say.of_account(at, format!("{of}: {error}"));
    }
}
