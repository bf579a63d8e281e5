//! JetStream's API over one connection: the few lines of NATS's protocol that a request and its answer take.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where answers come.
const INBOX: &str = "_INBOX.cim-check";

/// A client of a throwaway server on loopback.
pub struct Api {
    stream: BufReader<TcpStream>,
}

#[derive(Deserialize)]
struct Answer {
    error: Option<Refusal>,
}

#[derive(Deserialize)]
struct Refusal {
    err_code: u32,
    description: String,
}

impl Api {
    /// Logs in as the user of an account, whose name and password are the account's.
    ///
    /// # Errors
    /// A server that does not let it in.
    pub fn connect(url: &str, account: &str) -> Result<Self> {
        let address = url.trim_start_matches("nats://");
        let stream = TcpStream::connect(address).with_context(|| format!("dialling {url}"))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut api = Self {
            stream: BufReader::new(stream),
        };
        ensure!(api.line()?.starts_with("INFO "), "{url} is no nats-server");
        let login = json!({
            "verbose": false, "pedantic": false, "user": account, "pass": account, "lang": "rust", "version": "0",
            "headers": true, "no_responders": true,
        });
        api.send(&format!("CONNECT {login}\r\nSUB {INBOX} 1\r\nPING\r\n"))?;
        loop {
            let line = api.line()?;
            match line.as_str() {
                "PONG" => return Ok(api),
                line if line.starts_with("-ERR") => bail!("{url}: {line}"),
                _ => {}
            }
        }
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// What the server says against it.
    pub fn request(&mut self, subject: &str, body: &Value) -> Result<()> {
        let body = body.to_string();
        self.send(&format!(
            "PUB $JS.API.{subject} {INBOX} {}\r\n{body}\r\n",
            body.len()
        ))?;
        let answer: Answer = serde_json::from_slice(&self.message()?)
            .with_context(|| format!("reading the answer to {subject}"))?;
        match answer.error {
            None => Ok(()),
            Some(Refusal {
                err_code,
                description,
            }) => bail!("{description} ({err_code})"),
        }
    }

    fn send(&mut self, text: &str) -> Result<()> {
        self.stream
            .get_mut()
            .write_all(text.as_bytes())
            .context("writing to nats-server")
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        let read = self
            .stream
            .read_line(&mut line)
            .context("waiting for nats-server")?;
        ensure!(read > 0, "nats-server hung up");
        Ok(line.trim_end().to_owned())
    }

    /// The body of the next message.
    fn message(&mut self) -> Result<Vec<u8>> {
        loop {
            let line = self.line()?;
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                ["PING"] => self.send("PONG\r\n")?,
                ["-ERR", ..] => bail!("nats-server: {line}"),
                ["HMSG", ..] => bail!("nobody answers: JetStream is off"),
                ["MSG", .., size] => {
                    let size: usize = size.parse().with_context(|| format!("reading {line:?}"))?;
                    let mut body = vec![0; size + 2];
                    self.stream
                        .read_exact(&mut body)
                        .context("waiting for nats-server")?;
                    body.truncate(size);
                    return Ok(body);
                }
                _ => {}
            }
        }
    }
}
