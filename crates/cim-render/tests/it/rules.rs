//! Every rule bites: without it, some refusal case would say something else.

use std::path::Path;

use cim_spec::Rule;

use crate::refusals::message;
use crate::support::{cases, name};

#[test]
fn every_rule_has_a_case_that_fails_without_it() {
    let cases: Vec<_> = cases("refusals")
        .into_iter()
        .map(|case| (message(&case, None), case))
        .collect();
    let idle: Vec<&str> = Rule::ALL
        .iter()
        .filter(|rule| {
            // Cases are named after their rule: one of those says so at once.
            let named = |case: &Path| name(case).starts_with(rule.id());
            let (first, rest): (Vec<_>, Vec<_>) = cases.iter().partition(|(_, case)| named(case));
            let mut cases = first.into_iter().chain(rest);
            !cases.any(|(with, case)| message(case, Some(**rule)) != *with)
        })
        .map(|rule| rule.id())
        .collect();
    assert!(
        idle.is_empty(),
        "no case in tests/refusals/ fails without these rules: {}",
        idle.join(", ")
    );
}
