//! Programs of ours that log in beside a server, and the operator at the desk: what each may do.

use super::{Access, Account, Permissions, Principal, PrincipalKind, Proof, accounts, leaves};
use crate::OptionPath;
use crate::problem::Problems;
use crate::spec::Fleet;

/// Where answers to a service's requests go.
const INBOX: &str = "_INBOX.>";

/// Reads and writes what accounts declare: `cim-provision` (`docs/provision.md`, "Rights").
const PROVISION: &[&str] = &[
    "$JS.API.CONSUMER.CREATE.*.*",
    "$JS.API.CONSUMER.INFO.*.*",
    "$JS.API.CONSUMER.NAMES.*",
    "$JS.API.CONSUMER.PAUSE.*.*",
    "$JS.API.STREAM.CREATE.*",
    "$JS.API.STREAM.INFO.*",
    "$JS.API.STREAM.MSG.GET.*",
    "$JS.API.STREAM.NAMES",
    "$JS.API.STREAM.UPDATE.*",
];

/// Takes streams out and puts them back: pieces of a snapshot are acknowledged at `$JS.SNAPSHOT.ACK`, those of a
/// restore go to `$JS.SNAPSHOT.RESTORE`.
const BACKUP: &[&str] = &[
    "$JS.API.CONSUMER.INFO.*.*",
    "$JS.API.CONSUMER.LIST.*",
    "$JS.API.CONSUMER.NAMES.*",
    "$JS.API.STREAM.INFO.*",
    "$JS.API.STREAM.LIST",
    "$JS.API.STREAM.MSG.GET.*",
    "$JS.API.STREAM.NAMES",
    "$JS.API.STREAM.RESTORE.*",
    "$JS.API.STREAM.SNAPSHOT.*",
    "$JS.SNAPSHOT.ACK.>",
    "$JS.SNAPSHOT.RESTORE.>",
];

/// What runs beside each server, by its name: one login for each account that may store something.
const BESIDE: [(&str, &[&str]); 2] = [("provision", PROVISION), ("backup", BACKUP)];

/// Of the system account: pushes JWTs, looks them up and deletes them, sees who is connected, and learns from each
/// node who it is and which operator it trusts. nats-server itself closes what a push takes away, so nothing is kicked.
const DESK: &[&str] = &[
    "$SYS.REQ.ACCOUNT.*.CLAIMS.LOOKUP",
    "$SYS.REQ.ACCOUNT.*.CLAIMS.UPDATE",
    "$SYS.REQ.ACCOUNT.*.CONNZ",
    "$SYS.REQ.ACCOUNT.*.LEAFZ",
    "$SYS.REQ.CLAIMS.DELETE",
    "$SYS.REQ.CLAIMS.LIST",
    "$SYS.REQ.SERVER.PING",
    "$SYS.REQ.SERVER.PING.VARZ",
];

/// Programs over TCP, nothing else.
const PROGRAMS: &[&str] = &["STANDARD"];

/// The accounts of a fleet with everybody who may log in, as its hubs have them: what each server's store holds is
/// a question of that server.
pub fn accounts_of(fleet: &Fleet, problems: &mut Problems) -> Vec<Account> {
    let at = OptionPath::new("services.cim.fleet.accounts");
    let store = accounts::Store::Any;
    let jwts = fleet.operator.is_some();
    let mut accounts = accounts::plan(&fleet.accounts, store, &at, jwts, problems);
    leaves::principals(fleet, &mut accounts, problems);
    add(fleet, &mut accounts);
    accounts
}

/// Adds the services of each account in operator mode. Those of static accounts are their server's own: [`add_local`].
pub(super) fn add(fleet: &Fleet, accounts: &mut [Account]) {
    if fleet.operator.is_none() {
        return;
    }
    for account in accounts {
        if account.name == fleet.system_account {
            let desk = service("desk", DESK, Proof::Jwt);
            account.principals.push(desk);
        } else if account.jetstream.is_some() {
            for (name, requests) in BESIDE {
                account.principals.push(service(name, requests, Proof::Jwt));
            }
        }
    }
}

/// Adds the services of each static account that may store something, whatever it is declared to hold: another stream is
/// nothing new to nats-server. Each logs in with a key that the host makes.
pub(super) fn add_local(accounts: &mut [Account]) {
    for account in accounts {
        if account.jetstream.is_none() {
            continue;
        }
        for (name, requests) in BESIDE {
            let key = Proof::HostKey(format!("{}.{name}", account.name));
            account.principals.push(service(name, requests, key));
        }
    }
}

fn service(name: &str, requests: &[&str], proof: Proof) -> Principal {
    let access = |allow: &[&str]| Access {
        allow: allow.iter().map(ToString::to_string).collect(),
        deny: Vec::new(),
    };
    Principal {
        name: name.to_owned(),
        kind: PrincipalKind::Service,
        connections: PROGRAMS,
        proof,
        permissions: Some(Permissions {
            publish: access(requests),
            subscribe: access(&[INBOX]),
            allow_responses: None,
        }),
        fields: Vec::new(),
    }
}
