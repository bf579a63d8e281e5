//! What accounts let each other have, and whom they refuse.

use std::fs;

use cim_creds::{Account, Activation, Claims, KeyKind, User, decode};
use serde_json::json;

use crate::fleet::Fleet;
use crate::identity::claims;
use crate::server::{days, now};

#[test]
fn an_import_that_needs_leave_gets_it_and_keeps_it() {
    let mut fleet = Fleet::new().unwrap();
    let mut other = fleet.plan["fleet"]["accounts"]["SYS"].clone();
    other["imports"] = json!([{
        "stream": { "account": "CIM", "subject": "metrics.>" }, "service": null,
        "to": null, "prefix": null, "share": null, "allowTrace": null,
    }]);
    fleet.plan["fleet"]["accounts"]["OTHER"] = other;
    fleet.plan["fleet"]["accounts"]["CIM"]["exports"] = json!([{
        "stream": "metrics.>", "service": null, "accounts": ["OTHER"], "responseType": null, "threshold": null,
        "latency": null, "accountTokenPosition": null, "allowTrace": null,
    }]);
    fleet.make(&["--new-keys"]).unwrap();
    let importer: Claims<Account> = claims(&fleet, "accounts/OTHER.jwt");
    let exporter: Claims<Account> = claims(&fleet, "accounts/CIM.jwt");
    let token = &importer.nats.imports[0].token;
    let leave = decode::decode::<Activation>(token).unwrap().claims;
    assert_eq!(leave.data.sub, importer.data.sub);
    assert!(exporter.nats.signing_keys.get(&leave.data.iss).is_some());
    let before = fleet.files().unwrap();
    fleet.make(&[]).unwrap();
    assert!(before == fleet.files().unwrap());
    // One that ends was made elsewhere: before it does, it is made here.
    let seed = |entry: &str, kind| {
        let seed = fleet.entry("operator.yaml", entry).unwrap();
        cim_creds::key::key_pair(&seed, kind).unwrap()
    };
    let signer = seed("account.CIM.activations.nk", KeyKind::Account);
    let operator = seed("operator.signing.nk", KeyKind::Operator);
    let at = now().unix_timestamp();
    for (end, stays) in [(days(300), true), (days(3), false), (days(-3), false)] {
        let end = at + end.whole_seconds();
        let mut ending = importer.clone();
        let token = leave.clone().expiring(end).encode(&signer, at).unwrap();
        ending.nats.imports[0].token = token;
        let jwt = ending.encode(&operator, at).unwrap();
        fs::write(
            fleet.path("identity/accounts/OTHER.jwt"),
            format!("{jwt}\n"),
        )
        .unwrap();
        fleet.make(&[]).unwrap();
        let made: Claims<Account> = claims(&fleet, "accounts/OTHER.jwt");
        let token = &made.nats.imports[0].token;
        let made = decode::decode::<Activation>(token).unwrap().claims.data;
        assert_eq!(made.exp, if stays { end } else { 0 });
    }
}

#[test]
fn whom_an_account_refuses_stays_refused() {
    let mut fleet = Fleet::new().unwrap();
    fleet.make_at(now() - days(2)).unwrap();
    let smith: Claims<User> = claims(&fleet, "users/CIM/smith.jwt");
    let refuse = |key: &str, at| {
        let mut account: Claims<Account> = claims(&fleet, "accounts/CIM.jwt");
        account.nats.revocations.revoke(key, at);
        let seed = fleet.entry("operator.yaml", "operator.signing.nk").unwrap();
        let signer = cim_creds::key::key_pair(&seed, cim_creds::KeyKind::Operator).unwrap();
        let jwt = account.encode(&signer, now().unix_timestamp()).unwrap();
        fs::write(fleet.path("identity/accounts/CIM.jwt"), format!("{jwt}\n")).unwrap();
    };
    refuse(&smith.data.sub, smith.data.iat);
    fleet.make(&[]).unwrap();
    let kept: Claims<Account> = claims(&fleet, "accounts/CIM.jwt");
    assert!(
        kept.nats
            .revocations
            .is_revoked(&smith.data.sub, smith.data.iat)
    );
    // All that was issued until yesterday: everybody gets a new JWT, but for who is refused by key.
    refuse("*", smith.data.iat + 86_400);
    let error = format!("{:#}", fleet.make(&[]).unwrap_err());
    assert!(
        error.contains("is revoked, and a new JWT would let it in again"),
        "{error}"
    );
    let users = fleet.plan.pointer_mut("/fleet/accounts/CIM/users").unwrap();
    users.as_object_mut().unwrap().remove("smith");
    fleet.make(&[]).unwrap();
    let renewed: Claims<User> = claims(&fleet, "users/CIM/alchemist.jwt");
    assert!(renewed.data.iat > smith.data.iat + 86_400);
}
