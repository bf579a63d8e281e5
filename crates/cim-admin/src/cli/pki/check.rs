//! `cim-admin pki check`: what peers would say of a certificate.

use std::path::PathBuf;

use anyhow::{Result, bail};
use serde_json::json;

use super::super::{Desk, Report};
use super::issue::stamp;
use super::{certificates, private_key};
use crate::pki::{self, Address, Expected, Key, Usage};

#[derive(Debug, clap::Args)]
pub struct Check {
    /// The certificate, with its intermediates after it, PEM
    certificate: PathBuf,
    /// Its private key, PEM
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// The CAs that its peers trust, PEM
    #[arg(long, value_name = "FILE")]
    ca: PathBuf,
    /// It is a server's, reached at this address; may be given more than once
    #[arg(long = "address", value_name = "ADDRESS")]
    addresses: Vec<String>,
    /// Its common name
    #[arg(long)]
    common_name: Option<String>,
}

impl Check {
    pub fn run(&self, desk: &Desk) -> Result<Report> {
        let addresses: Vec<Address> = self
            .addresses
            .iter()
            .map(|text| text.parse())
            .collect::<Result<_>>()?;
        let chain = certificates(&self.certificate)?;
        let roots = certificates(&self.ca)?;
        let key = self.key.as_deref().map(private_key).transpose()?;
        let expected = Expected {
            now: desk.now,
            roots: &roots,
            usage: if addresses.is_empty() {
                Usage::Client
            } else {
                Usage::Server
            },
            common_name: self.common_name.as_deref(),
            addresses: &addresses,
            public: key.as_ref().map(Key::public),
        };
        let problems = pki::check(&chain, &expected);
        let Some(own) = chain.first() else {
            bail!("{} has no certificate", self.certificate.display());
        };
        let place = self.certificate.display();
        let mut lines: Vec<String> = problems
            .iter()
            .map(|problem| format!("{place}: {problem}"))
            .collect();
        if problems.is_empty() {
            lines.push(format!(
                "{place}: {}, good until {}",
                own.subject(),
                stamp(own)
            ));
        }
        let json = json!({
            "good": problems.is_empty(),
            "subject": own.subject(),
            "addresses": own.names(),
            "notAfter": stamp(own),
            "problems": problems,
        });
        Ok(Report {
            lines,
            good: problems.is_empty(),
            json,
        })
    }
}
