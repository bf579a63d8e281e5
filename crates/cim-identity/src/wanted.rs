//! The accounts, roles and users that a fleet in operator mode needs.

use cim_creds::body::permissions::UserPermissionLimits;
use cim_spec::plan::{self, HEALTH_LOGIN, Principal, PrincipalKind};
use cim_spec::spec::Fleet;
use cim_spec::{OptionPath, Problems, fleet, subject};

use crate::keys::Keys;
use crate::{refused, template};

/// The role of users without permissions of their own.
const DEFAULT: &str = "default";

/// The role whose key signs activations, and lets nobody do anything.
const ACTIVATIONS: &str = "activations";

/// The operator's own user, in the system account.
const DESK: &str = "desk";

/// What a [`User`] is: where its lifetime and its key come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    User,
    Leaf,
    Service,
    Desk,
}

/// Everything that has a JWT, as the options say it.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Name of the operator.
    pub operator: String,
    /// Name of the system account, which is one of `accounts`.
    pub system_account: String,
    /// Accounts, by name.
    pub accounts: Vec<Account>,
    /// Everybody who logs in, leaves and services too.
    pub users: Vec<User>,
}

/// An account and what its JWT says.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// The option that declares it.
    pub at: OptionPath,
    /// One scoped signing key each.
    pub roles: Vec<Role>,
    /// Whether it is the system account.
    pub(crate) is_system: bool,
    /// What the options say of it.
    pub(crate) plan: plan::Account,
    /// Its imports that need an activation: the place in `plan.imports`, the exporting account.
    pub(crate) private: Vec<(usize, String)>,
}

/// What all users of one signing key may do.
#[derive(Debug, Clone, PartialEq)]
pub struct Role {
    /// `leaf/<leaf>`, `user/<user>`, `default`, `service/<service>` or `activations`: the scope's `role`.
    pub name: String,
    /// The option that says what it may do.
    pub at: OptionPath,
    /// What it may do.
    pub template: UserPermissionLimits,
}

/// Somebody who logs in by a JWT, in which nothing stands but who it is and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its account.
    pub account: String,
    /// The role whose key signs it.
    pub role: String,
    /// Its name, which is the JWT's.
    pub name: String,
    /// Where its JWT stands below `identity/`, such as `leaves/plant-a.jwt`.
    pub place: String,
    /// Seconds from its issue to its end; `None`: it does not end.
    pub lifetime: Option<u64>,
    /// The option that declares it.
    pub at: OptionPath,
    kind: Kind,
}

impl User {
    /// Its public key as `keys.json` has it; `None`: not there, as for services, whose JWTs say it.
    pub fn key<'a>(&self, keys: &'a Keys) -> Option<&'a str> {
        let key = match self.kind {
            Kind::User => keys.users.get(&self.account)?.get(&self.name)?,
            Kind::Leaf => keys.leaves.get(&self.name)?,
            Kind::Service | Kind::Desk => return None,
        };
        Some(key)
    }

    fn lifetime_of(&self, lifetimes: &fleet::Lifetimes) -> Option<u64> {
        let lifetime = match self.kind {
            Kind::User | Kind::Desk => lifetimes.user,
            Kind::Leaf => lifetimes.leaf,
            Kind::Service => Some(lifetimes.server),
        };
        lifetime.map(|lifetime| lifetime.as_millis() / 1000)
    }
}

impl Wanted {
    /// What a fleet needs; `None` where accounts stand in nats.conf, or a rule was broken.
    pub fn of(fleet: &Fleet, problems: &mut Problems) -> Option<Self> {
        fleet.operator.as_ref()?;
        let mut found = Problems::new();
        let wanted = Self::declared(fleet, &mut found);
        refused::check(&wanted, &mut found);
        let holds = found.is_empty();
        problems.extend(found);
        holds.then_some(wanted)
    }

    /// What the options say, whether it can be or not.
    fn declared(fleet: &Fleet, problems: &mut Problems) -> Self {
        let planned = plan::accounts_of(fleet, problems);
        let mut wanted = Self {
            operator: "cim".to_owned(),
            system_account: fleet.system_account.clone(),
            accounts: Vec::new(),
            users: Vec::new(),
        };
        let lifetimes = fleet::lifetimes(fleet, problems);
        let nodes: Vec<&str> = fleet
            .hubs
            .values()
            .flat_map(|hub| hub.nodes.keys().map(String::as_str))
            .collect();
        for account in &planned {
            wanted.add(account, &planned, &nodes);
        }
        for user in &mut wanted.users {
            user.lifetime = lifetimes.and_then(|lifetimes| user.lifetime_of(&lifetimes));
        }
        wanted
    }

    /// The account of a name.
    pub fn account(&self, name: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.name == name)
    }

    fn add(&mut self, account: &plan::Account, all: &[plan::Account], nodes: &[&str]) {
        let at = accounts_at().join(&account.name);
        let mut roles: Vec<Role> = Vec::new();
        for principal in &account.principals {
            let role = role_of(principal);
            let principal_at = option_of(principal, &at);
            for place in places(principal, &account.name, nodes) {
                self.users.push(User {
                    account: account.name.clone(),
                    role: role.clone(),
                    name: principal.name.clone(),
                    place,
                    lifetime: None,
                    kind: kind_of(principal),
                    at: principal_at.clone(),
                });
            }
            if roles.iter().all(|known| known.name != role) {
                roles.push(Role {
                    at: match role.as_str() {
                        DEFAULT => at.join("defaultPermissions"),
                        _ => principal_at,
                    },
                    template: template::of(principal, account.default_permissions.as_ref()),
                    name: role,
                });
            }
        }
        if account
            .exports
            .iter()
            .any(|export| export.accounts.is_some())
        {
            roles.push(Role {
                name: ACTIVATIONS.to_owned(),
                at: at.join("exports"),
                template: template::nobody(),
            });
        }
        self.accounts.push(Account {
            name: account.name.clone(),
            is_system: account.name == self.system_account,
            at,
            roles,
            private: private(account, all),
            plan: account.clone(),
        });
    }
}

fn accounts_at() -> OptionPath {
    OptionPath::new("services.cim.fleet.accounts")
}

/// The option that declares a principal of the account at `at`.
fn option_of(principal: &Principal, at: &OptionPath) -> OptionPath {
    match principal.kind {
        PrincipalKind::User => at.join("users").join(&principal.name),
        PrincipalKind::Leaf => OptionPath::new("services.cim.fleet.leaves").join(&principal.name),
        PrincipalKind::Service if principal.name == DESK => at.clone(),
        PrincipalKind::Service if principal.name == HEALTH_LOGIN => {
            OptionPath::new("services.cim.fleet.leaves")
        }
        PrincipalKind::Service => at.join("jetstream").join("enable"),
    }
}

/// Where its JWTs stand below `identity/`: a service has one for each node of the hubs.
fn places(principal: &Principal, account: &str, nodes: &[&str]) -> Vec<String> {
    let name = &principal.name;
    match principal.kind {
        PrincipalKind::User => vec![format!("users/{account}/{name}.jwt")],
        PrincipalKind::Leaf => vec![format!("leaves/{name}.jwt")],
        PrincipalKind::Service if name == DESK => vec![format!("{DESK}.jwt")],
        PrincipalKind::Service => {
            let of = |node| format!("services/{node}/{account}/{name}.jwt");
            nodes.iter().map(of).collect()
        }
    }
}

/// The imports of an account that are exported to it and some others only, each with the exporting account. What is
/// exported to others alone is never activated, though a wider export for everybody may cover it.
fn private(account: &plan::Account, all: &[plan::Account]) -> Vec<(usize, String)> {
    let names_it = |names: &Vec<String>| names.contains(&account.name);
    let is_private = |import: &plan::Import| {
        let mut exporters = all.iter().filter(|other| other.name == import.from.account);
        exporters.any(|exporter| {
            exporter.exports.iter().any(|export| {
                export.shared == import.shared
                    && export.accounts.as_ref().is_some_and(names_it)
                    && subject::covers(&export.subject, &import.from.subject)
            })
        })
    };
    let imports = account.imports.iter().enumerate();
    imports
        .filter(|(_, import)| is_private(import))
        .map(|(place, import)| (place, import.from.account.clone()))
        .collect()
}

fn kind_of(principal: &Principal) -> Kind {
    match principal.kind {
        PrincipalKind::User => Kind::User,
        PrincipalKind::Leaf => Kind::Leaf,
        PrincipalKind::Service if principal.name == DESK => Kind::Desk,
        PrincipalKind::Service => Kind::Service,
    }
}

/// The role of a principal. Users that say nothing of their own share one.
fn role_of(principal: &Principal) -> String {
    let own = principal.permissions.is_some() || !principal.fields.is_empty();
    match principal.kind {
        PrincipalKind::Leaf => format!("leaf/{}", principal.name),
        PrincipalKind::Service => format!("service/{}", principal.name),
        PrincipalKind::User if own => format!("user/{}", principal.name),
        PrincipalKind::User => DEFAULT.to_owned(),
    }
}
