//! A fleet's whole identity, made from its plan: what is missing is made, what differs is signed anew, and nothing
//! else is touched.
//!
//! Two folders in the operator's git: `identity/` is public and read by Nix, `secrets/` is sealed. What is there is
//! opened and compared with what the options say; the result is one batch of files, all or none. Seeds leave memory
//! only sealed.

mod accounts;
mod authority;
mod certificates;
pub mod check;
mod known;
mod lasting;
mod left;
mod logins;
mod next;
mod outcome;
mod plan;
mod public;
pub mod retire;
mod root;
pub mod rotate;
pub(crate) mod rules;
mod run;
pub(crate) mod seeds;
mod statics;
mod token;
pub(crate) mod vault;

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Result, ensure};
use cim_identity::{Keys, Wanted};
use cim_spec::Problems;
use time::OffsetDateTime;

pub use self::authority::fleet_ca;
pub use self::lasting::Lasting;
pub(crate) use self::outcome::few;
pub use self::outcome::{Did, LeftOver, Outcome, Step};
pub use self::plan::{Bearer, Host, Need, Plan};
use self::public::Public;
use self::run::Run;
use self::token::Times;
use self::vault::Vault;
use crate::files::{self, Batch};
use crate::progress::Progress;
use crate::sops::Identities;

/// The entry of the operator's own creds in the system account.
const DESK: &str = "desk.creds";

/// Public keys, below `identity/`.
const KEYS: &str = "keys.json";

/// What a run works on.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// What is needed.
    pub plan: &'a Plan,
    /// The folder of public files.
    pub identity: &'a Path,
    /// The folder of sealed files.
    pub secrets: &'a Path,
    /// The operator's keys.
    pub keys: &'a Identities,
    /// The time.
    pub now: OffsetDateTime,
}

/// Files to be written, and what they are.
pub struct Made {
    /// All or none of them.
    pub batch: Batch,
    /// What was done.
    pub outcome: Outcome,
}

/// Makes what is missing of a fleet's identity; writes nothing yet.
///
/// # Errors
/// What cannot be read or opened, does not belong together, or would replace what cannot be replaced.
pub fn make(request: Request<'_>, progress: &Progress) -> Result<Made> {
    make_after(request, progress, |_, _| Ok(()))
}

/// The same, after what is there was changed in memory.
fn make_after(
    request: Request<'_>,
    progress: &Progress,
    change: impl FnOnce(&mut Vault, &mut Public) -> Result<()>,
) -> Result<Made> {
    let plan = request.plan;
    files::whole(request.secrets)?;
    let mut problems = Problems::new();
    let wanted = Wanted::of(&plan.fleet, &mut problems);
    ensure!(problems.is_empty(), "{problems}");
    let lasting = Lasting::of_plan(plan)?;
    let wishes = plan.certificates()?;
    names(plan, wanted.as_ref())?;
    let rules = rules::settle(request.secrets, plan, &request.keys.recipients())?;
    let hosts: BTreeSet<String> = plan.hosts.keys().map(|host| Plan::file_of(host)).collect();
    let mut run = Run {
        vault: Vault::open(rules.folder, request.keys, &hosts, progress)?,
        public: Public::open(request.identity)?,
        times: Times {
            now: request.now.unix_timestamp(),
            horizon: lasting.horizon.whole_seconds(),
        },
        keys: Keys::default(),
        outcome: Outcome::default(),
        request,
        lasting,
        progress,
    };
    run.one_of_all()?;
    change(&mut run.vault, &mut run.public)?;
    match &wanted {
        Some(wanted) => run.operator(wanted)?,
        None => run.statics()?,
    }
    if !wishes.is_empty() {
        let name = wanted.as_ref().map_or("cim", |wanted| &wanted.operator);
        run.certificates(name, &wishes)?;
    }
    run.store_keys()?;
    left::over(&mut run, wanted.as_ref(), &wishes);
    run.batch(rules.text)
}

/// Names become parts of paths.
fn names(plan: &Plan, wanted: Option<&Wanted>) -> Result<()> {
    let mut problems = Vec::new();
    let mut named = |at: String, name: &str| {
        if !plan::is_name(name) {
            problems.push(format!(
                "{at}: {name:?} cannot name a file: write letters, digits, dashes, dots and underscores"
            ));
        }
    };
    for leaf in plan.fleet.leaves.keys() {
        named(format!("services.cim.fleet.leaves.{leaf:?}"), leaf);
    }
    for account in wanted.iter().flat_map(|wanted| &wanted.accounts) {
        named(account.at.to_string(), &account.name);
    }
    for user in wanted.iter().flat_map(|wanted| &wanted.users) {
        named(user.at.to_string(), &user.name);
    }
    // A leaf is a user too.
    problems.sort();
    problems.dedup();
    ensure!(problems.is_empty(), "{}", problems.join("\n"));
    Ok(())
}
