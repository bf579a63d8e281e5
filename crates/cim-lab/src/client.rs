//! NATS clients inside a host's network.

use std::future::Future;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use anyhow::{Context, Result, anyhow};
use async_nats::{Client, ConnectOptions};
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

use crate::net::Net;

/// A thread in a host's network, on which any async client works. It ends when this is dropped.
pub struct Inside {
    handle: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Inside {
    /// Starts the thread.
    pub(crate) fn open(net: Net) -> Result<Self> {
        let (tell, told) = mpsc::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let work = move || {
            let runtime = net.enter().and_then(|()| {
                Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .context("starting a runtime")
            });
            match runtime {
                Ok(runtime) => {
                    if tell.send(Ok(runtime.handle().clone())).is_ok() {
                        // Whichever way it ends.
                        let _ = runtime.block_on(stopped);
                    }
                }
                // Nobody waits where the send fails.
                Err(error) => drop(tell.send(Err(error))),
            }
        };
        let thread = thread::Builder::new()
            .name("inside".to_owned())
            .spawn(work)
            .context("starting a thread")?;
        let handle = told.recv().context("starting a thread in a network")??;
        Ok(Self {
            handle,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Does something in the network, and waits for it.
    ///
    /// # Errors
    /// What it says.
    pub fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let (tell, told) = mpsc::channel();
        self.handle.spawn(async move {
            // Nobody waits where the send fails.
            drop(tell.send(work.await));
        });
        told.recv()
            .map_err(|_| anyhow!("what ran in a host's network stopped"))?
    }

    /// Connects a client.
    ///
    /// # Errors
    /// A server that refuses.
    pub fn connect(&self, options: ConnectOptions, urls: Vec<String>) -> Result<Client> {
        self.run(async move {
            options
                .connect(urls.clone())
                .await
                .with_context(|| format!("connecting to {}", urls.join(", ")))
        })
    }
}

/// A thread that is still there would keep the network.
impl Drop for Inside {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // One that panicked has ended, too.
            drop(thread.join());
        }
    }
}
