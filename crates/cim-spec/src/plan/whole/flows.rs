//! Flows against what would hold them up, and subjects that would arrive twice.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use super::{find, number, texts};
use crate::fleet::crossing::through_uplink;
use crate::implied;
use crate::path::OptionPath;
use crate::plan::{Account, Import, Plan, Principal, PrincipalKind, Shared};
use crate::problem::{Problems, Rule};
use crate::spec::Flow;
use crate::subject;

pub(super) fn check(plan: &Plan, problems: &mut Problems) {
    let flows = crossing(plan);
    denied_on_remotes(plan, &flows, problems);
    held_up_on_routes(plan, &flows, problems);
    deeper_than_allowed(plan, &flows, problems);
    for account in &plan.accounts {
        imported_twice(plan, account, problems);
    }
    if let Some(link) = &plan.link
        && plan
            .accounts
            .iter()
            .any(|account| is_uplink(plan, &account.name))
    {
        let at = OptionPath::new("services.cim.fleet.leaves").join(&plan.name);
        through_uplink(&link.imports, &link.exports, &at, problems);
    }
}

/// A flow by the name that it has on the link.
struct Crossing<'a> {
    subject: Cow<'a, str>,
    what: &'static str,
    /// Empty: of every leaf, and no flow that somebody declared.
    leaf: &'a str,
}

impl fmt::Display for Crossing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.leaf.is_empty() {
            return write!(f, "{:?} of cim-health", self.subject);
        }
        let at = OptionPath::new("services.cim.fleet.leaves").join(self.leaf);
        write!(f, "the {} {:?} of {at}", self.what, self.subject)
    }
}

/// The flows that cross the links of this server.
fn crossing(plan: &Plan) -> Vec<Crossing<'_>> {
    let mut flows = Vec::new();
    let mut crosses = |what, leaf, subject| {
        flows.push(Crossing {
            subject,
            what,
            leaf,
        });
    };
    if let Some(link) = &plan.link {
        for flow in link.imports.iter().filter(|flow| flow.is_core()) {
            crosses("import", plan.name.as_str(), Cow::from(&flow.subject));
        }
        for flow in link.exports.iter().filter(|flow| flow.is_core()) {
            crosses("export", &plan.name, Cow::from(flow.arrives_as()));
        }
    }
    let principals = plan.accounts.iter().flat_map(|account| &account.principals);
    let is_leaf = |principal: &&Principal| principal.kind == PrincipalKind::Leaf;
    for leaf in principals.filter(is_leaf) {
        let Some(permissions) = &leaf.permissions else {
            continue;
        };
        let declared = |subject: &&String| !implied::is(subject);
        for subject in permissions.subscribe.allow.iter().filter(declared) {
            crosses("import", &leaf.name, Cow::from(subject));
        }
        for subject in permissions.publish.allow.iter().filter(declared) {
            crosses("export", &leaf.name, Cow::from(subject));
        }
    }
    if !flows.is_empty() {
        let all = [implied::ANY_ASK, implied::ANY_ANSWER, implied::ANY_REPORT];
        flows.extend(all.map(|subject| Crossing {
            subject: Cow::from(subject),
            what: "subject",
            leaf: "",
        }));
    }
    flows
}

/// The first of these flows, and how many more there are; `None`: there is none.
fn told<'a>(flows: impl Iterator<Item = &'a Crossing<'a>>) -> Option<String> {
    let mut flows = flows;
    let first = flows.next()?;
    Some(match flows.count() {
        0 => first.to_string(),
        more => format!("{first} (and of {more} more flows)"),
    })
}

fn touched(denied: &str, flows: &[Crossing<'_>]) -> Option<String> {
    told(
        flows
            .iter()
            .filter(|flow| subject::overlap(denied, &flow.subject)),
    )
}

/// A deny list on a link also holds up what goes the other way (`reference/nats.md` §3.5).
fn denied_on_remotes(plan: &Plan, flows: &[Crossing<'_>], problems: &mut Problems) {
    for remote in plan.link.iter().flat_map(|link| &link.remotes) {
        for option in ["denyImports", "denyExports"] {
            for (at, denied) in texts(&remote.fields, option) {
                let Some(flow) = touched(denied, flows) else {
                    continue;
                };
                problems.add(
                    Rule::FlowDenied,
                    &at,
                    format!("{denied:?} denies some of {flow}"),
                    "leave it out: nothing crosses that is no flow, and a denial also stops what goes the other way",
                );
            }
        }
    }
}

/// What routes do not carry reaches only some nodes of the hub.
fn held_up_on_routes(plan: &Plan, flows: &[Crossing<'_>], problems: &mut Problems) {
    let Some(cluster) = &plan.cluster else {
        return;
    };
    for side in ["import", "export"] {
        let denied = format!("permissions.{side}.deny");
        for (at, denied) in texts(&cluster.fields, &denied) {
            let Some(flow) = touched(denied, flows) else {
                continue;
            };
            problems.add(
                Rule::FlowDenied,
                &at,
                format!("{denied:?} keeps from the other nodes some of {flow}"),
                "deny only what no flow carries",
            );
        }
        let option = format!("permissions.{side}.allow");
        let allowed: Vec<_> = texts(&cluster.fields, &option).collect();
        let Some(setting) = find(&cluster.fields, &option) else {
            continue;
        };
        let carried = |flow: &&Crossing<'_>| {
            let mut allowed = allowed.iter();
            allowed.any(|(_, allowed)| subject::covers(allowed, &flow.subject))
        };
        let left = flows.iter().filter(|flow| !carried(flow));
        let subjects: BTreeSet<&str> = left.clone().map(|flow| flow.subject.as_ref()).collect();
        if let (Some(flow), false) = (told(left), allowed.is_empty()) {
            problems.add(
                Rule::FlowDenied,
                &setting.at,
                format!("keeps from the other nodes {flow}"),
                format!("add {}", Vec::from_iter(subjects).join(", ")),
            );
        }
    }
}

fn deeper_than_allowed(plan: &Plan, flows: &[Crossing<'_>], problems: &mut Problems) {
    let Some((setting, most)) = number(&plan.fields, "limits.maxSubTokens") else {
        return;
    };
    let depth = |flow: &Crossing<'_>| flow.subject.split('.').count();
    let within = within(plan);
    let all = flows.iter().chain(&within);
    let Some(deepest) = all.max_by_key(|flow| depth(flow)) else {
        return;
    };
    let tokens = depth(deepest);
    if usize::try_from(most).is_ok_and(|most| tokens > most) {
        problems.add(
            Rule::SubTokens,
            &setting.at,
            format!(
                "{most} is less than the {tokens} tokens of {}: no client could subscribe to it",
                deepest
            ),
            format!("write at least {tokens}"),
        );
    }
}

/// What `cim-health` subscribes to here of subjects of flows: it may have more tokens than the flow, whose last is `>`.
fn within(plan: &Plan) -> Vec<Crossing<'_>> {
    let flows = plan.watched.flows.iter();
    let ours = flows.filter_map(|flow| Some(&flow.within.as_ref()?.leaf));
    let leaves = plan.watched.leaves.iter().flat_map(|leaf| &leaf.canaries);
    let theirs = leaves.map(|canary| &canary.subject);
    ours.chain(theirs)
        .map(|subject| Crossing {
            subject: Cow::from(subject),
            what: "subject",
            leaf: "",
        })
        .collect()
}

/// Two imports that give a subject the same name here deliver each message twice.
fn imported_twice(plan: &Plan, account: &Account, problems: &mut Problems) {
    // What an uplink carries are flows, which the fleet's rules hold against each other.
    let own =
        |import: &Import| !is_uplink(plan, &account.name) && !is_uplink(plan, &import.from.account);
    let streams = account.imports.iter().enumerate();
    let streams = streams.filter(|(_, import)| import.shared == Shared::Stream && own(import));
    let streams: Vec<(usize, &Import)> = streams.collect();
    for (place, (index, import)) in streams.iter().enumerate() {
        let arrives = import.arrives_as();
        if subject::check(&arrives).is_err() {
            continue; // its own rule has said so
        }
        let twice = streams[..place].iter().find(|(_, first)| {
            first.from.account == import.from.account
                && subject::overlap(&first.from.subject, &import.from.subject)
                && subject::overlap(&first.arrives_as(), &arrives)
        });
        let Some((_, first)) = twice else {
            continue;
        };
        problems.add(
            Rule::DeliveredTwice,
            &plan.accounts_at().join(&account.name).join("imports").index(*index),
            format!(
                "{:?} of account {:?} arrives by the import of {:?} too: each such message would be delivered twice",
                import.from.subject, import.from.account, first.from.subject
            ),
            "import the wider one only, or give one of them a name of its own here",
        );
    }
}

/// Whether an account is not the operator's, but renames the flows of a leaf.
fn is_uplink(plan: &Plan, account: &str) -> bool {
    let mut remotes = plan.link.iter().flat_map(|link| &link.remotes);
    account.ends_with("-UPLINK") && remotes.any(|remote| remote.account == account)
}

impl Import {
    /// What the subject is called in the importing account, with wildcards.
    pub(crate) fn arrives_as(&self) -> String {
        Flow {
            subject: self.from.subject.clone(),
            prefix: self.prefix.clone(),
            to: self.to.clone(),
            canary: None,
            durable: None,
        }
        .arrives_as()
    }
}
