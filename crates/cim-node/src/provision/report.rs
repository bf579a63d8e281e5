//! What is told at the end: for people, or as JSON.

use serde_json::{Value, json};

use super::apply::{Outcome, Outcomes};
use super::loss::Count;
use super::migrate;
use super::plan::{Action, Changed, Means, Plan, Step};
use super::prune::Left;
use super::words;

/// How a run ended, as its exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything is as declared.
    Ok = 0,
    /// It is, with something to tidy up; of a plan, something is to be done.
    Warning = 1,
    /// Something declared is not so.
    Critical = 2,
    /// Nobody knows.
    Unknown = 3,
}

/// What was planned, and what became of it.
#[derive(Debug)]
pub struct Report {
    /// The plan.
    pub plan: Plan,
    /// What became of it; `None`: it was only planned.
    pub outcomes: Option<Outcomes>,
    /// What would go with each asset that is not declared; of a plan alone.
    pub left: Vec<Left>,
    /// The server's version.
    pub server: String,
}

impl Report {
    /// How it ended.
    pub fn exit(&self) -> Exit {
        let some =
            |test: fn(&Action) -> bool| self.plan.steps.iter().any(|step| test(&step.action));
        let outcomes = || self.outcomes.iter().flat_map(Outcomes::values);
        let failed = outcomes().any(|outcome| matches!(outcome, Outcome::Failed(_)));
        let later = outcomes().any(|outcome| matches!(outcome, Outcome::Later(_)));
        let refused = some(|action| {
            matches!(
                action,
                Action::Lossy(_) | Action::Impossible | Action::Refused(_)
            )
        });
        let due = some(|action| matches!(action, Action::Create | Action::Update | Action::Lose));
        if refused || failed {
            Exit::Critical
        } else if later || some(|action| matches!(action, Action::Unknown(_))) {
            Exit::Unknown
        } else if !self.plan.warnings.is_empty() || (due && self.outcomes.is_none()) {
            Exit::Warning
        } else {
            Exit::Ok
        }
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut lines = Vec::new();
        for step in self
            .plan
            .steps
            .iter()
            .filter(|step| step.action != Action::None)
        {
            lines.push(format!("{}: {}", step.asset, self.verb(step)));
            lines.extend(step.changes.iter().map(|changed| {
                format!(
                    "    {}: {}{}",
                    changed.field,
                    words::change(changed),
                    note(changed)
                )
            }));
            if step.action == Action::Impossible {
                lines.push("    what `migrate` does, once it is consented to:".to_owned());
                let steps = migrate::steps(step);
                lines.extend(steps.iter().map(|line| format!("    {line}")));
            }
        }
        for step in &self.plan.steps {
            lines.extend(
                words::refusals(step)
                    .into_iter()
                    .map(|refusal| format!("error: {refusal}")),
            );
            if let Some(Outcome::Failed(why) | Outcome::Later(why)) = self.outcome(step) {
                lines.push(format!(
                    "error: {}: {why}\n  help: {}",
                    words::asset_place(step),
                    words::remedy(why)
                ));
            }
        }
        lines.extend(
            self.plan
                .warnings
                .iter()
                .map(|warning| format!("warning: {warning}")),
        );
        if !self.plan.undeclared.is_empty() {
            let names: Vec<_> = self
                .plan
                .undeclared
                .iter()
                .map(ToString::to_string)
                .collect();
            lines.push(format!("not declared, left alone: {}", names.join(", ")));
            lines.extend(self.left.iter().map(|left| {
                format!(
                    "    {} (`cim-provision prune FOLDER {} --confirm {}` removes it)",
                    left.words(),
                    left.asset,
                    left.id
                )
            }));
        }
        lines.push(self.sum());
        lines.join("\n") + "\n"
    }

    fn outcome(&self, step: &Step) -> Option<&Outcome> {
        self.outcomes.as_ref()?.get(&step.asset)
    }

    fn verb(&self, step: &Step) -> &'static str {
        let done = self.outcome(step).map(|outcome| *outcome == Outcome::Done);
        match (&step.action, done) {
            (Action::None, _) => "as declared",
            (_, Some(false)) => "failed",
            (Action::Create, None) => "to make",
            (Action::Create, _) => "made",
            (Action::Update, None) => "to update in place",
            (Action::Update, _) => "updated in place",
            (Action::Lose, None) => "to update, with the loss that was consented to",
            (Action::Lose, _) => "updated, with the loss that was consented to",
            (Action::Lossy(_), _) => "refused without consent",
            (Action::Impossible, _) => "refused, for no update does it",
            (Action::Refused(_), _) => "refused",
            (Action::Unknown(_), _) => "unknown",
        }
    }

    fn sum(&self) -> String {
        let count =
            |test: &dyn Fn(&Step) -> bool| self.plan.steps.iter().filter(|step| test(step)).count();
        let same = count(&|step| step.action == Action::None);
        let due =
            count(&|step| matches!(step.action, Action::Create | Action::Update | Action::Lose));
        let done = count(&|step| self.outcome(step) == Some(&Outcome::Done));
        let all = self.plan.steps.len();
        match &self.outcomes {
            None => format!(
                "{all} declared: {same} as declared, {due} to do, {} refused",
                all - same - due
            ),
            Some(_) => format!(
                "{all} declared: {same} as declared, {done} done, {} not",
                all - same - done
            ),
        }
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let assets: Vec<_> = self.plan.steps.iter().map(|step| self.step(step)).collect();
        let undeclared: Vec<_> = self
            .plan
            .undeclared
            .iter()
            .map(ToString::to_string)
            .collect();
        json!({
            "exit": self.exit() as u8,
            "server": self.server,
            "assets": assets,
            "undeclared": undeclared,
            "left": self.left.iter().map(Left::json).collect::<Vec<_>>(),
            "warnings": self.plan.warnings,
        })
    }

    fn step(&self, step: &Step) -> Value {
        let changes: Vec<_> = step.changes.iter().map(changed).collect();
        let failed = match self.outcome(step) {
            Some(Outcome::Failed(why) | Outcome::Later(why)) => Some(why),
            _ => None,
        };
        json!({
            "asset": step.asset.to_string(),
            "option": step.option,
            "action": match step.action {
                Action::None => "none",
                Action::Create => "create",
                Action::Update => "update",
                Action::Lose | Action::Lossy(_) => "lossy",
                Action::Impossible => "impossible",
                Action::Refused(_) => "refused",
                Action::Unknown(_) => "unknown",
            },
            "changes": changes,
            "migration": migration(step),
            "planId": step.plan_id,
            "consented": step.action == Action::Lose,
            "done": self.outcome(step).map(|outcome| *outcome == Outcome::Done),
            "failed": failed,
            "refusals": words::refusals(step),
        })
    }
}

/// The steps of a migration; `None`: the step needs none.
fn migration(step: &Step) -> Option<Vec<String>> {
    let steps = (step.action == Action::Impossible).then(|| migrate::steps(step));
    steps.map(|steps| steps.iter().map(|line| line.trim().to_owned()).collect())
}

fn note(changed: &Changed) -> String {
    match &changed.means {
        Means::InPlace => String::new(),
        Means::Lossy(loss) => format!(" ({} messages {})", loss.number(), loss.what),
        Means::Impossible(_) => " (impossible)".to_owned(),
    }
}

fn changed(changed: &Changed) -> Value {
    let difference = &changed.difference;
    let (means, messages, exact) = match &changed.means {
        Means::InPlace => ("inPlace", None, None),
        Means::Lossy(loss) => (
            "lossy",
            Some(loss.messages),
            Some(loss.count == Count::Exact),
        ),
        Means::Impossible(_) => ("impossible", None, None),
    };
    json!({
        "field": changed.field,
        "from": difference.from,
        "to": difference.to,
        "means": means,
        "messages": messages,
        "exact": exact,
    })
}
