//! nsc's folders: `stores/<operator>/accounts/<account>/users/<user>.jwt`, `nkeys/keys/A/BC/<key>.nk`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use cim_creds::{Chain, Claims, Creds, KeyKind, Operator, decode, key};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::files;

/// An operator and all that nsc keeps of it.
pub struct Store {
    /// The operator's JWT.
    pub operator_jwt: String,
    /// What it says.
    pub operator: Claims<Operator>,
    /// Its accounts, by name.
    pub accounts: Vec<Account>,
    /// Where keys are.
    nkeys: PathBuf,
}

/// An account.
pub struct Account {
    /// Its name.
    pub name: String,
    /// Its JWT.
    pub jwt: String,
    /// What it says.
    pub claims: Claims<cim_creds::Account>,
    /// Its users, by name.
    pub users: Vec<User>,
}

/// A user.
pub struct User {
    /// Its name.
    pub name: String,
    /// Its JWT.
    pub jwt: String,
    /// What it says.
    pub claims: Claims<cim_creds::User>,
    /// Its seed; `None`: nsc does not have it.
    pub seed: Option<Zeroizing<String>>,
}

/// nsc's mark in an operator's folder.
#[derive(Deserialize)]
struct Info {
    kind: String,
    version: String,
}

impl Store {
    /// Reads the store of one operator; `folder` is its own, or the one above.
    ///
    /// # Errors
    /// All files that are damaged, do not belong together, or are named as no option can be.
    pub fn read(folder: &Path, nkeys: &Path) -> Result<Self> {
        let folder = own(folder)?;
        ensure!(
            nkeys.join("keys").is_dir(),
            "{} has no folder keys: name nsc's folder of keys with --nkeys; `nsc env` says where it is",
            nkeys.display()
        );
        let name = folder.file_name().and_then(|name| name.to_str());
        let name = name
            .context("the operator's folder has no readable name")?
            .to_owned();
        let (operator_jwt, operator) = token::<Operator>(&folder.join(format!("{name}.jwt")))?;
        let mut store = Self {
            operator_jwt,
            operator,
            accounts: Vec::new(),
            nkeys: nkeys.to_owned(),
        };
        let mut wrong = Vec::new();
        for place in folders(&folder.join("accounts"))? {
            match store.account(&name, &place) {
                Ok(account) => store.accounts.push(account),
                Err(error) => wrong.push(format!("{error:#}")),
            }
        }
        ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
        Ok(store)
    }

    fn account(&self, operator: &str, folder: &Path) -> Result<Account> {
        let name = folder.file_name().and_then(|name| name.to_str());
        let name = super::name(
            "account",
            name.context("an account's folder has no readable name")?,
        )?;
        let place = folder.join(format!("{name}.jwt"));
        let (jwt, claims) = token::<cim_creds::Account>(&place)?;
        Chain::new(&self.operator, &claims).with_context(|| place.display().to_string())?;
        let mut account = Account {
            name,
            jwt,
            claims,
            users: Vec::new(),
        };
        for place in jwts(&folder.join("users"))? {
            let user = self.user(operator, &account, &place)?;
            account.users.push(user);
        }
        Ok(account)
    }

    fn user(&self, operator: &str, account: &Account, place: &Path) -> Result<User> {
        let name = place.file_stem().and_then(|name| name.to_str());
        let name = super::name("user", name.context("a user's file has no readable name")?)?;
        let (jwt, claims) = token::<cim_creds::User>(place)?;
        let of = &claims.nats.issuer_account;
        let of = if of.is_empty() { &claims.data.iss } else { of };
        ensure!(
            *of == account.claims.data.sub,
            "{}: it is of account {of}, not of {}",
            place.display(),
            account.name
        );
        let seed = match self.seed(&claims.data.sub, KeyKind::User)? {
            Some(seed) => Some(seed),
            None => {
                let creds = self.nkeys.join("creds").join(operator).join(&account.name);
                of_creds(&creds.join(format!("{name}.creds")), &claims.data.sub)?
            }
        };
        Ok(User {
            name,
            jwt,
            claims,
            seed,
        })
    }

    /// The seed of a public key; `None`: nsc does not have it.
    ///
    /// # Errors
    /// A file that holds another key.
    pub fn seed(&self, public: &str, kind: KeyKind) -> Result<Option<Zeroizing<String>>> {
        let (Some(letter), Some(shard)) = (public.get(..1), public.get(1..3)) else {
            return Ok(None);
        };
        let place = self
            .nkeys
            .join("keys")
            .join(letter)
            .join(shard)
            .join(format!("{public}.nk"));
        if !files::exists(&place)? {
            return Ok(None);
        }
        let bytes = files::read(&place)?;
        let read = || {
            let text = std::str::from_utf8(&bytes).context("it has other bytes than text")?;
            let pair = key::key_pair(text.trim(), kind)?;
            ensure!(
                pair.public_key() == public,
                "it is the seed of {}",
                pair.public_key()
            );
            Ok(key::seed(&pair)?)
        };
        read()
            .with_context(|| format!("reading {}", place.display()))
            .map(Some)
    }
}

fn of_creds(place: &Path, public: &str) -> Result<Option<Zeroizing<String>>> {
    if !files::exists(place)? {
        return Ok(None);
    }
    let creds = Creds::parse(&files::read(place)?);
    let creds = creds.with_context(|| format!("reading {}", place.display()))?;
    // Older creds of a user that got another key since are nobody's here.
    if creds.key().public_key() != public {
        return Ok(None);
    }
    Ok(Some(key::seed(creds.key())?))
}

/// The folder of the one operator.
fn own(folder: &Path) -> Result<PathBuf> {
    let mark = |folder: &Path| folder.join(".nsc");
    let found = if files::exists(&mark(folder))? {
        folder.to_owned()
    } else {
        let below = folders(folder)?;
        let mut stores = below.into_iter().filter(|folder| mark(folder).is_file());
        let first = stores.next().with_context(|| {
            format!("{} is no nsc store: name the operator's folder with --store; `nsc env` says where it is", folder.display())
        })?;
        if let Some(second) = stores.next() {
            bail!(
                "{} has more than one operator: name one of them: --store {} or --store {}",
                folder.display(),
                first.display(),
                second.display()
            );
        }
        first
    };
    let place = mark(&found);
    let info: Info = serde_json::from_slice(&files::read(&place)?)
        .with_context(|| format!("reading {}", place.display()))?;
    ensure!(
        info.kind == "operator" && info.version == "1",
        "{}: it is a store of kind {:?}, version {:?}, where an operator's of version \"1\" is needed",
        place.display(),
        info.kind,
        info.version
    );
    Ok(found)
}

fn token<T: cim_creds::Body>(place: &Path) -> Result<(String, Claims<T>)> {
    let bytes = files::read(place)?;
    let doing = || format!("reading {}", place.display());
    let text = std::str::from_utf8(&bytes).with_context(doing)?.trim();
    let claims = decode::<T>(text).and_then(|token| token.whole());
    Ok((text.to_owned(), claims.with_context(doing)?))
}

fn folders(folder: &Path) -> Result<Vec<PathBuf>> {
    Ok(entries(folder)?
        .into_iter()
        .filter(|path| path.is_dir())
        .collect())
}

fn jwts(folder: &Path) -> Result<Vec<PathBuf>> {
    let is_jwt = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "jwt");
    Ok(entries(folder)?.into_iter().filter(is_jwt).collect())
}

/// What is in a folder, in order; nothing where there is none.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    if !files::exists(folder)? {
        return Ok(Vec::new());
    }
    let doing = || format!("listing {}", folder.display());
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).with_context(doing)? {
        paths.push(entry.with_context(doing)?.path());
    }
    paths.sort();
    Ok(paths)
}
