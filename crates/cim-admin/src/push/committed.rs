//! The folder `identity/` as it is committed: the operator, the accounts, and who holds which key.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use cim_creds::{Account, Chain, Claims, Operator, User, decode};

use crate::files;

/// What is committed.
#[derive(Debug)]
pub struct Committed {
    /// The operator that vouches for all of it.
    pub operator: Claims<Operator>,
    /// The accounts, by name.
    pub accounts: Vec<Held>,
    /// Who has a JWT.
    pub holders: Vec<Holder>,
}

/// An account.
#[derive(Debug, Clone)]
pub struct Held {
    /// Its name: the file's.
    pub name: String,
    /// The file.
    pub place: PathBuf,
    /// Its JWT.
    pub jwt: String,
    /// What the JWT says.
    pub claims: Claims<Account>,
}

impl Held {
    /// Its public key.
    pub fn key(&self) -> &str {
        &self.claims.data.sub
    }
}

/// Someone who logs in.
#[derive(Debug, Clone)]
pub struct Holder {
    /// For people: `leaf plant-a`, `user CIM/alchemist`, `service CIM/provision on hub-1`.
    pub title: String,
    /// The leaf's name, of a leaf.
    pub leaf: Option<String>,
    /// The file.
    pub place: PathBuf,
    /// What the JWT says.
    pub claims: Claims<User>,
}

impl Committed {
    /// Reads the folder; every JWT is held against its signature, and accounts against the operator.
    ///
    /// # Errors
    /// All files that cannot be read, were changed, or are another operator's.
    pub fn read(folder: &Path) -> Result<Self> {
        let place = folder.join("operator.jwt");
        let (_, operator) = token::<Operator>(&place)?;
        let mut wrong = Vec::new();
        let mut accounts = Vec::new();
        for (below, place) in jwts(&folder.join("accounts"), 1)? {
            match token::<Account>(&place).and_then(|(jwt, claims)| {
                Chain::new(&operator, &claims).with_context(|| place.display().to_string())?;
                Ok((jwt, claims))
            }) {
                Ok((jwt, claims)) => accounts.push(Held {
                    name: below.concat(),
                    place,
                    jwt,
                    claims,
                }),
                Err(error) => wrong.push(format!("{error:#}")),
            }
        }
        let mut holders = Vec::new();
        for (kind, depth) in [("leaves", 1), ("users", 2), ("services", 3)] {
            for (below, place) in jwts(&folder.join(kind), depth)? {
                match token::<User>(&place) {
                    Ok((_, claims)) => holders.push(Holder {
                        title: title(&below),
                        leaf: below.first().filter(|_| depth == 1).cloned(),
                        place,
                        claims,
                    }),
                    Err(error) => wrong.push(format!("{error:#}")),
                }
            }
        }
        ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
        ensure!(
            !accounts.is_empty(),
            "{} has no account: `cim-admin identity make` makes them",
            folder.join("accounts").display()
        );
        Ok(Self {
            operator,
            accounts,
            holders,
        })
    }

    /// Only these accounts; all, where none is named.
    ///
    /// # Errors
    /// A name that no account has.
    pub fn chosen(&self, names: &[String]) -> Result<Vec<&Held>> {
        let all = || self.accounts.iter();
        if let Some(name) = names
            .iter()
            .find(|name| all().all(|account| account.name != **name))
        {
            let known: Vec<_> = all().take(20).map(|a| a.name.as_str()).collect();
            bail!(
                "there is no account {name}; there are: {}",
                known.join(", ")
            );
        }
        let chosen = all().filter(|account| names.is_empty() || names.contains(&account.name));
        Ok(chosen.collect())
    }

    /// What public keys are called.
    pub fn names(&self) -> BTreeMap<String, String> {
        let accounts = self.accounts.iter();
        let accounts = accounts.map(|account| (account.key().to_owned(), account.name.clone()));
        let holders = self.holders.iter();
        accounts
            .chain(holders.map(|holder| (holder.claims.data.sub.clone(), holder.title.clone())))
            .collect()
    }
}

fn title(below: &[String]) -> String {
    match below {
        [leaf] => format!("leaf {leaf}"),
        [account, user] => format!("user {account}/{user}"),
        [node, account, service] => format!("service {account}/{service} on {node}"),
        other => other.join("/"),
    }
}

fn token<T: cim_creds::Body>(place: &Path) -> Result<(String, Claims<T>)> {
    let bytes = files::read(place)?;
    let doing = || format!("reading {}", place.display());
    let text = std::str::from_utf8(&bytes).with_context(doing)?.trim();
    let claims = decode::<T>(text).and_then(|token| token.whole());
    Ok((text.to_owned(), claims.with_context(doing)?))
}

/// The `.jwt` files so many folders down, each with the names on its way, in order; none where
/// there is no folder.
fn jwts(folder: &Path, depth: usize) -> Result<Vec<(Vec<String>, PathBuf)>> {
    let mut found = Vec::new();
    if !files::exists(folder)? {
        return Ok(found);
    }
    let doing = || format!("listing {}", folder.display());
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).with_context(doing)? {
        entries.push(entry.with_context(doing)?.path());
    }
    entries.sort();
    for path in entries {
        let name = |part: Option<&std::ffi::OsStr>| {
            let name = part.and_then(|part| part.to_str()).map(str::to_owned);
            name.with_context(|| format!("{} has no readable name", path.display()))
        };
        if depth == 1 {
            if path.extension().is_some_and(|ending| ending == "jwt") {
                found.push((vec![name(path.file_stem())?], path));
            }
            continue;
        }
        if path.is_dir() {
            let own = name(path.file_name())?;
            let below = jwts(&path, depth - 1)?;
            found.extend(below.into_iter().map(|(mut names, path)| {
                names.insert(0, own.clone());
                (names, path)
            }));
        }
    }
    Ok(found)
}
