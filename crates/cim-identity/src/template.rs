//! A principal's permissions as the template of a signing key, or an account's default.

use cim_creds::body::permissions::{
    Permission, Permissions, ResponsePermission, UserPermissionLimits,
};
use cim_spec::field::{Setting, SettingValue};
use cim_spec::plan::{self, Access, Principal, PrincipalKind};

/// What a principal may do; `default`: what its account says where it has no permissions of its own.
pub(crate) fn of(
    principal: &Principal,
    default: Option<&plan::Permissions>,
) -> UserPermissionLimits {
    let own = principal.permissions.as_ref().or(default);
    let permissions = match principal.kind {
        PrincipalKind::Leaf => own.map(|own| permissions(&own.on_link())),
        PrincipalKind::User | PrincipalKind::Service => own.map(permissions),
    };
    let connections = principal.connections.iter().map(ToString::to_string);
    let mut template = UserPermissionLimits {
        permissions: permissions.unwrap_or_default(),
        allowed_connection_types: connections.collect(),
        ..UserPermissionLimits::default()
    };
    for setting in &principal.fields {
        put(&mut template, setting);
    }
    template
}

/// For a key that signs no users: they could do nothing.
pub(crate) fn nobody() -> UserPermissionLimits {
    let nothing = || Permission {
        allow: Vec::new(),
        deny: vec![">".to_owned()],
    };
    UserPermissionLimits {
        permissions: Permissions {
            publish: nothing(),
            subscribe: nothing(),
            resp: None,
        },
        ..UserPermissionLimits::default()
    }
}

/// A field of a user that has a place in a JWT: all of `fields/user.json`.
fn put(template: &mut UserPermissionLimits, setting: &Setting) {
    match (setting.field.option, &setting.value) {
        ("allowedConnectionTypes", SettingValue::List(list)) => {
            let texts = list.iter().filter_map(|value| match value {
                SettingValue::Text(text) => Some(text.clone()),
                _ => None,
            });
            template.allowed_connection_types = texts.collect();
        }
        ("proxyRequired", SettingValue::Bool(required)) => template.proxy_required = *required,
        _ => {}
    }
}

/// The same in a JWT, where an empty list is one that was never written.
pub(crate) fn permissions(permissions: &plan::Permissions) -> Permissions {
    let answers = permissions.allow_responses;
    Permissions {
        // With answers, nats-server takes an absent list for an empty one.
        publish: access(&permissions.publish, answers.is_some()),
        subscribe: access(&permissions.subscribe, false),
        resp: answers.map(|answers| ResponsePermission {
            max: i64::try_from(answers.max).unwrap_or(i64::MAX),
            ttl: nanoseconds(answers.expires),
        }),
    }
}

/// Go counts durations in nanoseconds.
pub(crate) fn nanoseconds(duration: cim_spec::duration::Duration) -> i64 {
    i64::try_from(duration.as_millis())
        .unwrap_or(i64::MAX)
        .saturating_mul(1_000_000)
}

/// Nothing is written as a denial of everything, and everything as nothing at all.
fn access(access: &Access, in_full: bool) -> Permission {
    let all = || vec![">".to_owned()];
    if access.allow.is_empty() {
        return Permission {
            allow: Vec::new(),
            deny: all(),
        };
    }
    if access.is_everything() && !in_full {
        return Permission::default();
    }
    Permission {
        allow: access.allow.clone(),
        deny: access.deny.clone(),
    }
}
