//! Names: of instances (which become units, users and directories) and of NATS accounts.

use crate::problem::Refused;

/// Suffixes of the units that stand beside an instance's own.
const TAKEN_SUFFIXES: &[&str] = &[
    "-provision",
    "-health",
    "-backup",
    "-auth-callout",
    "-expiry",
];

/// Checks the name of an instance, node, hub, leaf or remote: `[a-z][a-z0-9-]{0,20}`.
///
/// # Errors
/// Other characters, more than 21 of them, and endings that name an instance's helper units.
pub fn check(name: &str) -> Result<(), Refused> {
    let mut chars = name.chars();
    let shape = chars.next().is_some_and(|c| c.is_ascii_lowercase())
        && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && name.len() <= 21;
    if !shape {
        return Err(Refused::new(
            "is not a name",
            "write a lower-case letter and up to 20 lower-case letters, digits and dashes, for example \"cim-prod-001\"",
        ));
    }
    match TAKEN_SUFFIXES.iter().find(|suffix| name.ends_with(*suffix)) {
        Some(suffix) => Err(Refused::new(
            format!("ends in {suffix:?}, which names a unit beside an instance"),
            "choose another ending",
        )),
        None => Ok(()),
    }
}

/// The unit, user and state directory of an instance: `cim-` and the name without one.
pub fn unit(name: &str) -> String {
    format!("cim-{}", name.strip_prefix("cim-").unwrap_or(name))
}

/// Checks the name of an account or user.
///
/// # Errors
/// Empty names, white space, quotes, and `$G`, which nats-server keeps for itself.
pub fn check_account(name: &str) -> Result<(), Refused> {
    let bad = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '\'' | '\\');
    if name.is_empty() || name.starts_with('$') || name.contains(bad) {
        return Err(Refused::new(
            "cannot name an account or user",
            "write letters, digits, dots, dashes and underscores, not starting with `$`, for example \"CIM\"",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_has_one_prefix() {
        assert_eq!(unit("cim-prod-001"), "cim-prod-001");
        assert_eq!(unit("hub-1"), "cim-hub-1");
    }

    #[test]
    fn names_that_would_clash_with_helper_units_are_refused() {
        assert!(check("plant-7").is_ok());
        for bad in [
            "",
            "7a",
            "Plant",
            "a_b",
            "a/b",
            "plant-health",
            "a23456789012345678901x",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
