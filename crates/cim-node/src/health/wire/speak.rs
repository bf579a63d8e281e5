//! The thread that speaks: a connection for each account, kept for as long as somebody listens.

use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use async_nats::{Client, Event};
use cim_spec::implied;
use tokio::runtime;
use tokio::sync::watch;

use super::{Logins, Said, Setup, Shared, answer, ask};
use crate::provision::connect;

/// The pause before an account is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// The longest pause before a connection that broke is made anew.
const RECONNECT: Duration = Duration::from_secs(2);

/// How long a server may take to let us in: less than a single look waits for that.
const TIMEOUT: Duration = Duration::from_secs(2);

/// How often the server is asked for a sign of life: one that is frozen is found by its monitoring page anyway.
const PING: Duration = Duration::from_secs(20);

/// Messages that may wait for us: more than a round of many leaves.
const WAITING: usize = 4096;

/// One account's part.
struct Speaker {
    setup: Setup,
    account: String,
    logins: Logins,
    shared: Arc<Shared>,
    said: watch::Receiver<Said>,
}

pub(super) fn spawn(
    setup: Setup,
    logins: Logins,
    shared: Arc<Shared>,
    mut said: watch::Receiver<Said>,
) -> Result<()> {
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("starting a runtime")?;
    let speak = async move {
        for account in setup.accounts.clone() {
            let speaker = Speaker {
                setup: setup.clone(),
                account,
                logins: logins.clone(),
                shared: Arc::clone(&shared),
                said: said.clone(),
            };
            tokio::spawn(speaker.speak());
        }
        // Until nobody listens any more.
        while said.changed().await.is_ok() {}
    };
    thread::Builder::new()
        .name("wire".to_owned())
        .spawn(move || runtime.block_on(speak))
        .context("starting a thread")?;
    Ok(())
}

impl Speaker {
    /// Connects and speaks, again and again.
    async fn speak(mut self) {
        loop {
            let Err(error) = self.connected().await else {
                return;
            };
            self.is(Err(format!("{error:#}")));
            tokio::time::sleep(AGAIN).await;
        }
    }

    fn is(&self, login: Result<(), String>) {
        self.shared.tell(|heard| heard.login(&self.account, login));
    }

    /// Ends with an error where something ended that should go on.
    async fn connected(&mut self) -> Result<()> {
        let client = self.connect().await?;
        self.is(Ok(()));
        let mut reports = self.said.clone();
        let reporting = self.reports(&client, &mut reports);
        if self.setup.is_hub() {
            tokio::select! {
                ended = answer::canaries(&client, &self.setup, &self.account) => ended,
                ended = answer::reports(&client, &self.setup, &self.account, &self.shared) => ended,
                ended = reporting => ended,
            }
        } else {
            let mut links = self.said.clone();
            tokio::select! {
                ended = ask::rounds(&client, &self.setup, &self.shared, &mut links) => ended,
                ended = reporting => ended,
            }
        }
    }

    async fn connect(&self) -> Result<Client> {
        let login = self.logins.of(&self.account)?;
        let (events, account) = (Arc::downgrade(&self.shared), self.account.clone());
        let options = connect::options(&login)?
            .connection_timeout(TIMEOUT)
            .ping_interval(PING)
            .subscription_capacity(WAITING)
            .client_capacity(WAITING)
            // Through another node of the cluster it would speak of that one's links, and stay there.
            .ignore_discovered_servers()
            // Counted from 1: the first try is at once.
            .reconnect_delay_callback(|tries| {
                let before = u64::try_from(tries.saturating_sub(1)).unwrap_or(u64::MAX);
                Duration::from_millis(before.saturating_mul(100)).min(RECONNECT)
            })
            .event_callback(move |event| {
                note(&events, &account, event);
                std::future::ready(())
            });
        options
            .connect(login.servers.as_slice())
            .await
            .with_context(|| format!("logging in at {}", login.servers.join(", ")))
    }

    /// Sends reports, as they come; a hub's in its first account, where its other nodes hear them.
    async fn reports(&self, client: &Client, said: &mut watch::Receiver<Said>) -> Result<()> {
        let mut sent = None;
        loop {
            let report = said.borrow_and_update().report.clone();
            let is_ours =
                !self.setup.is_hub() || self.setup.accounts.first() == Some(&self.account);
            if let Some(report) = report.filter(|report| is_ours && sent.as_ref() != Some(report)) {
                let subject = implied::report(&self.setup.instance);
                client
                    .publish(subject, report.as_bytes().to_vec().into())
                    .await
                    .context("sending the report")?;
                sent = Some(report);
            }
            if said.changed().await.is_err() {
                bail!("nobody listens");
            }
        }
    }
}

/// What the connection says of itself.
fn note(shared: &Weak<Shared>, account: &str, event: Event) {
    let login = match event {
        Event::Connected => Ok(()),
        Event::Disconnected | Event::Closed => {
            Err("the connection to the server was lost".to_owned())
        }
        Event::ServerError(error) => Err(format!("the server says: {error}")),
        Event::ClientError(error) => Err(error.to_string()),
        Event::LameDuckMode | Event::Draining | Event::SlowConsumer(_) => return,
    };
    if let Some(shared) = shared.upgrade() {
        shared.tell(|heard| heard.login(account, login));
    }
}
