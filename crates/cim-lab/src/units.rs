//! What a switch does with a unit that changed: NixOS's own rule (`switch-to-configuration`).

use std::collections::BTreeMap;

/// What happens to a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It stays as it is.
    Nothing,
    /// It is told to reload.
    Reload,
    /// It is stopped as the old unit says, and started as the new one says.
    StopStart,
    /// It is restarted as the new unit says.
    Restart,
    /// It is new.
    Start,
    /// It is no longer there.
    Stop,
}

/// Keys of `[Unit]` that may differ without anything happening, but for the first, which reloads.
const IGNORED: [&str; 13] = [
    RELOAD,
    "Description",
    "Documentation",
    "OnFailure",
    "OnSuccess",
    "OnFailureJobMode",
    "IgnoreOnIsolate",
    "StopWhenUnneeded",
    "RefuseManualStart",
    "RefuseManualStop",
    "AllowIsolate",
    "CollectMode",
    "SourcePath",
];

const RELOAD: &str = "X-Reload-Triggers";

type Section = BTreeMap<String, Vec<String>>;

/// What a switch does when a unit's text changes; `None`: there is none.
pub fn compare(old: Option<&str>, new: Option<&str>) -> Action {
    let (old, new) = match (old, new) {
        (None, None) => return Action::Nothing,
        (None, Some(_)) => return Action::Start,
        (Some(_), None) => return Action::Stop,
        (Some(old), Some(new)) => (parse(old), parse(new)),
    };
    let mut action = Action::Nothing;
    let empty = Section::new();
    let mut names: Vec<_> = old.keys().chain(new.keys()).collect();
    names.sort();
    names.dedup();
    for name in names {
        let (before, after) = (
            old.get(name).unwrap_or(&empty),
            new.get(name).unwrap_or(&empty),
        );
        for key in before.keys().chain(after.keys()) {
            if before.get(key) == after.get(key) {
                continue;
            }
            if name != "Unit" || !IGNORED.contains(&key.as_str()) {
                return changed(&new);
            }
            // A trigger that went away reloads nothing.
            if key == RELOAD && after.contains_key(key) {
                action = Action::Reload;
            }
        }
    }
    action
}

/// What the new unit wants done when more than a reload trigger differs.
fn changed(new: &BTreeMap<String, Section>) -> Action {
    let says = |section: &str, key: &str, value: &str| {
        let found = new.get(section).and_then(|section| section.get(key));
        found
            .and_then(|values| values.last())
            .is_some_and(|last| last == value)
    };
    let service = |key: &str, value: &str| says("Service", key, value) || says("Unit", key, value);
    if service("X-ReloadIfChanged", "true") {
        Action::Reload
    } else if service("X-RestartIfChanged", "false") || says("Unit", "RefuseManualStop", "true") {
        Action::Nothing
    } else if service("X-StopIfChanged", "false") {
        Action::Restart
    } else {
        Action::StopStart
    }
}

/// Sections with their keys; `[Install]` is links by now.
fn parse(text: &str) -> BTreeMap<String, Section> {
    let mut sections: BTreeMap<String, Section> = BTreeMap::new();
    let mut current = String::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('[') {
            current = name.trim_end_matches(']').to_owned();
        } else if let Some((key, value)) = line.split_once('=') {
            let section = sections.entry(current.clone()).or_default();
            section
                .entry(key.to_owned())
                .or_default()
                .push(value.to_owned());
        }
    }
    sections.remove("Install");
    sections
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT: &str = "[Unit]\nDescription=a\nX-Reload-Triggers=1\nX-Restart-Triggers=1\n\n\
        [Service]\nExecStart=/a\nEnvironment=A=1\nEnvironment=B=2\n\n[Install]\nWantedBy=x\n";

    #[test]
    fn only_a_reload_trigger_reloads() {
        for (old, new, action) in [
            ("", "", Action::Nothing),
            ("Description=a", "Description=b", Action::Nothing),
            ("WantedBy=x", "WantedBy=y", Action::Nothing),
            ("X-Reload-Triggers=1", "X-Reload-Triggers=2", Action::Reload),
            ("X-Reload-Triggers=1\n", "", Action::Nothing),
            (
                "X-Restart-Triggers=1",
                "X-Restart-Triggers=2",
                Action::StopStart,
            ),
            ("X-Restart-Triggers=1\n", "", Action::StopStart),
            ("ExecStart=/a", "ExecStart=/b", Action::StopStart),
            (
                "ExecStart=/a",
                "ExecStart=/b\nX-StopIfChanged=false",
                Action::Restart,
            ),
            (
                "ExecStart=/a",
                "ExecStart=/b\nX-ReloadIfChanged=true",
                Action::Reload,
            ),
            (
                "ExecStart=/a",
                "ExecStart=/b\nX-RestartIfChanged=false",
                Action::Nothing,
            ),
            ("Environment=B=2", "Environment=B=3", Action::StopStart),
            (
                "[Install]",
                "[Service]\nUser=a\n[Install]",
                Action::StopStart,
            ),
        ] {
            let changed = UNIT.replace(old, new);
            assert_eq!(compare(Some(UNIT), Some(&changed)), action, "{old} → {new}");
        }
        assert_eq!(compare(None, Some(UNIT)), Action::Start);
        assert_eq!(compare(Some(UNIT), None), Action::Stop);
    }
}
