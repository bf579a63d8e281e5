//! A wire to a server's port that a test can cut, as networks do: the servers go on, and are not told.

use std::net::{Ipv4Addr, SocketAddr};
use std::thread::JoinHandle;

use anyhow::{Context, Result, anyhow};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch::{Receiver, Sender, channel};

/// How a wire is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Both ends of every connection are reset, and so is who dials: a firewall that rejects, a router that starts anew.
    Reset,
    /// Connections stay and carry nothing, and who dials hears nothing: packets vanish. What was sent meanwhile arrives
    /// when the wire is mended, as TCP would send it again.
    Silent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Whole,
    Cut(Cut),
    Gone,
}

/// A port on loopback that leads to another one. Whole at first; it goes when dropped.
pub struct Wire {
    port: u16,
    state: Sender<State>,
    trip: Sender<Option<String>>,
    thread: Option<JoinHandle<()>>,
}

impl Wire {
    /// A wire to a port on loopback, where nobody needs to listen yet.
    ///
    /// # Errors
    /// What the system says of sockets and threads.
    pub fn to(port: u16) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()
            .context("starting a wire")?;
        let listening = || -> std::io::Result<_> {
            let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            listener.set_nonblocking(true)?;
            let own = listener.local_addr()?;
            // Whoever makes a wire may have a runtime already.
            let _inside = runtime.enter();
            Ok((TcpListener::from_std(listener)?, own))
        };
        let (listener, own) = listening().context("listening for a wire")?;
        let (state, seen) = channel(State::Whole);
        let (trip, armed) = channel(None);
        let tripped = Trip {
            armed,
            state: state.clone(),
        };
        // A thread of its own: tests stand still while they start and kill servers, and the wire must not.
        let thread = std::thread::Builder::new()
            .name("wire".to_owned())
            .spawn(move || runtime.block_on(serve(listener, port, seen, tripped)))
            .context("starting a wire")?;
        Ok(Self {
            port: own.port(),
            state,
            trip,
            thread: Some(thread),
        })
    }

    /// Where to dial.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Cuts it, or cuts it in another way.
    pub fn cut(&self, how: Cut) {
        self.state.send_replace(State::Cut(how));
    }

    /// Cuts it, silently, as soon as this text has gone through from who dials: whatever answers it is lost.
    pub fn cut_after(&self, text: &str) {
        self.trip.send_replace(Some(text.to_owned()));
    }

    /// Makes it whole.
    pub fn mend(&self) {
        self.trip.send_replace(None);
        self.state.send_replace(State::Whole);
    }
}

/// What has a wire cut itself.
#[derive(Clone)]
struct Trip {
    /// The text; `None`: nothing does.
    armed: Receiver<Option<String>>,
    state: Sender<State>,
}

impl Trip {
    /// Looks at what goes through next.
    fn look(&self, passing: &[u8]) {
        let armed = self.armed.borrow();
        let text = armed.as_deref().unwrap_or_default().as_bytes();
        if !text.is_empty() && passing.windows(text.len()).any(|part| part == text) {
            self.state.send_replace(State::Cut(Cut::Silent));
        }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.state.send_replace(State::Gone);
        if let Some(thread) = self.thread.take() {
            // It panicked, and said so itself.
            let _ = thread.join();
        }
    }
}

/// Takes connections for as long as there is a wire. While it is silent they wait unanswered in the kernel's queue.
async fn serve(listener: TcpListener, to: u16, mut state: Receiver<State>, trip: Trip) {
    loop {
        let now = *state.borrow_and_update();
        let changed = state.changed();
        match now {
            State::Gone => return,
            State::Cut(Cut::Silent) => drop(changed.await),
            State::Whole | State::Cut(Cut::Reset) => {
                tokio::select! {
                    // Who dials after a change finds the wire as it is since.
                    biased;
                    _ = changed => {}
                    Ok((near, _)) = listener.accept() => match now {
                        State::Whole => {
                            drop(tokio::spawn(connection(near, to, state.clone(), trip.clone())));
                        }
                        _ => reset(&near),
                    },
                }
            }
        }
    }
}

/// One connection, until an end closes it or the wire resets it.
async fn connection(mut near: TcpStream, to: u16, mut state: Receiver<State>, trip: Trip) {
    let mut far = match TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, to))).await {
        Ok(far) => far,
        Err(_) => return reset(&near),
    };
    let is_reset = {
        let (near_in, near_out) = near.split();
        let (far_in, far_out) = far.split();
        let (there, back) = (state.clone(), state.clone());
        let both = async {
            tokio::try_join!(
                pass(near_in, far_out, there, Some(trip)),
                pass(far_in, near_out, back, None)
            )
        };
        tokio::select! {
            _ = state_is(&mut state, State::Cut(Cut::Reset)) => true,
            ended = both => ended.is_err(),
        }
    };
    // An end that was reset resets the other.
    if is_reset {
        reset(&near);
        reset(&far);
    }
}

/// Has a connection end at once when it is dropped, with what is under way in it.
fn reset(stream: &TcpStream) {
    // One that is gone is gone.
    let _ = stream.set_zero_linger();
}

/// Carries one direction while the wire is whole.
async fn pass(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    mut state: Receiver<State>,
    trip: Option<Trip>,
) -> Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        state_is(&mut state, State::Whole).await?;
        let length = from.read(&mut buffer).await?;
        // It may have been cut since.
        state_is(&mut state, State::Whole).await?;
        let read = buffer.get(..length).unwrap_or_default();
        if read.is_empty() {
            return Ok(to.shutdown().await?);
        }
        // Before it is passed on, so that no answer is quicker.
        if let Some(trip) = &trip {
            trip.look(read);
        }
        to.write_all(read).await?;
    }
}

async fn state_is(state: &mut Receiver<State>, wanted: State) -> Result<()> {
    let seen = state.wait_for(|state| *state == wanted).await;
    seen.map(drop).map_err(|_| anyhow!("the wire is gone"))
}
