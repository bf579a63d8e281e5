//! What the unit that watches an instance says.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::Host;
use crate::wait::until;

/// Between the ports of the monitoring listener and of the unit's pages, by default.
const ABOVE: u16 = 1000;

impl Host {
    /// The unit's line in `systemctl status`.
    ///
    /// # Errors
    /// A host that does not run.
    pub fn status(&self, instance: &str) -> Result<String> {
        self.show(&self.watcher(instance)?, "StatusText")
    }

    /// Waits until the unit's line begins with one of these; gives it.
    ///
    /// # Errors
    /// The line that it has instead.
    pub fn says(&self, instance: &str, beginnings: &[&str], patience: Duration) -> Result<String> {
        let what = format!("the watcher of {instance} says {}", beginnings.join(" or "));
        until(&what, patience, || {
            let line = self.status(instance)?;
            let says = beginnings.iter().any(|words| line.starts_with(words));
            ensure!(says, "it says {line:?}");
            Ok(line)
        })
    }

    /// Waits until the unit finds nothing that needs somebody: a warning may be this machine's own full disk.
    ///
    /// # Errors
    /// As [`Host::says`].
    pub fn well(&self, instance: &str, patience: Duration) -> Result<()> {
        self.says(instance, &["OK: ", "WARNING "], patience)
            .map(drop)
    }

    /// A page of the unit: its HTTP status and its text.
    ///
    /// # Errors
    /// Nobody answers.
    pub fn page(&self, instance: &str, page: &str) -> Result<(u16, String)> {
        let port = self.plan(instance)?.http_port + ABOVE;
        let answer = self.net.within(|| {
            let config = ureq::Agent::config_builder()
                .timeout_global(Some(Duration::from_secs(2)))
                .http_status_as_error(false)
                .build();
            let url = format!("http://127.0.0.1:{port}{page}");
            let mut response = ureq::Agent::from(config).get(&url).call()?;
            Ok((
                response.status().as_u16(),
                response.body_mut().read_to_string()?,
            ))
        });
        answer.with_context(|| format!("asking the watcher of {instance} for {page}"))
    }

    /// What `cim-health` says of an instance as its user, by the program that the unit runs, and its exit code.
    ///
    /// # Errors
    /// A unit that does not run.
    pub fn looked(&self, instance: &str) -> Result<(String, i32)> {
        let unit = &self.plan(instance)?.unit;
        let pid = self.main_pid(&self.watcher(instance)?)?;
        let said = self.script(&format!(
            "tr '\\0' '\\n' < /proc/{pid}/cmdline > /run/looked && server=$(sed -n '/--nats-server/{{n;p}}' /run/looked) &&
             setpriv --reuid={unit} --regid={unit} --clear-groups $(head -1 /run/looked) /etc/cim/{instance}/health.json \
             --nats-server $server; echo $?"
        ))?;
        let (said, code) = said.trim_end().rsplit_once('\n').context("an exit code")?;
        Ok((said.to_owned(), code.parse().context("an exit code")?))
    }

    /// The unit that watches an instance.
    ///
    /// # Errors
    /// A name that no instance here has.
    pub fn watcher(&self, instance: &str) -> Result<String> {
        Ok(format!("{}-health.service", self.plan(instance)?.unit))
    }
}
