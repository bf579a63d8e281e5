//! Programs of ours that log in beside a server, and the operator at the desk: what each may do.

use std::collections::BTreeMap;

use super::{
    Access, Account, Link, Permissions, Principal, PrincipalKind, Proof, accounts, leaves,
};
use crate::OptionPath;
use crate::implied::{self, Direction};
use crate::problem::Problems;
use crate::spec::{Fleet, Leaf};

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

/// Takes streams out, and puts none back (`docs/backup.md`, "Rights"): pieces of a snapshot are acknowledged at
/// `$JS.SNAPSHOT.ACK`. A server before 2.15 is asked for streams and consumers as well.
const BACKUP: &[&str] = &[
    "$JS.API.CONSUMER.LIST.*",
    "$JS.API.STREAM.INFO.*",
    "$JS.API.STREAM.LIST",
    "$JS.API.STREAM.NAMES",
    "$JS.API.STREAM.SNAPSHOT.*",
    "$JS.SNAPSHOT.ACK.>",
];

/// What runs beside each server, by its name: one login for each account that may store something.
const BESIDE: [(&str, &[&str]); 2] = [("provision", PROVISION), ("backup", BACKUP)];

/// What `cim-health` of a hub says and hears in each account that leaf links are bound to.
const HEALTH: [[&str; 2]; 2] = [
    [implied::ANY_ANSWER, implied::ANY_REPORT],
    [implied::ANY_ASK, implied::ANY_REPORT],
];

/// The login of `cim-health`.
pub const HEALTH_LOGIN: &str = "health";

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
            continue;
        }
        if account.jetstream.is_some() {
            for (name, requests) in BESIDE {
                account.principals.push(service(name, requests, Proof::Jwt));
            }
        }
        if has_leaf(account) {
            let login = health_of_hub(account, &fleet.leaves, Proof::Jwt);
            account.principals.push(login);
        }
    }
}

/// Adds the services of each static account that may store something, whatever it is declared to hold: another stream is
/// nothing new to nats-server. Each logs in with a key that the host makes. `leaves`: those that dial this server.
pub(super) fn add_local(leaves: &BTreeMap<String, Leaf>, accounts: &mut [Account]) {
    for account in accounts {
        if account.jetstream.is_some() {
            for (name, requests) in BESIDE {
                let key = host_key(account, name);
                account.principals.push(service(name, requests, key));
            }
        }
        if has_leaf(account) {
            let key = host_key(account, HEALTH_LOGIN);
            let login = health_of_hub(account, leaves, key);
            account.principals.push(login);
        }
    }
}

/// Adds the login of `cim-health` to the account in which it speaks over a leaf's links: it may ask for this leaf alone.
pub(super) fn add_to_link(name: &str, leaf: &Leaf, link: &Link, accounts: &mut [Account]) {
    let speaks = |account: &&mut Account| {
        let mut remotes = link.remotes.iter();
        remotes.any(|remote| remote.health_account == account.name)
    };
    let mut says = vec![implied::ask(name, "*"), implied::report(name)];
    let mut hears = vec![implied::answer(name, "*")];
    for (direction, ends) in implied::all_within(leaf) {
        match direction {
            Direction::Export => says.push(ends.leaf),
            Direction::Import => hears.push(ends.leaf),
        }
    }
    for account in accounts.iter_mut().filter(speaks) {
        let key = host_key(account, HEALTH_LOGIN);
        account.principals.push(health(&says, &hears, key));
    }
}

/// The login of a hub's `cim-health` in an account: it answers all of its leaves, each where it may.
fn health_of_hub(account: &Account, leaves: &BTreeMap<String, Leaf>, proof: Proof) -> Principal {
    let [mut says, mut hears] = HEALTH.map(|subjects| subjects.map(str::to_owned).to_vec());
    let leaves = leaves.values().filter(|leaf| leaf.account == account.name);
    for (direction, ends) in leaves.flat_map(implied::all_within) {
        let subjects = match direction {
            Direction::Export => &mut hears,
            Direction::Import => &mut says,
        };
        if !subjects.contains(&ends.hub) {
            subjects.push(ends.hub);
        }
    }
    health(&says, &hears, proof)
}

fn has_leaf(account: &Account) -> bool {
    let mut principals = account.principals.iter();
    principals.any(|principal| principal.kind == PrincipalKind::Leaf)
}

fn host_key(account: &Account, service: &str) -> Proof {
    Proof::HostKey(format!("{}.{service}", account.name))
}

fn service(name: &str, requests: &[&str], proof: Proof) -> Principal {
    let requests: Vec<String> = requests.iter().map(ToString::to_string).collect();
    principal(name, &requests, &[INBOX.to_owned()], proof)
}

fn health(says: &[String], hears: &[String], proof: Proof) -> Principal {
    principal(HEALTH_LOGIN, says, hears, proof)
}

fn principal(name: &str, says: &[String], hears: &[String], proof: Proof) -> Principal {
    let access = |allow: &[String]| Access {
        allow: allow.to_vec(),
        deny: Vec::new(),
    };
    Principal {
        name: name.to_owned(),
        kind: PrincipalKind::Service,
        connections: PROGRAMS,
        proof,
        permissions: Some(Permissions {
            publish: access(says),
            subscribe: access(hears),
            allow_responses: None,
        }),
        fields: Vec::new(),
    }
}
