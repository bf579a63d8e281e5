//! The table of checks in docs/health.md, made from the checks themselves.

use super::check;
use super::explain::Words;

/// One section for each check.
pub fn page() -> String {
    let words = Words::general();
    let sections = check::all().map(|check| {
        let after = match check.after {
            [] => "nothing".to_owned(),
            after => after.join(", "),
        };
        let option = match check.option {
            "" => "none".to_owned(),
            option => {
                let names = option.split(", ").map(|name| format!("`health.{name}`"));
                names.collect::<Vec<_>>().join(", ")
            }
        };
        let of = match check.of {
            "" => "the instance".to_owned(),
            of => of.to_owned(),
        };
        let gate = if check.gates { "yes" } else { "no" };
        let causes = super::explain::causes(check, &words);
        format!(
            "### `{}`\n\n{}\n\n- one for each: {of}\n- looks at: {}\n- {}\n- levels: {option}\n- waits for: {after}\n- a deployment waits for it: {gate}\n\n{causes}",
            check.name, check.meaning, check.looks_at, check.states
        )
    });
    sections.collect::<Vec<_>>().join("\n")
}
