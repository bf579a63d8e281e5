//! As much of an MQTT 3.1.1 client as tests need: it publishes.

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Connects on loopback.
///
/// # Errors
/// A server that refuses.
pub async fn connect(port: u16, user: &str, password: &str) -> Result<TcpStream> {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).await?;
    // Protocol MQTT, level 4, clean session with user and password, keep alive a minute.
    let mut body = b"\x00\x04MQTT\x04\xc2\x00\x3c".to_vec();
    for text in ["test", user, password] {
        put(&mut body, text)?;
    }
    send(&mut socket, 0x10, &body).await?;
    let mut answer = [0; 4];
    socket.read_exact(&mut answer).await.context("no answer")?;
    ensure!(answer == [0x20, 2, 0, 0], "refused: {answer:?}");
    Ok(socket)
}

/// Publishes once, and does not ask whether it arrived.
///
/// # Errors
/// A connection that is gone, and a topic and payload that are too long together: 127 bytes.
pub async fn publish(socket: &mut TcpStream, topic: &str, payload: &str) -> Result<()> {
    let mut body = Vec::new();
    put(&mut body, topic)?;
    body.extend(payload.as_bytes());
    send(socket, 0x30, &body).await
}

fn put(body: &mut Vec<u8>, text: &str) -> Result<()> {
    body.extend(u16::try_from(text.len())?.to_be_bytes());
    body.extend(text.as_bytes());
    Ok(())
}

async fn send(socket: &mut TcpStream, kind: u8, body: &[u8]) -> Result<()> {
    // One byte of length is enough for a test's packets.
    let length = u8::try_from(body.len()).ok().filter(|length| *length < 128);
    socket
        .write_all(&[kind, length.context("too long")?])
        .await?;
    socket.write_all(body).await?;
    Ok(())
}
