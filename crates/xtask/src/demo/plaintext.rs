//! Whether a listener takes anything that is not encrypted.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

/// How long a server may take to hang up.
const PATIENCE: Duration = Duration::from_secs(10);

/// Speaks the protocol without TLS; fails where the server answers.
pub fn refused(port: u16) -> Result<()> {
    let doing = || format!("speaking to port {port} without TLS");
    let mut stream = TcpStream::connect(("127.0.0.1", port)).with_context(doing)?;
    stream
        .set_read_timeout(Some(PATIENCE))
        .with_context(doing)?;
    stream
        .write_all(b"CONNECT {\"verbose\":true}\r\nPING\r\n")
        .with_context(doing)?;
    let mut heard = Vec::new();
    // A connection that is reset ends as well as one that is closed; what counts is what was said before.
    let ended = stream.read_to_end(&mut heard);
    let said = String::from_utf8_lossy(&heard);
    ensure!(
        !said.contains("PONG") && !said.contains("+OK"),
        "it answers without TLS: {said}"
    );
    ensure!(
        !ended.is_err_and(|err| err.kind() == std::io::ErrorKind::WouldBlock),
        "it did not hang up in {} s; it said {said}",
        PATIENCE.as_secs()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// A listener that says this to whomever and hangs up.
    fn saying(text: &'static str) -> u16 {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut heard = [0; 64];
            let _ = stream.read(&mut heard).unwrap();
            stream.write_all(text.as_bytes()).unwrap();
        });
        port
    }

    #[test]
    fn an_answer_is_found_and_a_refusal_is_one() {
        assert!(refused(saying("INFO {}\r\n+OK\r\nPONG\r\n")).is_err());
        assert!(
            refused(saying(
                "INFO {}\r\n-ERR 'Secure Connection - TLS Required'\r\n"
            ))
            .is_ok()
        );
    }
}
