//! nats-server's monitoring listener: <https://docs.nats.io/running-a-nats-service/nats_admin/monitoring>.

pub mod accounts;
pub mod duration;
pub mod jsz;
pub mod links;
pub mod varz;

use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::de::DeserializeOwned;

pub use accounts::{AccountDetail, Accountz, Accstatz};
pub use jsz::Jsz;
pub use links::{Connz, Leafz, Routez};
pub use varz::Varz;

/// How long one answer may take.
pub const TIMEOUT: Duration = Duration::from_secs(3);

/// The longest answer that is read where the server tells of itself alone: whoever else may have the port costs no more.
const LONGEST: u64 = 1024 * 1024;

/// Of its links: 10,000 leaves have some 6 MiB.
pub(crate) const LONGEST_LINKS: u64 = 16 * 1024 * 1024;

/// Of JetStream: 10,000 streams with all that belongs to them have some 50 MiB.
const LONGEST_STREAMS: u64 = 64 * 1024 * 1024;

/// Told before each question, so that somebody knows that whoever asks them goes on: an answer may take [`TIMEOUT`].
#[derive(Clone, Default)]
pub struct Steps(Option<Rc<dyn Fn()>>);

impl Steps {
    /// Tells `step`.
    pub fn telling(step: impl Fn() + 'static) -> Self {
        Self(Some(Rc::new(step)))
    }

    /// The next step begins.
    pub fn step(&self) {
        if let Some(step) = &self.0 {
            step();
        }
    }
}

impl fmt::Debug for Steps {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "Steps({})", self.0.is_some())
    }
}

/// Asks one server.
pub struct Monitor {
    agent: ureq::Agent,
    url: String,
    steps: Steps,
}

impl Monitor {
    /// The server behind `url`.
    pub fn new(url: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .http_status_as_error(false)
            // A connection that is kept is dead when the server starts again.
            .max_idle_connections(0)
            // nats-server never sends anybody elsewhere.
            .max_redirects(0)
            .build();
        Self {
            agent: config.into(),
            url: url.to_owned(),
            steps: Steps::default(),
        }
    }

    /// Tells these steps.
    pub fn with_steps(mut self, steps: Steps) -> Self {
        self.steps = steps;
        self
    }

    /// Whether the server itself is ready, whatever its cluster does.
    ///
    /// # Errors
    /// What the server says against itself, or that it does not answer.
    pub fn ready(&self) -> Result<()> {
        let (status, body) = self.get("/healthz?js-server-only=true", LONGEST)?;
        ensure!(status == 200, "{} says {status}: {}", self.url, body.trim());
        Ok(())
    }

    /// Whether the server is ready with everything: each stream and consumer that it should have.
    ///
    /// # Errors
    /// What the server says against itself, or that it does not answer.
    pub fn healthy(&self) -> Result<()> {
        let (status, body) = self.get("/healthz", LONGEST)?;
        ensure!(
            status == 200,
            "{}/healthz says {status}: {}",
            self.url,
            body.trim()
        );
        Ok(())
    }

    /// `/varz`.
    ///
    /// # Errors
    /// A server that does not answer, or not as nats-server does.
    pub fn varz(&self) -> Result<Varz> {
        self.ask("/varz", LONGEST)
    }

    /// `/leafz`.
    ///
    /// # Errors
    /// As [`Monitor::varz`].
    pub fn leafz(&self) -> Result<Leafz> {
        self.ask("/leafz", LONGEST_LINKS)
    }

    /// `/routez`.
    ///
    /// # Errors
    /// As [`Monitor::varz`].
    pub fn routez(&self) -> Result<Routez> {
        self.ask("/routez", LONGEST)
    }

    /// `/connz`: the one connection that has most subscriptions.
    ///
    /// # Errors
    /// As [`Monitor::varz`].
    pub fn most_subscriptions(&self) -> Result<Connz> {
        self.ask("/connz?sort=subs&limit=1", LONGEST)
    }

    /// `/connz` of one account: its connection, a leaf link perhaps, that has most subscriptions.
    ///
    /// # Errors
    /// As [`Monitor::varz`].
    pub fn most_subscriptions_in(&self, account: &str) -> Result<Connz> {
        let account = escaped(account);
        self.ask(&format!("/connz?sort=subs&limit=1&acc={account}"), LONGEST)
    }

    /// `/accstatz`.
    ///
    /// # Errors
    /// As [`Monitor::varz`].
    pub fn accstatz(&self) -> Result<Accstatz> {
        self.ask("/accstatz", LONGEST_LINKS)
    }

    /// `/accountz` of one account: `None` where the server has not loaded it, as nobody has used it yet.
    ///
    /// # Errors
    /// As [`Monitor::varz`].
    pub fn account(&self, account: &str) -> Result<Option<AccountDetail>> {
        let path = format!("/accountz?acc={}", escaped(account));
        let (status, body) = self.get(&path, LONGEST_LINKS)?;
        if status == 400 && body.trim() == format!("Account {account} does not exist") {
            return Ok(None);
        }
        let answer: Accountz = self.answer(&path, status, &body)?;
        Ok(Some(answer.account_detail))
    }

    /// `/jsz` with everything that JetStream holds, in the order of names.
    ///
    /// # Errors
    /// As [`Monitor::varz`].
    pub fn jsz(&self) -> Result<Jsz> {
        let path = "/jsz?accounts=true&streams=true&consumers=true&config=true";
        self.ask(path, LONGEST_STREAMS).map(Jsz::in_order)
    }

    /// `/healthz`: `None` where the server says that all is well, else its words.
    ///
    /// # Errors
    /// A server that does not answer, or not as nats-server does.
    pub fn complaint(&self) -> Result<Option<String>> {
        let (status, body) = self.get("/healthz", LONGEST)?;
        let said: Healthz = read(&format!("{}/healthz", self.url), &body)?;
        match (status, said) {
            (200, Healthz { status, .. }) if status == "ok" => Ok(None),
            (_, Healthz { status, error }) => Ok(Some(error.unwrap_or(status))),
        }
    }

    /// A page of at most so many bytes.
    pub(crate) fn ask<T: DeserializeOwned>(&self, path: &str, longest: u64) -> Result<T> {
        let (status, body) = self.get(path, longest)?;
        self.answer(path, status, &body)
    }

    fn answer<T: DeserializeOwned>(&self, path: &str, status: u16, body: &str) -> Result<T> {
        let url = format!("{}{path}", self.url);
        ensure!(
            status == 200,
            "{url} says {status}: {}",
            shortened(body.trim())
        );
        read(&url, body)
    }

    fn get(&self, path: &str, longest: u64) -> Result<(u16, String)> {
        self.steps.step();
        let url = format!("{}{path}", self.url);
        let mut response = self
            .agent
            .get(&url)
            .call()
            .with_context(|| format!("asking {url}"))?;
        let body = response.body_mut().with_config().limit(longest);
        let body = body
            .read_to_string()
            .with_context(|| format!("reading {url}"))?;
        Ok((response.status().as_u16(), body))
    }
}

/// `/healthz`.
#[derive(serde::Deserialize)]
struct Healthz {
    status: String,
    error: Option<String>,
}

/// Reads an answer.
fn read<T: DeserializeOwned>(url: &str, body: &str) -> Result<T> {
    serde_json::from_str(body).with_context(|| {
        format!(
            "{url} does not answer as nats-server does: {:?}",
            shortened(body)
        )
    })
}

/// A name as it stands in a query: an account's may hold what has a meaning there.
fn escaped(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let each = name.bytes().map(|byte| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    });
    each.collect()
}

/// The beginning of an answer, enough to see what it is.
fn shortened(text: &str) -> String {
    text.chars().take(60).collect()
}
