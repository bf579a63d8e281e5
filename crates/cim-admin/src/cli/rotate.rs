//! `cim-admin rotate WHAT`: a new key beside the old one, and later, with --finish, the end of the old one.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Subcommand;
use serde_json::json;

use super::store::Store;
use super::{Desk, Report, consent};
use crate::identity::rotate::{self, What};
use crate::identity::{Bearer, Made, Plan, Request};

#[derive(Debug, Subcommand)]
pub enum Rotate {
    /// The operator's key that signs accounts
    OperatorSigning {
        #[command(flatten)]
        how: How,
    },
    /// The signing key of one role of an account; its users are issued anew
    AccountSigning {
        /// The account
        account: String,
        /// The role, such as leaf/plant-a, user/alchemist, service/provision or default
        role: String,
        #[command(flatten)]
        how: How,
    },
    /// A leaf's own key; also what lets a decommissioned leaf in again
    Leaf {
        /// The leaf
        leaf: String,
        #[command(flatten)]
        how: How,
    },
    /// A user's own key
    User {
        /// The account
        account: String,
        /// The user
        user: String,
        #[command(flatten)]
        how: How,
    },
    /// The key of a service that a hub's node runs
    Service {
        /// The hub's node
        node: String,
        /// The account
        account: String,
        /// The service, such as provision
        service: String,
        #[command(flatten)]
        how: How,
    },
    /// A server's certificate and its key
    ServerCertificate {
        /// The unit, such as cim-hub-1
        unit: String,
        #[command(flatten)]
        how: How,
    },
    /// A leaf's certificate and its key
    LeafCertificate {
        /// The unit, such as cim-plant-a
        unit: String,
        #[command(flatten)]
        how: How,
    },
    /// The issuing CA below the root, and with it every certificate
    Ca {
        #[command(flatten)]
        how: How,
    },
    /// The root of trust: a new one beside the old one; `rotate ca` and --finish follow
    CaRoot {
        #[command(flatten)]
        how: How,
    },
    /// A key that JetStream encrypts with: refused, with what to do
    StoreKey {
        /// The unit, such as cim-hub-1
        unit: String,
    },
    /// The operator or an account itself: refused, with what to do
    Identity,
}

/// Where things are, and which step it is.
#[derive(Debug, clap::Args)]
pub struct How {
    /// What the fleet needs, as `lib.identity` evaluates it; - for what is piped in
    #[arg(long, value_name = "FILE")]
    plan: PathBuf,
    /// The folder of public files
    #[arg(long, value_name = "DIR", default_value = "identity")]
    identity: PathBuf,
    #[command(flatten)]
    store: Store,
    /// Ends the rotation: the old key is refused once this is pushed or deployed
    #[arg(long)]
    finish: bool,
    /// Consents to the old key's end
    #[arg(long, requires = "finish")]
    yes: bool,
    /// Says what would be written, and writes nothing
    #[arg(long)]
    dry_run: bool,
}

impl Rotate {
    pub fn run(&self, desk: &Desk) -> Result<Report> {
        let (what, how) = self.what()?;
        let plan = Plan::open(&how.plan)?;
        if !how.dry_run {
            how.store.must_be_whole(&how.identity, desk)?;
        }
        let keys = how.store.identities(desk)?;
        let request = Request {
            plan: &plan,
            identity: &how.identity,
            secrets: how.store.path(),
            keys: &keys,
            now: desk.now,
        };
        let step = if how.finish {
            rotate::finish
        } else {
            rotate::start
        };
        let Made { batch, mut outcome } = step(request, &what, &desk.progress())?;
        if !how.dry_run {
            consent::ask(&outcome.losses, how.yes)?;
            batch.commit()?;
        }
        outcome.next = self.next(&what, how.finish, outcome.next);
        let mut json = json!(outcome);
        json["dryRun"] = how.dry_run.into();
        Ok(Report::new(outcome.lines(how.dry_run), json))
    }

    fn what(&self) -> Result<(What, &How)> {
        let certificate = |unit: &str, bearer| What::Certificate {
            unit: unit.to_owned(),
            bearer,
        };
        Ok(match self {
            Rotate::OperatorSigning { how } => (What::OperatorSigning, how),
            Rotate::AccountSigning { account, role, how } => {
                let (account, role) = (account.clone(), role.clone());
                (What::Role { account, role }, how)
            }
            Rotate::Leaf { leaf, how } => (What::User(format!("leaves/{leaf}.jwt")), how),
            Rotate::User { account, user, how } => {
                (What::User(format!("users/{account}/{user}.jwt")), how)
            }
            Rotate::Service {
                node,
                account,
                service,
                how,
            } => (
                What::User(format!("services/{node}/{account}/{service}.jwt")),
                how,
            ),
            Rotate::ServerCertificate { unit, how } => (certificate(unit, Bearer::Server), how),
            Rotate::LeafCertificate { unit, how } => (certificate(unit, Bearer::Leaf), how),
            Rotate::Ca { how } => (What::Ca, how),
            Rotate::CaRoot { how } => (What::CaRoot, how),
            Rotate::StoreKey { unit } => bail!(
                "the store of {unit} is unreadable with another key: nats-server re-encrypts only while it has both; set jetstream.encryption.prevKeyFile to a file with the old one first, or take a backup, empty the store and restore"
            ),
            Rotate::Identity => bail!(
                "the operator's and accounts' own keys are their names: hubs, users and imports point at them, so there is no overlap; they sign nothing that is deployed and stay sealed; a new one is a new fleet (`cim-admin identity make` in empty folders)"
            ),
        })
    }

    /// The order in which nobody is cut off.
    fn next(&self, what: &What, finish: bool, made: Vec<String>) -> Vec<String> {
        let (push, mut next): (Vec<String>, Vec<String>) =
            made.into_iter().partition(|step| step.starts_with("push "));
        match (what, finish) {
            // A hub believes only what a key of its own operator JWT signed.
            (What::OperatorSigning, false) => {
                next.retain(|step| !step.starts_with("deploy "));
                next.push("deploy every hub: its operator JWT then names both keys".to_owned());
                next.extend(push);
                next.push("cim-admin rotate operator-signing --finish".to_owned());
            }
            (What::OperatorSigning, true) => {
                next.push(
                    "deploy every hub: its operator JWT then names the new key alone".to_owned(),
                );
            }
            (What::CaRoot, _) => {
                next.retain(|step| !step.starts_with("deploy "));
                next.extend(self::root(finish).map(str::to_owned));
            }
            _ => {
                let at = usize::from(next.first().is_some_and(|step| step.starts_with("commit ")));
                next.splice(at..at, push);
                if !finish && matches!(what, What::Role { .. } | What::User(_)) {
                    next.push(format!(
                        "when all of them log in with what is new: cim-admin rotate {} --finish",
                        self.words()
                    ));
                }
            }
        }
        next
    }

    /// As it was typed.
    fn words(&self) -> String {
        match self {
            Rotate::AccountSigning { account, role, .. } => {
                format!("account-signing {account} {role}")
            }
            Rotate::Leaf { leaf, .. } => format!("leaf {leaf}"),
            Rotate::User { account, user, .. } => format!("user {account} {user}"),
            Rotate::Service {
                node,
                account,
                service,
                ..
            } => format!("service {node} {account} {service}"),
            _ => String::new(),
        }
    }
}

/// What follows a change of the trusted roots.
fn root(finish: bool) -> impl Iterator<Item = &'static str> {
    let steps: &[&str] = match finish {
        false => &[
            "deploy every host, and give identity/ca.pem to whoever dials the hubs from elsewhere: they then trust both roots",
            "cim-admin rotate ca, and deploy every host: its certificates then come from the new root",
            "cim-admin rotate ca-root --finish",
        ],
        true => &[
            "deploy every host, and give identity/ca.pem to whoever dials the hubs from elsewhere: they then trust the new root alone",
        ],
    };
    steps.iter().copied()
}
