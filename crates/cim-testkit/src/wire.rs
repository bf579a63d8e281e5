//! A wire to a server's port that a test can cut or make long, as networks do: the servers go on, and are not told.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::sync::watch::{Receiver, Sender, channel};
use tokio::time::{Instant, sleep_until};

/// How a wire is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Both ends of every connection are reset, and so is who dials: a firewall that rejects, a router that starts anew.
    Reset,
    /// Connections stay and carry nothing, and who dials hears nothing: packets vanish. What was sent meanwhile arrives
    /// when the wire is mended, as TCP would send it again.
    Silent,
}

/// Microseconds that everything takes in one direction.
type Delay = Arc<AtomicU64>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Whole,
    Cut(Cut),
    Gone,
}

/// How many pieces may be under way in one direction.
const UNDER_WAY: usize = 64;

/// A port on loopback that leads to another one. Whole and short at first; it goes when dropped.
pub struct Wire {
    port: u16,
    state: Sender<State>,
    trip: Sender<Option<String>>,
    delay: Delay,
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
            .enable_time()
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
        let delay = Delay::default();
        let ends = Ends {
            to: port,
            delay: Arc::clone(&delay),
            trip: Trip {
                armed,
                state: state.clone(),
            },
        };
        // A thread of its own: tests stand still while they start and kill servers, and the wire must not.
        let thread = std::thread::Builder::new()
            .name("wire".to_owned())
            .spawn(move || runtime.block_on(serve(listener, ends, seen)))
            .context("starting a wire")?;
        Ok(Self {
            port: own.port(),
            state,
            trip,
            delay,
            thread: Some(thread),
        })
    }

    /// Where to dial.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Has what is sent from now on take so long, each way.
    pub fn delay(&self, each_way: Duration) {
        let micros = u64::try_from(each_way.as_micros()).unwrap_or(u64::MAX);
        self.delay.store(micros, Ordering::Relaxed);
    }

    /// Cuts it, or cuts it in another way.
    pub fn cut(&self, how: Cut) {
        self.state.send_replace(State::Cut(how));
    }

    /// Cuts it, silently, as soon as a message with this text in its line has gone through from who dials: whatever answers
    /// it is lost.
    pub fn cut_after(&self, text: &str) {
        self.trip.send_replace(Some(text.to_owned()));
    }

    /// Makes it whole until this text has gone through from who dials, as [`Wire::cut_after`].
    pub fn mend_until(&self, text: &str) {
        self.cut_after(text);
        self.state.send_replace(State::Whole);
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
    /// Looks at what goes through next; `seen` is what of one direction it may still need.
    fn look(&self, seen: &mut Vec<u8>, passing: &[u8]) {
        let armed = self.armed.borrow();
        let text = armed.as_deref().unwrap_or_default().as_bytes();
        if text.is_empty() {
            return seen.clear();
        }
        seen.extend(passing);
        let Some(at) = seen.windows(text.len()).position(|part| part == text) else {
            seen.drain(..seen.len().saturating_sub(text.len() - 1));
            return;
        };
        if whole(&seen[at..]) {
            seen.clear();
            self.state.send_replace(State::Cut(Cut::Silent));
        }
    }
}

/// Whether a message is there to its end: its line ends with its length (NATS client protocol, `PUB` and `HPUB`). Writers
/// may send the one without the other.
fn whole(message: &[u8]) -> bool {
    let Some(end) = message.windows(2).position(|part| part == b"\r\n") else {
        return false;
    };
    let line = String::from_utf8_lossy(&message[..end]);
    let length = line.rsplit(' ').next().and_then(|last| last.parse().ok());
    message.len() >= end + 2 + length.map_or(0, |length: usize| length + 2)
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

/// Where a wire leads, and how long that takes.
#[derive(Clone)]
struct Ends {
    to: u16,
    delay: Delay,
    trip: Trip,
}

/// Takes connections for as long as there is a wire. While it is silent they wait unanswered in the kernel's queue.
async fn serve(listener: TcpListener, ends: Ends, mut state: Receiver<State>) {
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
                        State::Whole => drop(tokio::spawn(connection(near, ends.clone(), state.clone()))),
                        _ => reset(&near),
                    },
                }
            }
        }
    }
}

/// One connection, until an end closes it or the wire resets it.
async fn connection(mut near: TcpStream, ends: Ends, mut state: Receiver<State>) {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, ends.to));
    let mut far = match TcpStream::connect(address).await {
        Ok(far) => far,
        Err(_) => return reset(&near),
    };
    let is_reset = {
        let (near_in, near_out) = near.split();
        let (far_in, far_out) = far.split();
        let (there, back) = (state.clone(), state.clone());
        let delay = &ends.delay;
        let both = async {
            tokio::try_join!(
                pass(near_in, far_out, there, delay, Some(&ends.trip)),
                pass(far_in, near_out, back, delay, None)
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
    from: ReadHalf<'_>,
    to: WriteHalf<'_>,
    state: Receiver<State>,
    delay: &Delay,
    trip: Option<&Trip>,
) -> Result<()> {
    let (line, under_way) = mpsc::channel(UNDER_WAY);
    let there = take(from, line, state.clone(), delay);
    tokio::try_join!(there, bring(to, under_way, state, trip)).map(drop)
}

/// A piece, and when it arrives; an empty one is the end.
type Piece = (Instant, Vec<u8>);

async fn take(
    mut from: ReadHalf<'_>,
    line: mpsc::Sender<Piece>,
    mut state: Receiver<State>,
    delay: &Delay,
) -> Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        state_is(&mut state, State::Whole).await?;
        let length = from.read(&mut buffer).await?;
        let read = buffer.get(..length).unwrap_or_default().to_vec();
        let delay = Duration::from_micros(delay.load(Ordering::Relaxed));
        line.send((Instant::now() + delay, read)).await?;
        if length == 0 {
            return Ok(());
        }
    }
}

async fn bring(
    mut to: WriteHalf<'_>,
    mut under_way: mpsc::Receiver<Piece>,
    mut state: Receiver<State>,
    trip: Option<&Trip>,
) -> Result<()> {
    let mut seen = Vec::new();
    while let Some((due, piece)) = under_way.recv().await {
        sleep_until(due).await;
        // It may have been cut since.
        state_is(&mut state, State::Whole).await?;
        if piece.is_empty() {
            return Ok(to.shutdown().await?);
        }
        // Before it is passed on, so that no answer is quicker.
        if let Some(trip) = trip {
            trip.look(&mut seen, &piece);
        }
        to.write_all(&piece).await?;
    }
    Ok(())
}

async fn state_is(state: &mut Receiver<State>, wanted: State) -> Result<()> {
    let seen = state.wait_for(|state| *state == wanted).await;
    seen.map(drop).map_err(|_| anyhow!("the wire is gone"))
}
