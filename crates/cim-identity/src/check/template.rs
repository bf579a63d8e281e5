//! The scopes of an account's signing keys: each role says what its option says.

use cim_creds::Account as Body;
use cim_creds::body::permissions::{Permissions, UserPermissionLimits};
use cim_spec::OptionPath;

use super::say::Say;
use crate::wanted::{Account, Role};

/// Holds every scope against its role. Unless the fleet is seen whole, other leaves' may be there.
pub(super) fn roles(account: &Account, found: &Body, whole: bool, say: &mut Say<'_>) {
    let file = format!("accounts/{}.jwt", account.name);
    for role in &account.roles {
        let mut known = found
            .signing_keys
            .scopes()
            .filter(|scope| scope.role == role.name)
            .peekable();
        if known.peek().is_none() {
            say.of_account(
                &role.at,
                format!("{file} has no signing key for role {}", role.name),
            );
        }
        for scope in known {
            let what = format!("role {} in {file}", role.name);
            template(role, &what, &scope.template, whole, say);
        }
    }
    for scope in found.signing_keys.scopes() {
        let known = account.roles.iter().any(|role| role.name == scope.role);
        let unseen = !whole && scope.role.starts_with("leaf/");
        if !known && !unseen {
            let what = format!(
                "{file} has a signing key for role {:?}, which the options do not say",
                scope.role
            );
            say.of_account(&account.at, what);
        }
    }
    for key in found.signing_keys.keys() {
        if found.signing_keys.get(key) == Some(None) {
            let what = format!(
                "{file} has the signing key {key} without a scope: whom it signs may do anything"
            );
            say.of_account(&account.at, what);
        }
    }
}

fn template(role: &Role, what: &str, found: &UserPermissionLimits, whole: bool, say: &mut Say<'_>) {
    let wanted = &role.template;
    let [publish, subscribe, connections] = options(role);
    let both = [&found.permissions, &wanted.permissions];
    permissions(&publish, &subscribe, what, both, say);
    let connect = format!("allowed_connection_types of {what}");
    let mut types = found.allowed_connection_types.clone();
    if types.is_empty() && !wanted.allowed_connection_types.is_empty() {
        say.of_account(&connections, format!("{connect} is empty, which is any"));
    } else {
        if !whole && role.name.starts_with("leaf/") {
            // It may come to another hub otherwise.
            types.retain(|kind| wanted.allowed_connection_types.contains(kind));
        }
        let wanted = &wanted.allowed_connection_types;
        say.list(&connections, &connect, &types, wanted);
    }
    let bare = |template: &UserPermissionLimits| UserPermissionLimits {
        permissions: Permissions::default(),
        allowed_connection_types: Vec::new(),
        ..template.clone()
    };
    let rest = format!("what else is in {what}");
    say.value(&role.at, &rest, &bare(found), &bare(wanted));
}

/// The options that say what a role may publish, subscribe to, and how it connects.
fn options(role: &Role) -> [OptionPath; 3] {
    let at = &role.at;
    match role.name.split_once('/') {
        Some(("leaf", _)) => [at.join("exports"), at.join("imports"), at.join("remotes")],
        Some(("user", _)) => [
            at.join("permissions").join("publish"),
            at.join("permissions").join("subscribe"),
            at.join("allowedConnectionTypes"),
        ],
        None if role.name == "default" => [at.join("publish"), at.join("subscribe"), at.clone()],
        _ => [at.clone(), at.clone(), at.clone()],
    }
}

/// Holds permissions, found and wanted, against each other.
pub(super) fn permissions(
    publish: &OptionPath,
    subscribe: &OptionPath,
    what: &str,
    [found, wanted]: [&Permissions; 2],
    say: &mut Say<'_>,
) {
    for (at, name, found, wanted) in [
        (publish, "publish", &found.publish, &wanted.publish),
        (subscribe, "subscribe", &found.subscribe, &wanted.subscribe),
    ] {
        for (list, found, wanted) in [
            ("allow", &found.allow, &wanted.allow),
            ("deny", &found.deny, &wanted.deny),
        ] {
            say.list(at, &format!("{name}.{list} of {what}"), found, wanted);
        }
    }
    say.value(
        publish,
        &format!("allow_responses of {what}"),
        &found.resp,
        &wanted.resp,
    );
}
