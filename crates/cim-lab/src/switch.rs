//! A new generation on a running host.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::units::{Action, compare};
use crate::{Host, install};

/// What came of a switch for one unit.
#[derive(Debug)]
pub struct Outcome {
    /// What was done.
    pub action: Action,
    /// What systemctl and the unit said where it failed.
    pub error: Option<String>,
    /// How long it took.
    pub took: Duration,
}

/// What came of a switch, for each unit that was touched.
#[derive(Debug, Default)]
pub struct Switched {
    /// By unit.
    pub units: BTreeMap<String, Outcome>,
}

impl Switched {
    /// What came of one unit.
    ///
    /// # Errors
    /// A unit that was not touched.
    pub fn unit(&self, unit: &str) -> Result<&Outcome> {
        self.units
            .get(unit)
            .with_context(|| format!("the switch did not touch {unit}"))
    }
}

impl Host {
    /// Installs a system and does with each unit what NixOS's switch does.
    ///
    /// # Errors
    /// A host that does not run; a unit that fails is told in the outcome.
    pub fn switch(&self, toplevel: &Path) -> Result<Switched> {
        let mut current = self.toplevel.lock().unwrap_or_else(PoisonError::into_inner);
        let (old, new) = (install::units(&current)?, install::units(toplevel)?);
        let actions: BTreeMap<&String, Action> = old
            .keys()
            .chain(new.keys())
            .map(|unit| {
                let text = |units: &BTreeMap<String, String>| units.get(unit).cloned();
                (unit, compare(text(&old).as_deref(), text(&new).as_deref()))
            })
            .filter(|(_, action)| *action != Action::Nothing)
            .collect();
        let mut switched = Switched::default();
        let mut stopping = BTreeMap::new();
        for (unit, action) in &actions {
            if matches!(action, Action::StopStart | Action::Stop) {
                stopping.insert((*unit).clone(), self.tell("stop", unit));
            }
        }
        install::install(&self.dir.join("root"), toplevel, Some(&current))?;
        *current = toplevel.to_path_buf();
        drop(current);
        self.run("systemctl daemon-reload")?;
        for (unit, action) in actions {
            let since = Instant::now();
            let done = match action {
                Action::Reload => self.tell("reload", unit),
                Action::Restart => self.tell("restart", unit),
                Action::Start | Action::StopStart => self.tell("start", unit),
                Action::Nothing | Action::Stop => Ok(()),
            };
            let stopped = stopping.remove(unit).unwrap_or(Ok(()));
            let error = stopped.and(done).err();
            switched.units.insert(
                unit.clone(),
                Outcome {
                    action,
                    error: error.map(|error| format!("{error:#}")),
                    took: since.elapsed(),
                },
            );
        }
        Ok(switched)
    }

    /// Puts only another system's config files in place and reloads a unit, as a switch would if the table of
    /// triggers were wrong. Gives what systemctl and the unit said; an error if the reload is called a success.
    ///
    /// # Errors
    /// A reload that succeeds.
    pub fn reload_wrongly(&self, toplevel: &Path, unit: &str) -> Result<String> {
        install::install_config(&self.dir.join("root"), toplevel)?;
        let said = self.tell("reload", unit);
        ensure!(
            said.is_err(),
            "systemctl reload {unit} was called a success"
        );
        Ok(said
            .err()
            .map(|error| format!("{error:#}"))
            .unwrap_or_default())
    }

    /// Puts the config files of the installed system back.
    ///
    /// # Errors
    /// What the file system says.
    pub fn restore_config(&self) -> Result<()> {
        let current = self.toplevel.lock().unwrap_or_else(PoisonError::into_inner);
        install::install_config(&self.dir.join("root"), &current)
    }

    /// Has systemctl do something to a unit; an error has the end of the unit's journal.
    fn tell(&self, verb: &str, unit: &str) -> Result<()> {
        let done = self.run(&format!("systemctl {verb} {unit}"));
        done.map(|_| ())
            .with_context(|| self.journal(unit).unwrap_or_default())
    }
}
