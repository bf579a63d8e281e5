//! A wire carries both ways, as long as it is to take, and each cut does what networks do.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use cim_testkit::{Cut, Wire};

/// Long enough for what must come.
const PATIENCE: Duration = Duration::from_secs(20);
/// Long enough for what would come on loopback, were the wire whole.
const SILENCE: Duration = Duration::from_millis(100);

/// Both ends of a connection over a wire.
fn ends(wire: &Wire, server: &TcpListener) -> Result<(TcpStream, TcpStream)> {
    let near = TcpStream::connect(("127.0.0.1", wire.port())).context("dialling")?;
    let far = comes(server)?;
    far.set_nonblocking(false)?;
    for end in [&near, &far] {
        end.set_read_timeout(Some(PATIENCE))?;
    }
    Ok((near, far))
}

/// Who comes to the server; it does not block.
fn comes(server: &TcpListener) -> Result<TcpStream> {
    let until = Instant::now() + PATIENCE;
    loop {
        match server.accept() {
            Ok((came, _)) => return Ok(came),
            Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(error.into()),
            Err(_) => ensure!(Instant::now() < until, "nobody came over the wire"),
        }
        std::thread::park_timeout(Duration::from_millis(1));
    }
}

fn nobody_comes(server: &TcpListener) -> Result<()> {
    match server.accept() {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
        other => bail!("{other:?} came over the wire"),
    }
}

fn carries(from: &mut TcpStream, to: &mut TcpStream, text: &str) -> Result<()> {
    from.write_all(text.as_bytes())?;
    arrives(to, text)
}

fn arrives(to: &mut TcpStream, text: &str) -> Result<()> {
    let mut read = vec![0; text.len()];
    to.read_exact(&mut read)?;
    ensure!(read == text.as_bytes(), "{read:?} arrived");
    Ok(())
}

fn server() -> Result<(TcpListener, Wire)> {
    let server = TcpListener::bind(("127.0.0.1", 0))?;
    server.set_nonblocking(true)?;
    let wire = Wire::to(server.local_addr()?.port())?;
    Ok((server, wire))
}

#[test]
fn a_reset_ends_what_is_there_and_who_dials_until_it_is_mended() -> Result<()> {
    let (server, wire) = server()?;
    let (mut near, mut far) = ends(&wire, &server)?;
    carries(&mut near, &mut far, "there")?;
    carries(&mut far, &mut near, "and back")?;
    wire.cut(Cut::Reset);
    for end in [&mut near, &mut far] {
        let ended = end.read(&mut [0]).unwrap_err();
        assert_eq!(ended.kind(), ErrorKind::ConnectionReset);
    }
    let mut refused = TcpStream::connect(("127.0.0.1", wire.port()))?;
    refused.set_read_timeout(Some(PATIENCE))?;
    assert_eq!(
        refused.read(&mut [0]).unwrap_err().kind(),
        ErrorKind::ConnectionReset
    );
    nobody_comes(&server)?;
    wire.mend();
    let (mut near, mut far) = ends(&wire, &server)?;
    carries(&mut near, &mut far, "again")
}

#[test]
fn silence_ends_nothing_and_what_was_sent_arrives_later() -> Result<()> {
    let (server, wire) = server()?;
    let (mut near, mut far) = ends(&wire, &server)?;
    carries(&mut near, &mut far, "before")?;
    wire.cut(Cut::Silent);
    // It is the wire's thread that cuts: nothing comes through once something did not.
    far.set_read_timeout(Some(SILENCE))?;
    let mut sent = 0_u8;
    let lost = loop {
        sent += 1;
        near.write_all(&[sent])?;
        match far.read(&mut [0]) {
            Ok(_) if sent < 100 => {}
            other => break other,
        }
    };
    assert_eq!(lost.unwrap_err().kind(), ErrorKind::WouldBlock);
    let mut dialled = TcpStream::connect(("127.0.0.1", wire.port()))?;
    dialled.set_read_timeout(Some(SILENCE))?;
    assert_eq!(
        dialled.read(&mut [0]).unwrap_err().kind(),
        ErrorKind::WouldBlock
    );
    nobody_comes(&server)?;
    wire.mend();
    far.set_read_timeout(Some(PATIENCE))?;
    let mut late = [0];
    far.read_exact(&mut late)?;
    assert_eq!(late, [sent]);
    carries(&mut far, &mut near, "and back")
}

/// Many pieces take no longer than one: they are under way together, and arrive in order.
#[test]
fn a_long_wire_takes_its_time_each_way() -> Result<()> {
    let (server, wire) = server()?;
    let (mut near, mut far) = ends(&wire, &server)?;
    carries(&mut near, &mut far, "before")?;
    let delay = Duration::from_secs(1);
    wire.delay(delay);
    let begin = Instant::now();
    let pieces = 10_u32;
    for piece in 0..pieces {
        near.write_all(&[u8::try_from(piece)?])?;
        std::thread::park_timeout(Duration::from_millis(5));
    }
    arrives(&mut far, "\0\x01\x02\x03\x04\x05\x06\x07\x08\x09")?;
    let there = begin.elapsed();
    ensure!(there >= delay && there < delay * pieces / 2, "{there:?}");
    carries(&mut far, &mut near, "and back")?;
    ensure!(begin.elapsed() >= delay * 2, "{:?}", begin.elapsed());
    wire.delay(Duration::ZERO);
    let begin = Instant::now();
    carries(&mut near, &mut far, "short again")?;
    ensure!(begin.elapsed() < delay, "{:?}", begin.elapsed());
    Ok(())
}

#[test]
fn an_end_that_closes_closes_the_other() -> Result<()> {
    let (server, wire) = server()?;
    let (mut near, far) = ends(&wire, &server)?;
    drop(far);
    assert_eq!(near.read(&mut [0])?, 0);
    // Nobody listens: as without a wire, who dials hears of it.
    drop(server);
    let mut refused = TcpStream::connect(("127.0.0.1", wire.port()))?;
    refused.set_read_timeout(Some(PATIENCE))?;
    assert_eq!(
        refused.read(&mut [0]).unwrap_err().kind(),
        ErrorKind::ConnectionReset
    );
    Ok(())
}

#[test]
fn a_message_that_trips_it_goes_through_to_its_end_and_its_answer_does_not() -> Result<()> {
    let (server, wire) = server()?;
    let (mut near, mut far) = ends(&wire, &server)?;
    wire.cut_after("the.subject ");
    // As writers may send it; each part is there before the next one is sent.
    for part in [
        "PUB other 2\r\nhi\r\nPUB the.sub",
        "ject reply 12\r\n",
        "its ",
        "contents\r\n",
    ] {
        carries(&mut near, &mut far, part)?;
    }
    near.set_read_timeout(Some(SILENCE))?;
    far.write_all(b"answer")?;
    ensure!(near.read(&mut [0; 6]).is_err(), "the answer came");
    wire.mend();
    near.set_read_timeout(Some(PATIENCE))?;
    arrives(&mut near, "answer")
}
