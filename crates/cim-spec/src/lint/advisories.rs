//! Security advisories and known bad releases, held against the version and what is configured: `advisories.json`.

use super::Lints;
use crate::field::{Setting, SettingValue};
use crate::plan::{Access, Account, Plan, Principal, PrincipalKind, Proof};
use crate::subject;
use crate::version::Version;

include!(concat!(env!("OUT_DIR"), "/advisories.rs"));

/// What is wrong with some releases.
#[derive(Debug, Clone, Copy)]
pub struct Advisory {
    /// The lint's id.
    pub id: &'static str,
    /// Releases that mended it, one for each line that was.
    pub fixed: &'static [Version],
    /// Releases that have it, where it is only these.
    pub versions: &'static [Version],
    /// Which configurations it is about.
    pub when: When,
    /// What can happen.
    pub what: &'static str,
    /// What to do; empty: use a release that mended it.
    pub help: &'static str,
    /// Where it is told in full.
    pub url: &'static str,
}

/// Which configurations an advisory is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// All of them.
    Always,
    /// Leaves connect here.
    Leafnodes,
    /// Leaves connect here, and what is sent to them is compressed.
    LeafnodesCompression,
    /// WebSocket clients connect here.
    Websocket,
    /// WebSocket clients connect here, MQTT clients do not.
    WebsocketWithoutMqtt,
    /// MQTT clients connect here.
    Mqtt,
    /// MQTT clients connect here, and other servers too.
    MqttServers,
    /// Accounts are JWTs of an operator.
    Operator,
    /// Somebody is known by the name in a certificate.
    Certificates,
    /// Somebody may restore some streams, and not all.
    Restore,
    /// A deny list with wildcards overlaps what is allowed.
    WildcardDeny,
    /// Strangers are let in, and other servers connect too.
    NoAuthUserServers,
    /// Strangers are let in as a user who is restricted.
    NoAuthUserRestricted,
}

pub(super) fn check(plan: &Plan, lints: &mut Lints<'_>) {
    let Version(major, minor, patch) = plan.version;
    let at = plan.options.join("package");
    for advisory in ADVISORIES {
        if advisory.is_in(plan.version) && advisory.when.holds(plan) {
            lints.add(
                advisory.id,
                &at,
                format!("nats-server {major}.{minor}.{patch} {}", advisory.said()),
                advisory.advice(),
            );
        }
    }
}

impl Advisory {
    /// Whether a release has it. A release line without a mended release of its own has it if it is older than the last.
    pub fn is_in(&self, version: Version) -> bool {
        if !self.versions.is_empty() {
            return self.versions.contains(&version);
        }
        let line = |version: &Version| (version.0, version.1);
        let own = self
            .fixed
            .iter()
            .find(|fixed| line(fixed) == line(&version));
        let mended = own.or(self.fixed.iter().max());
        mended.is_none_or(|mended| version < *mended)
    }

    fn said(&self) -> String {
        match self.versions.is_empty() {
            true => format!("has a hole: {}", self.what),
            false => self.what.to_owned(),
        }
    }

    fn advice(&self) -> String {
        let fixed = self
            .fixed
            .iter()
            .map(|Version(a, b, c)| format!("{a}.{b}.{c}"));
        let fixed: Vec<String> = fixed.collect();
        match self.help {
            "" => format!("use {} or newer: {}", fixed.join(" or "), self.url),
            help => format!("{help} {}", self.url),
        }
    }
}

impl When {
    fn holds(self, plan: &Plan) -> bool {
        let other_servers = plan.leafnodes.is_some() || plan.cluster.is_some();
        let mut users = plan.accounts.iter().flat_map(|account| &account.principals);
        match self {
            When::Always => true,
            When::Leafnodes => plan.leafnodes.is_some(),
            When::LeafnodesCompression => {
                let listener = plan.leafnodes.as_ref();
                listener.is_some_and(|listener| listener.compression.mode != "off")
            }
            When::Websocket => plan.websocket.is_some(),
            When::WebsocketWithoutMqtt => plan.websocket.is_some() && plan.mqtt.is_none(),
            When::Mqtt => plan.mqtt.is_some(),
            When::MqttServers => plan.mqtt.is_some() && (other_servers || plan.link.is_some()),
            When::Operator => plan.operator.is_some(),
            When::Certificates => users.any(|user| matches!(user.proof, Proof::Certificate(_))),
            // A service of ours restores what it is told to.
            When::Restore => {
                users.any(|user| user.kind != PrincipalKind::Service && may_restore_some(user))
            }
            When::WildcardDeny => plan.accounts.iter().any(denies_by_wildcard),
            When::NoAuthUserServers => other_servers && no_auth_user(plan).is_some(),
            When::NoAuthUserRestricted => no_auth_user(plan).is_some_and(|name| {
                let mut named = users.filter(|user| is(user, name));
                named.any(|user| !user.fields.is_empty())
            }),
        }
    }
}

/// Who strangers are, by nats-server's name for them.
fn no_auth_user(plan: &Plan) -> Option<&str> {
    plan.all_fields()
        .find_map(|setting: &Setting| match &setting.value {
            SettingValue::Text(name) if setting.field.option == "noAuthUser" => Some(name.as_str()),
            _ => None,
        })
}

fn is(user: &Principal, name: &str) -> bool {
    matches!(&user.proof, Proof::Nkey(key) if key == name) || user.name == name
}

fn may_restore_some(user: &Principal) -> bool {
    let Some(permissions) = &user.permissions else {
        return false;
    };
    let restore = "$JS.API.STREAM.RESTORE.*";
    let allow = &permissions.publish.allow;
    allow
        .iter()
        .any(|allowed| subject::overlap(allowed, restore))
        && !allow
            .iter()
            .any(|allowed| subject::covers(allowed, restore))
}

fn denies_by_wildcard(account: &Account) -> bool {
    let own = account
        .principals
        .iter()
        .filter_map(|user| user.permissions.as_ref());
    let mut all = own.chain(&account.default_permissions);
    let wild = |subject: &String| subject.contains('*') || subject.contains('>');
    let overlaps = |access: &Access| {
        let mut denied = access.deny.iter().filter(|denied| wild(denied));
        denied.any(|denied| {
            access
                .allow
                .iter()
                .any(|allowed| subject::overlap(allowed, denied))
        })
    };
    all.any(|permissions| overlaps(&permissions.subscribe))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_that_have_it() {
        let advisory = |fixed, versions| Advisory {
            id: "x",
            fixed,
            versions,
            when: When::Always,
            what: "",
            help: "",
            url: "",
        };
        let both = advisory(&[Version(2, 12, 7), Version(2, 14, 0)], &[]);
        for (version, expected) in [
            (Version(2, 12, 6), true),
            (Version(2, 12, 7), false),
            (Version(2, 13, 9), true),
            (Version(2, 14, 0), false),
            (Version(2, 15, 1), false),
        ] {
            assert_eq!(both.is_in(version), expected, "{version:?}");
        }
        let one = advisory(&[Version(2, 12, 8)], &[]);
        assert!(!one.is_in(Version(2, 14, 0)));
        let these = advisory(&[], &[Version(2, 14, 4)]);
        assert!(these.is_in(Version(2, 14, 4)) && !these.is_in(Version(2, 14, 3)));
    }
}
