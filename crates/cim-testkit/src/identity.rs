//! The identity of a fleet in operator mode, as the desk makes it: keys in memory, JWTs as the folder `identity/` has them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use cim_creds::{Account, Claims, Creds, KeyPair, Operator, User, decode};
use cim_identity::{Keys, Wanted};
use cim_spec::Problems;
use cim_spec::spec::Fleet;
use nkeys::KeyPairType;
use serde_json::{Value, json};

/// Keys and JWTs of one fleet. The keys follow from the names, so messages do too; they open nothing but tests.
#[derive(Clone, Default)]
pub struct Identity {
    keys: Keys,
    files: BTreeMap<String, String>,
}

impl Identity {
    /// Makes everything that a fleet needs, as issued at `now`, in seconds since 1970.
    ///
    /// # Errors
    /// A fleet that is not in operator mode, or breaks a rule.
    pub fn of(fleet: &Fleet, now: i64) -> Result<Self> {
        let mut identity = Self::default();
        identity.make(fleet, now)?;
        Ok(identity)
    }

    /// Reads the folder `identity/` that the desk made: its public half.
    ///
    /// # Errors
    /// What the file system says, and a `keys.json` that is none.
    pub fn read(folder: &Path) -> Result<Self> {
        let mut identity = Self::default();
        identity.read_below(folder, "")?;
        let keys = identity.files.get("keys.json");
        let keys = keys.with_context(|| format!("{} has no keys.json", folder.display()))?;
        identity.keys = serde_json::from_str(keys).context("reading keys.json")?;
        Ok(identity)
    }

    fn read_below(&mut self, folder: &Path, below: &str) -> Result<()> {
        let reading = || format!("reading {}", folder.display());
        for entry in fs::read_dir(folder).with_context(reading)? {
            let path = entry.with_context(reading)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let place = format!("{below}{name}");
            if path.is_dir() {
                self.read_below(&path, &format!("{place}/"))?;
            } else {
                let text = fs::read_to_string(&path)
                    .with_context(|| format!("reading {}", path.display()))?;
                self.files.insert(place, text.trim_end().to_owned());
            }
        }
        Ok(())
    }

    /// Makes what is missing and what differs from the fleet; all else stays byte for byte.
    ///
    /// # Errors
    /// As [`Identity::of`].
    pub fn make(&mut self, fleet: &Fleet, now: i64) -> Result<()> {
        let mut problems = Problems::new();
        let Some(wanted) = Wanted::of(fleet, &mut problems) else {
            bail!("no identity can be made: {problems}");
        };
        self.forget(&wanted);
        self.name_keys(&wanted);
        self.operator(&wanted, now)?;
        for account in &wanted.accounts {
            self.account(account, now)?;
        }
        for user in &wanted.users {
            self.user(user, now)?;
        }
        let keys = serde_json::to_string(&self.keys).context("writing keys.json")?;
        self.files.insert("keys.json".to_owned(), keys);
        Ok(())
    }

    /// What stands in `identity/`, by its path there.
    pub fn files(&self) -> &BTreeMap<String, String> {
        &self.files
    }

    /// Puts a JWT that was made elsewhere where it stands in `identity/`.
    pub(crate) fn set(&mut self, place: &str, text: String) {
        self.files.insert(place.to_owned(), text);
    }

    /// The public keys.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The `.creds` text of whose JWT stands at `place`.
    ///
    /// # Errors
    /// A place where none stands.
    pub fn creds(&self, place: &str) -> Result<String> {
        let jwt = self.files.get(place);
        let jwt = jwt.with_context(|| format!("there is no {place}"))?;
        let creds = Creds::new(jwt, key(KeyPairType::User, place))?;
        Ok(creds.text()?.to_string())
    }

    /// Puts the JWTs into the fleet of a hub's spec, as the modules read them from files.
    ///
    /// # Errors
    /// An account that has none.
    pub fn put_into(&self, fleet: &mut Value) -> Result<()> {
        let text = |path: &str| self.files.get(path).context(format!("there is no {path}"));
        fleet["operator"]["jwt"] = json!(text("operator.jwt")?);
        let accounts = fleet["accounts"].as_object_mut();
        for (name, account) in accounts.context("a fleet has accounts")? {
            account["jwt"] = json!(text(&format!("accounts/{name}.jwt"))?);
            account["fields"]["nkey"] = json!(self.keys.account(name));
        }
        Ok(())
    }

    /// Takes away what nobody needs any more.
    fn forget(&mut self, wanted: &Wanted) {
        self.keys = Keys::default();
        self.files.retain(|place, _| {
            let account = place.strip_prefix("accounts/");
            let account = account.and_then(|file| file.strip_suffix(".jwt"));
            place == "operator.jwt"
                || account.is_some_and(|name| wanted.account(name).is_some())
                || wanted.users.iter().any(|user| user.place == *place)
        });
    }

    fn name_keys(&mut self, wanted: &Wanted) {
        self.keys.operator = Some(key(KeyPairType::Operator, "operator").public_key());
        let signing = key(KeyPairType::Operator, "operator.signing");
        self.keys.operator_signing_key = Some(signing.public_key());
        for account in &wanted.accounts {
            let entry = self.keys.accounts.entry(account.name.clone()).or_default();
            entry.nkey = key(KeyPairType::Account, &account.name).public_key();
            for role in &account.roles {
                let public = role_key(&account.name, &role.name).public_key();
                entry.signing_keys.insert(role.name.clone(), public);
            }
        }
        for user in &wanted.users {
            let public = key(KeyPairType::User, &user.place).public_key();
            if user.place.starts_with("leaves/") {
                self.keys.leaves.insert(user.name.clone(), public);
            } else if user.place.starts_with("users/") {
                let users = self.keys.users.entry(user.account.clone()).or_default();
                users.insert(user.name.clone(), public);
            }
        }
    }

    fn operator(&mut self, wanted: &Wanted, now: i64) -> Result<()> {
        let nats = Operator {
            signing_keys: self.keys.operator_signing_key.iter().cloned().collect(),
            system_account: key(KeyPairType::Account, &wanted.system_account).public_key(),
            strict_signing_key_usage: true,
            ..Operator::default()
        };
        let own = key(KeyPairType::Operator, "operator");
        let claims = Claims::new(own.public_key(), nats).named(&wanted.operator);
        self.put("operator.jwt", &claims, &own, now)
    }

    fn account(&mut self, account: &cim_identity::Account, now: i64) -> Result<()> {
        let place = format!("accounts/{}.jwt", account.name);
        let before = self.files.get(&place).map(|text| decode::<Account>(text));
        let before = before.transpose()?.map(|token| token.claims.nats);
        let mut body = account.body(&self.keys, before.as_ref())?;
        for need in account.needs(&self.keys, &body)? {
            let signer = role_key(&need.exporter, "activations");
            body.imports[need.import].token = need.claims.encode(&signer, now)?;
        }
        let own = key(KeyPairType::Account, &account.name);
        let claims = Claims::new(own.public_key(), body).named(&account.name);
        let signer = key(KeyPairType::Operator, "operator.signing");
        self.put(&place, &claims, &signer, now)
    }

    fn user(&mut self, user: &cim_identity::User, now: i64) -> Result<()> {
        let account = key(KeyPairType::Account, &user.account).public_key();
        let own = key(KeyPairType::User, &user.place);
        let lifetime = user.lifetime.map(i64::try_from).transpose()?;
        let claims = Claims::new(own.public_key(), User::scoped(account)).named(&user.name);
        let claims = claims.expiring(lifetime.map_or(0, |lifetime| now + lifetime));
        let signer = role_key(&user.account, &user.role);
        self.put(&user.place, &claims, &signer, now)
    }

    /// Writes a JWT where there is none that says the same.
    fn put<T: cim_creds::Body + PartialEq>(
        &mut self,
        place: &str,
        claims: &Claims<T>,
        signer: &KeyPair,
        now: i64,
    ) -> Result<()> {
        let before = self.files.get(place).map(|text| decode::<T>(text));
        if let Some(Ok(token)) = before
            && token.claims.nats == claims.nats
            && token.claims.data.iss == signer.public_key()
        {
            return Ok(());
        }
        let text = claims.encode(signer, now)?;
        self.files.insert(place.to_owned(), text);
        Ok(())
    }
}

/// The key of an account's role.
pub(crate) fn role_key(account: &str, role: &str) -> KeyPair {
    key(KeyPairType::Account, &format!("{account}.{role}"))
}

/// A key that follows from a name.
pub fn key(kind: KeyPairType, name: &str) -> KeyPair {
    let mut raw = [7_u8; 32];
    for (index, byte) in name.bytes().enumerate() {
        let place = &mut raw[index % 32];
        *place = place.wrapping_mul(31).wrapping_add(byte);
    }
    // 32 bytes are always a key.
    KeyPair::new_from_raw(kind.clone(), raw).unwrap_or_else(|_| KeyPair::new(kind))
}
