//! `accounts {}`: the static back end, in which each principal becomes a user entry.

use cim_spec::artefact::host_key_variable;
use cim_spec::field::Setting;
use cim_spec::plan::{
    Access, Account, Callout, Permissions, Plan, Principal, PrincipalKind, Proof, Quota,
};

use super::{fields, sharing};
use crate::conf::{Duplicate, Map, Node};
use crate::places::Places;

/// The accounts with their users, in the order of their names.
///
/// # Errors
/// As [`super::document`].
pub fn accounts(plan: &Plan, places: &dyn Places) -> Result<Map, Duplicate> {
    let mut block = Map::new();
    for account in &plan.accounts {
        block.put(&account.name, self::account(account, places)?);
    }
    Ok(block)
}

/// Who is asked about clients that no account knows.
pub fn callout(callout: &Callout, places: &dyn Places) -> Map {
    let mut block = Map::new();
    block.put("issuer", callout.issuer.as_str());
    block.put("account", callout.account.as_str());
    let users = callout.auth_users.iter().filter_map(|proof| match proof {
        Proof::Nkey(key) => Some(Node::from(places.nkey(key))),
        Proof::Password(name) | Proof::Certificate(name) => Some(Node::from(name.as_str())),
        Proof::HostKey(key) => Some(Node::Variable(host_key_variable(key))),
        Proof::Jwt => None,
    });
    block.put("auth_users", Node::List(users.collect()));
    if let Some(key) = &callout.xkey {
        block.put("xkey", key.as_str());
    }
    if !callout.allowed_accounts.is_empty() {
        block.put("allowed_accounts", callout.allowed_accounts.clone());
    }
    block
}

fn account(account: &Account, places: &dyn Places) -> Result<Map, Duplicate> {
    let mut block = Map::new();
    if let Some(quota) = &account.jetstream {
        block.put("jetstream", jetstream(quota));
    }
    let users = account.principals.iter();
    let users = users.map(|principal| user(principal, places));
    block.put("users", users.collect::<Result<Vec<_>, _>>()?);
    if let Some(permissions) = account.default_permissions.as_ref().and_then(permissions) {
        block.put("default_permissions", permissions);
    }
    if !account.exports.is_empty() {
        let exports: Vec<Map> = account.exports.iter().map(sharing::export).collect();
        block.put("exports", exports);
    }
    if !account.imports.is_empty() {
        let imports: Vec<Map> = account.imports.iter().map(sharing::import).collect();
        block.put("imports", imports);
    }
    if !account.mappings.is_empty() {
        block.put("mappings", sharing::mappings(&account.mappings));
    }
    fields::put(&mut block, &account.fields, places)?;
    Ok(block)
}

fn jetstream(quota: &Quota) -> Node {
    let mut block = Map::new();
    if let Some(bytes) = quota.max_memory {
        block.put("max_memory", bytes);
    }
    if let Some(bytes) = quota.max_file {
        block.put("max_file", bytes);
    }
    if block.is_empty() {
        return Node::Bool(true);
    }
    Node::Map(block)
}

fn user(principal: &Principal, places: &dyn Places) -> Result<Map, Duplicate> {
    let mut block = Map::new();
    match &principal.proof {
        Proof::Nkey(key) => {
            block.put("nkey", places.nkey(key));
        }
        Proof::Password(hash) => {
            block.put("user", principal.name.as_str());
            block.put("password", hash.as_str());
        }
        Proof::Certificate(name) => {
            block.put("user", name.as_str());
        }
        Proof::HostKey(key) => {
            block.put("nkey", Node::Variable(host_key_variable(key)));
        }
        // Only of an operator's, where no account stands in nats.conf.
        Proof::Jwt => {}
    }
    let own = |setting: &Setting| setting.field.option == "allowedConnectionTypes";
    if !principal.fields.iter().any(own) {
        block.put("allowed_connection_types", principal.connections.to_vec());
    }
    let own = principal.permissions.as_ref();
    let permissions = match principal.kind {
        PrincipalKind::User | PrincipalKind::Service => own.and_then(permissions),
        PrincipalKind::Leaf => own.and_then(|own| permissions(&own.on_link())),
    };
    if let Some(permissions) = permissions {
        block.put("permissions", permissions);
    }
    fields::put(&mut block, &principal.fields, places)?;
    Ok(block)
}

/// `None` where nothing is held back.
fn permissions(permissions: &Permissions) -> Option<Map> {
    let mut block = Map::new();
    // With allow_responses, nats-server takes an absent publish list for an empty one.
    if !permissions.publish.is_everything() || permissions.allow_responses.is_some() {
        block.put("publish", access(&permissions.publish));
    }
    if !permissions.subscribe.is_everything() {
        block.put("subscribe", access(&permissions.subscribe));
    }
    if let Some(responses) = &permissions.allow_responses {
        let mut answers = Map::new();
        answers.put("max", responses.max);
        answers.put("expires", responses.expires.to_string());
        block.put("allow_responses", answers);
    }
    (!block.is_empty()).then_some(block)
}

/// An empty allow list would allow everything: nothing is written as a denial of `>`.
fn access(access: &Access) -> Map {
    let mut block = Map::new();
    if access.allow.is_empty() {
        block.put("deny", vec![">"]);
        return block;
    }
    block.put("allow", access.allow.clone());
    if !access.deny.is_empty() {
        block.put("deny", access.deny.clone());
    }
    block
}
