//! Whether both folders are what a plan needs: what `make` would do, what anybody else can open, and what ends when.

use std::path::Path;

use anyhow::{Result, anyhow};
use cim_identity::Expiring;
use cim_spec::Problems;
use serde::Serialize;
use time::OffsetDateTime;

use super::public::Public;
use super::{Did, Lasting, Plan, Request, Step, make, rules};
use crate::pki;
use crate::progress::Progress;
use crate::sops::{Identities, SETTINGS};

/// What makes and repairs everything.
const MAKE: &str = "cim-admin identity make";

/// Something that is not as the plan needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The host whose file it is; `None`: no host's.
    pub host: Option<String>,
    /// The option, or the file and the entry in it.
    pub place: String,
    /// What is wrong.
    pub problem: String,
    /// What repairs it.
    pub command: Option<String>,
}

/// When something ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ending {
    /// Its file.
    pub file: String,
    /// What it is.
    pub what: String,
    /// The hub's node or the leaf that uses it; `None`: no host does.
    pub host: Option<String>,
    /// Its last second, since 1970.
    pub ends: i64,
    /// Whether that is within the horizon.
    pub soon: bool,
    /// What renews it; `None`: no command of ours, as it was made elsewhere.
    pub command: Option<String>,
}

/// What was found.
#[derive(Debug, Default, Serialize)]
pub struct Checked {
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// All that ends, the first first.
    pub ends: Vec<Ending>,
}

/// Checks both folders; without `keys` nothing sealed is opened.
///
/// # Errors
/// A plan whose fleet breaks a rule, and folders that cannot be read.
pub fn check(
    plan: &Plan,
    (identity, secrets): (&Path, &Path),
    keys: Option<&Identities>,
    now: OffsetDateTime,
    progress: &Progress,
) -> Result<Checked> {
    let mut checked = Checked {
        problems: Vec::new(),
        ends: ends(plan, identity, now)?,
    };
    public(plan, identity, &mut checked)?;
    let settings = secrets.join(SETTINGS).display().to_string();
    let said = rules::check(secrets, plan);
    for problem in said.unwrap_or_else(|error| vec![format!("{error:#}")]) {
        let problem = problem
            .strip_prefix(&format!("{settings}: "))
            .unwrap_or(&problem);
        checked.add(plan, secrets, &settings, problem, Some(MAKE));
    }
    if let Some(keys) = keys {
        let request = Request {
            plan,
            identity,
            secrets,
            keys,
            now,
        };
        sealed(request, progress, &mut checked);
    }
    Ok(checked)
}

/// All that ends, the first first.
///
/// # Errors
/// A plan without lifetimes, and what cannot be read.
pub fn ends(plan: &Plan, identity: &Path, now: OffsetDateTime) -> Result<Vec<Ending>> {
    let horizon = Lasting::of_plan(plan)?.horizon.whole_seconds();
    let public = Public::open(identity)?;
    let ever = i64::MAX / 2;
    let wishes = plan.certificates()?;
    let found = cim_identity::expiring(&plan.fleet, &wishes, &public.committed()?, 0, ever);
    let found = found.map_err(|unread| anyhow!(shown(&public, &unread)))?;
    let soon = now.unix_timestamp() + horizon;
    let ending = |one: Expiring| Ending {
        file: public.shown(&one.file),
        what: one.what,
        host: one.host,
        soon: one.ends < soon,
        ends: one.ends,
        command: one.renew.map(str::to_owned),
    };
    Ok(found.into_iter().map(ending).collect())
}

fn shown(public: &Public, unread: &[String]) -> String {
    let unread = unread.iter().map(|one| public.shown(one));
    unread.collect::<Vec<_>>().join("\n")
}

/// The public folder against the options: permissions, limits, roles, issuers.
fn public(plan: &Plan, identity: &Path, checked: &mut Checked) -> Result<()> {
    let committed = Public::open(identity)?.committed()?;
    let mut problems = Problems::new();
    cim_identity::check(
        &plan.fleet,
        &plan.certificates()?,
        &committed,
        &mut problems,
    );
    for problem in problems.into_vec() {
        checked.problems.push(Problem {
            host: None,
            place: problem.at.to_string(),
            problem: problem.what,
            command: Some(problem.help),
        });
    }
    Ok(())
}

/// What is sealed against the plan: what another run would do is what is wrong.
fn sealed(request: Request<'_>, progress: &Progress, checked: &mut Checked) {
    let (plan, secrets) = (request.plan, request.secrets);
    let outcome = match make(request, progress) {
        Ok(made) => made.outcome,
        Err(error) => {
            let said = format!("{error:#}");
            let (place, problem) = said.split_once(": ").unwrap_or((MAKE, &said));
            checked.add(plan, secrets, place, problem, None);
            return;
        }
    };
    for Step { did, what, places } in outcome.done {
        let problem = match did {
            Did::Made => format!("{what} is not there"),
            Did::Changed => format!("{what} is not what the options say"),
            // That it ends is said where all that ends is.
            Did::Renewed | Did::Kept => continue,
        };
        for place in places.iter().filter(|place| !place.ends_with(SETTINGS)) {
            checked.add(plan, secrets, place, &problem, Some(MAKE));
        }
    }
    for left in outcome.left_over {
        checked.add(
            plan,
            secrets,
            &left.what,
            "nothing in the plan needs it",
            Some(&left.command),
        );
    }
}

impl Checked {
    fn add(
        &mut self,
        plan: &Plan,
        secrets: &Path,
        place: &str,
        problem: &str,
        command: Option<&str>,
    ) {
        let file = place.strip_prefix(&format!("{}/", secrets.display()));
        let host = file
            .and_then(|file| file.split_once(".yaml"))
            .map(|(host, _)| host);
        self.problems.push(Problem {
            host: host
                .filter(|host| plan.hosts.contains_key(*host))
                .map(str::to_owned),
            place: place.to_owned(),
            problem: problem.to_owned(),
            command: command.map(str::to_owned),
        });
    }
}

impl Problem {
    /// For people.
    pub fn line(&self) -> String {
        let host = self
            .host
            .as_ref()
            .map(|host| format!("{host}: "))
            .unwrap_or_default();
        let command = self.command.as_ref().map(|command| format!(": {command}"));
        let command = command.unwrap_or_default();
        format!("{host}{}: {}{command}", self.place, self.problem)
    }
}

impl Ending {
    /// For people.
    pub fn line(&self, now: OffsetDateTime) -> String {
        let host = self
            .host
            .as_ref()
            .map(|host| format!("{host}: "))
            .unwrap_or_default();
        let end = OffsetDateTime::from_unix_timestamp(self.ends).map(pki::date);
        let end = end.unwrap_or_else(|_| format!("second {}", self.ends));
        let ends = if self.ends < now.unix_timestamp() {
            "ended"
        } else {
            "ends"
        };
        let renew = self.command.as_deref();
        let renew = renew.unwrap_or("have it issued again where it comes from");
        let renew = if self.soon {
            format!(": {renew}")
        } else {
            String::new()
        };
        format!("{host}{}: {} {ends} on {end}{renew}", self.file, self.what)
    }
}
