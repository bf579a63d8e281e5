//! Hosts made whole again, whatever was done to them.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::Result;

use crate::{Host, Lab, cgroup, install, secrets};

impl Lab {
    /// Undoes every fault: the hosts in `up` run a generation with all units active, all others are off. Says what
    /// there was to undo, one line each.
    ///
    /// # Errors
    /// A host that does not come back.
    pub fn repair(&self, generation: &str, up: &[&str]) -> Result<Vec<String>> {
        let all: Vec<&str> = self.hosts().map(|host| host.name.as_str()).collect();
        let undone = Mutex::new(Vec::new());
        self.each(&all, |host| {
            let toplevel = self.toplevel(generation, &host.name)?;
            let said = host.repair(toplevel, up.contains(&host.name.as_str()))?;
            let said = said
                .into_iter()
                .map(|line| format!("{}: {line}", host.name));
            undone
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .extend(said);
            Ok(())
        })?;
        Ok(undone.into_inner().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Host {
    /// Undoes every fault of this host; says what there was to undo.
    fn repair(&self, toplevel: &Path, up: bool) -> Result<Vec<String>> {
        let mut undone = Vec::new();
        if self.net.is_cut()? {
            self.net.heal()?;
            undone.push("it was cut off".to_owned());
        }
        let strange = {
            let wanted = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
            secrets::restore(&self.dir.join("secrets"), &wanted)?
        };
        undone.extend(
            strange
                .iter()
                .map(|name| format!("secret {name} was another")),
        );
        match (self.runs()?, up) {
            (false, false) => self.reinstall(toplevel, &mut undone)?,
            (true, false) => {
                self.power_cut()?;
                undone.push("it was on".to_owned());
                self.reinstall(toplevel, &mut undone)?;
            }
            (false, true) => {
                self.reinstall(toplevel, &mut undone)?;
                self.start()?;
                self.ready()?;
                undone.push("it was off".to_owned());
            }
            (true, true) => self.repair_running(toplevel, !strange.is_empty(), &mut undone)?,
        }
        Ok(undone)
    }

    /// Of a host that runs: frozen processes, small disks, another generation, other files, dead units.
    fn repair_running(
        &self,
        toplevel: &Path,
        strange_secrets: bool,
        undone: &mut Vec<String>,
    ) -> Result<()> {
        for pid in cgroup::thaw(&self.name)? {
            undone.push(format!("process {pid} was frozen"));
        }
        let mounts = self.run("cat /proc/self/mounts")?;
        for unit in self.units() {
            if mounts.contains(&format!(" {} ", Self::state_of(&unit))) {
                self.whole_disk(&unit)?;
                undone.push(format!("{unit} was on a small disk"));
            }
        }
        let before = undone.len();
        self.reinstall(toplevel, undone)?;
        let restart = strange_secrets || undone.len() > before;
        if restart {
            self.run("systemctl daemon-reload")?;
        }
        for unit in self.units() {
            let state = self.show(&unit, "ActiveState")?;
            if state != "active" {
                undone.push(format!("{unit} was {state}"));
            }
            if state != "active" || restart {
                self.run(&format!("systemctl reset-failed {unit}"))?;
                self.run(&format!("systemctl restart {unit}"))?;
            }
        }
        self.ready()
    }

    /// Installs a system where another one is, or where its files were changed.
    fn reinstall(&self, toplevel: &Path, undone: &mut Vec<String>) -> Result<()> {
        let mut current = self.toplevel.lock().unwrap_or_else(PoisonError::into_inner);
        let root = self.dir.join("root");
        if *current != toplevel {
            undone.push("it had another generation".to_owned());
        } else {
            let changed = install::differing(&root, toplevel)?;
            if changed.is_empty() {
                return Ok(());
            }
            let changed = changed.iter().map(|path| path.display().to_string());
            undone.push(format!(
                "changed: {}",
                changed.collect::<Vec<_>>().join(", ")
            ));
        }
        install::install(&root, toplevel, Some(&current))?;
        *current = toplevel.to_path_buf();
        Ok(())
    }
}
