//! Accounts as the server has them: who is connected, where that is limited, and what ends of the JWTs that it has loaded.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use cim_identity::{End, of_jwt};
use cim_spec::artefact::{LimitKind, Watch, WatchedJwt, WatchedJwts};
use serde::{Deserialize, Serialize};

use super::look::{Seen, seen};
use crate::monitor::{AccountDetail, Accstatz, Connz, Monitor, Varz};

/// What was seen of accounts that have a limit or a JWT; nothing was asked where there is none.
#[derive(Debug, Default)]
pub struct Accounts {
    /// Who is connected to this server; `None`: no limit makes that of interest.
    pub connected: Option<Seen<Accstatz>>,
    /// By what the server calls the account, its connection with most subscriptions, where these are limited.
    pub greediest: BTreeMap<String, Seen<Connz>>,
    /// What ends of the operators that the server trusts.
    pub operator: Option<Seen<Vec<End>>>,
    /// By account, its JWT.
    pub jwts: BTreeMap<String, Seen<Jwt>>,
    /// Whether the server did not answer for one of them.
    silent: bool,
}

/// The JWT of an account.
#[derive(Debug)]
pub struct Jwt {
    /// What ends of it, the first first.
    pub ends: Vec<End>,
    /// Whether the server has loaded it. It loads that of an account when somebody first uses it.
    pub loaded: bool,
}

/// What is connected to one server in an account; what its node tells the others of the hub.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connected {
    /// Clients.
    pub clients: u64,
    /// Leaf links.
    pub leaves: u64,
}

impl Accounts {
    /// Asks the server; of one that does not answer nothing is asked.
    pub fn of(watch: &Watch, varz: Result<&Varz, &String>, monitor: &Monitor) -> Self {
        let Ok(varz) = varz else {
            return Self::default();
        };
        let mut accounts = Self {
            connected: (!watch.limits.is_empty()).then(|| seen(monitor.accstatz())),
            ..Self::default()
        };
        if let Some(Ok(connected)) = &accounts.connected {
            let limits = watch.limits.iter();
            let limits = limits.filter(|limit| limit.kind == LimitKind::Subscriptions);
            for id in limits.map(|limit| &limit.account_id) {
                // To be asked for one, nats-server would load it.
                let used = connected.of(id).acc == *id;
                if used {
                    let found = seen(monitor.most_subscriptions_in(id));
                    accounts.greediest.insert(id.clone(), found);
                }
            }
        }
        if let Some(jwts) = &watch.jwts {
            accounts.operator = Some(seen(operators(varz)));
            let mut silent: Option<String> = None;
            for wanted in &jwts.accounts {
                // One that does not answer is not waited for once for each account.
                let loaded = match &silent {
                    None => seen(monitor.account(&wanted.nkey)),
                    Some(why) => Err(why.clone()),
                };
                let found = match loaded {
                    Ok(loaded) => seen(jwt(jwts, wanted, loaded)),
                    Err(why) => {
                        silent.get_or_insert_with(|| why.clone());
                        Err(why)
                    }
                };
                accounts.jwts.insert(wanted.account.clone(), found);
            }
            accounts.silent = silent.is_some();
        }
        accounts
    }

    /// Whether the server did not tell something.
    pub fn failed(&self) -> bool {
        self.connected.as_ref().is_some_and(Result::is_err)
            || self.greediest.values().any(Result::is_err)
            || self.silent
    }

    /// What is connected here in an account, by what the server calls it.
    pub fn here(&self, id: &str) -> Option<Connected> {
        let of_account = self.connected.as_ref()?.as_ref().ok()?.of(id);
        Some(Connected {
            clients: of_account.conns,
            leaves: of_account.leafnodes,
        })
    }
}

fn operators(varz: &Varz) -> Result<Vec<End>> {
    if varz.trusted_operators_jwt.is_empty() {
        bail!("the server trusts no operator, and should be in operator mode");
    }
    let mut all = Vec::new();
    for text in &varz.trusted_operators_jwt {
        all.extend(ends(text, "the operator's JWT")?);
    }
    Ok(all)
}

/// The JWT that the server has loaded; of an account that nobody has used yet the one that it will load.
fn jwt(jwts: &WatchedJwts, wanted: &WatchedJwt, loaded: Option<AccountDetail>) -> Result<Jwt> {
    if let Some(detail) = loaded {
        return Ok(Jwt {
            ends: ends(&detail.jwt, "the loaded JWT")?,
            loaded: true,
        });
    }
    let ends = match (&jwts.dir, &wanted.preload) {
        (Some(dir), _) => {
            let file = Path::new(dir).join(format!("{}.jwt", wanted.nkey));
            let text = fs::read_to_string(&file);
            let reading = || format!("the server has not loaded it, and {}", file.display());
            let text = text.with_context(reading)?;
            ends(text.trim(), &file.display().to_string())?
        }
        (None, Some(text)) => ends(text, "its JWT in nats.conf")?,
        (None, None) => bail!("the server has not loaded it, and nats.conf has no JWT of it"),
    };
    Ok(Jwt {
        ends,
        loaded: false,
    })
}

fn ends(text: &str, what: &str) -> Result<Vec<End>> {
    let mut ends = of_jwt(text).map_err(|why| anyhow::anyhow!("{what} {why}"))?;
    ends.sort_by_key(|end| end.ends);
    Ok(ends)
}
