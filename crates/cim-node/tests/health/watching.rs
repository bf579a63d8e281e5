//! Looks as the daemon does, in this process: what is only known from look to look is remembered between them.

use std::cell::RefCell;

use anyhow::{Context, Result};
use cim_node::health::judge::Report;
use cim_node::health::look::Looker;
use cim_node::health::wire::Logins;
use cim_node::health::{daemon, json, nagios, openmetrics, text};
use cim_testkit::nats_server;
use clap::Parser;

use crate::scene::{Said, Scene};

/// One who watches, with the last report.
pub struct Watching(RefCell<(Looker, Option<Report>)>);

/// The flags of a login.
#[derive(Parser)]
struct Words {
    #[command(flatten)]
    logins: Logins,
}

impl Watching {
    /// Without a login.
    pub fn silent() -> Result<Self> {
        let looker = Looker::new(nats_server()?);
        Ok(Self(RefCell::new((looker, None))))
    }

    /// Logged in as the words of the command line say.
    pub fn with(logins: &[String]) -> Result<Self> {
        let words = ["cim-health".to_owned()].into_iter();
        let words = Words::try_parse_from(words.chain(logins.iter().cloned()));
        let logins = words.context("flags of a login")?.logins;
        let looker = Looker::new(nats_server()?).with_logins(logins, false);
        Ok(Self(RefCell::new((looker, None))))
    }

    /// One look, told in a form.
    pub fn look(&self, scene: &Scene, form: &[&str]) -> Result<Said> {
        let mut both = self.0.borrow_mut();
        let (looker, before) = &mut *both;
        let report = daemon::look(looker, &scene.file()?, before.as_ref());
        let out = match form {
            ["--json"] => json::json(&report).to_string(),
            ["--openmetrics"] => openmetrics::openmetrics(&report),
            ["--nagios"] => nagios::nagios(&report),
            _ => text::text(&report),
        };
        let code = report.state().code().into();
        *before = Some(report);
        Ok(Said {
            code,
            out,
            err: String::new(),
        })
    }
}
