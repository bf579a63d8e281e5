//! Users and leaves that are known by their certificate. Users have no password, so a listener that does not hold a
//! certificate against their name lets in whoever says that name; leaves are refused there.

use crate::field::SettingValue;
use crate::path::OptionPath;
use crate::plan::{Plan, Principal, PrincipalKind, Proof, TlsFiles};
use crate::problem::{Problems, Rule};

/// A listener that users may come by.
struct Door<'a> {
    /// What nats-server calls clients that come by it.
    kinds: &'a [&'a str],
    at: OptionPath,
    tls: Option<&'a TlsFiles>,
}

/// Every listener that such a user may come by maps certificates.
pub(super) fn check(plan: &Plan, problems: &mut Problems) {
    let doors = doors(plan);
    for account in &plan.accounts {
        let at = plan.accounts_at().join(&account.name).join("users");
        for principal in &account.principals {
            let Proof::Certificate(name) = &principal.proof else {
                continue;
            };
            if principal.kind == PrincipalKind::Leaf {
                by_websocket(principal, plan, problems);
                continue;
            }
            let open = doors.iter().filter(|door| door.is_open_to(principal));
            for door in open {
                problems.add(
                    Rule::MapsCertificates,
                    &at.join(&principal.name).join("certificate"),
                    format!("is set, but {} is not: there {name:?} would be let in without a certificate", door.at),
                    format!("write {} = true, or name other connections in the user's allowedConnectionTypes", door.at),
                );
            }
        }
    }
}

/// A leaf that comes over WebSocket shows its certificate there.
fn by_websocket(leaf: &Principal, plan: &Plan, problems: &mut Problems) {
    let Some(listener) = &plan.websocket else {
        return; // the leaf's own rule has said so
    };
    let asks = listener.tls.as_ref().is_some_and(TlsFiles::verifies);
    if leaf.connections.contains(&"LEAFNODE_WS") && !asks {
        problems.add(
            Rule::MapsCertificates,
            &plan.options.join("websocket").join("tls").join("verify"),
            format!("is not set, but leaf {:?} is known by its certificate and comes over WebSocket: it would never be let in", leaf.name),
            "write true, and name in caFile the authority that signs the leaves' certificates; or give the leaf an nkey",
        );
    }
}

fn doors(plan: &Plan) -> Vec<Door<'_>> {
    let maps = |block: &OptionPath| block.join("tls").join("verifyAndMap");
    let mut doors = vec![Door {
        kinds: &["STANDARD"],
        at: maps(&plan.options),
        tls: plan.client.tls.as_ref(),
    }];
    let sides: [(_, _, &[&str]); 2] = [
        ("websocket", &plan.websocket, &["WEBSOCKET"]),
        ("mqtt", &plan.mqtt, &["MQTT", "MQTT_WS"]),
    ];
    for (block, side, kinds) in sides {
        doors.extend(side.iter().map(|side| Door {
            kinds,
            at: maps(&plan.options.join(block)),
            tls: side.tls.as_ref(),
        }));
    }
    doors
}

impl Door<'_> {
    /// Whether the user may come by it, with a certificate or without.
    fn is_open_to(&self, user: &Principal) -> bool {
        let types = user.fields.iter();
        let mut types = types.filter(|setting| setting.field.option == "allowedConnectionTypes");
        let allowed = types.next().is_none_or(|setting| match &setting.value {
            SettingValue::List(types) => types.iter().any(
                |kind| matches!(kind, SettingValue::Text(kind) if self.kinds.contains(&kind.as_str())),
            ),
            _ => true,
        });
        allowed && !self.tls.is_some_and(|tls| tls.is_true("verifyAndMap"))
    }
}
