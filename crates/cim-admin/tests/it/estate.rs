//! A committed identity made at run time, changed as tests need it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};
use cim_admin::sops::{Folder, Identities, Plain, Tree};
use cim_creds::body::limits::JetStreamLimits;
use cim_creds::body::permissions::UserPermissionLimits;
use cim_creds::body::signing_keys::UserScope;
use cim_creds::{Account, Claims, Creds, KeyPair, Operator, User};
use serde_json::Value;
use tempfile::TempDir;

use crate::hubs::Nodes;
use crate::server::now;

/// An operator's desk with `identity/`, and the seeds that stay in memory.
pub struct Estate {
    dir: TempDir,
    pub operator: KeyPair,
    pub signing: KeyPair,
    keys: BTreeMap<String, KeyPair>,
    roles: BTreeMap<(String, String), KeyPair>,
    pub accounts: BTreeMap<String, Account>,
    /// Creds by the place of their JWT.
    creds: RefCell<BTreeMap<String, String>>,
    /// Added to the time at which JWTs are issued.
    pub later: i64,
}

impl Estate {
    /// An operator, the system account with a desk, and an account APP with JetStream.
    pub fn new() -> Result<Self> {
        let mut estate = Self {
            dir: tempfile::tempdir()?,
            operator: KeyPair::new_operator(),
            signing: KeyPair::new_operator(),
            keys: BTreeMap::new(),
            roles: BTreeMap::new(),
            accounts: BTreeMap::new(),
            creds: RefCell::default(),
            later: 0,
        };
        estate.add("SYS")?;
        estate.add("APP")?;
        let jetstream = JetStreamLimits {
            disk_storage: 1 << 26,
            mem_storage: 1 << 26,
            ..JetStreamLimits::default()
        };
        estate.change("APP", |app| app.limits.jetstream = jetstream)?;
        estate.operator()?;
        estate.role("SYS", "service/desk", |_| {})?;
        let desk = estate.user("SYS", "service/desk", "desk.jwt")?;
        fs::write(estate.path("desk.creds"), desk)?;
        Ok(estate)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn put(&self, name: &str, text: &str) -> Result<()> {
        let path = self.path(name);
        fs::create_dir_all(path.parent().context("a folder")?)?;
        Ok(fs::write(path, text)?)
    }

    pub fn now(&self) -> i64 {
        now().unix_timestamp() + self.later
    }

    pub fn operator(&self) -> Result<()> {
        let claims = Operator {
            signing_keys: vec![self.signing.public_key()],
            strict_signing_key_usage: true,
            system_account: self.key("SYS")?.public_key(),
            ..Operator::default()
        };
        let claims = Claims::new(self.operator.public_key(), claims).named("estate");
        let text = claims.encode(&self.operator, self.now())?;
        self.put("identity/operator.jwt", &format!("{text}\n"))
    }

    /// A new account.
    pub fn add(&mut self, name: &str) -> Result<()> {
        self.keys.insert(name.to_owned(), KeyPair::new_account());
        self.accounts.insert(name.to_owned(), Account::default());
        self.write(name)
    }

    pub fn key(&self, name: &str) -> Result<&KeyPair> {
        self.keys
            .get(name)
            .with_context(|| format!("no account {name}"))
    }

    /// Changes an account and issues it anew.
    pub fn change(&mut self, name: &str, change: impl FnOnce(&mut Account)) -> Result<()> {
        change(self.accounts.get_mut(name).context("an account")?);
        self.write(name)
    }

    /// Issues an account.
    pub fn write(&self, name: &str) -> Result<()> {
        let text = self.issued(name)?;
        self.put(
            &format!("identity/accounts/{name}.jwt"),
            &format!("{text}\n"),
        )
    }

    pub fn issued(&self, name: &str) -> Result<String> {
        let nats = self.accounts.get(name).context("an account")?.clone();
        let claims = Claims::new(self.key(name)?.public_key(), nats).named(name);
        Ok(claims.encode(&self.signing, self.now())?)
    }

    /// A new role, or a changed one: its key stays.
    pub fn role(
        &mut self,
        account: &str,
        role: &str,
        template: impl FnOnce(&mut UserPermissionLimits),
    ) -> Result<()> {
        let at = (account.to_owned(), role.to_owned());
        let key = self.roles.entry(at).or_insert_with(KeyPair::new_account);
        let mut limits = UserPermissionLimits::default();
        template(&mut limits);
        let scope = UserScope::new(key.public_key(), role, limits);
        self.change(account, |nats| nats.signing_keys.add_scoped(scope))
    }

    /// A second key for a role, with the same template; gives the first key.
    pub fn rekey(&mut self, account: &str, role: &str) -> Result<String> {
        let at = (account.to_owned(), role.to_owned());
        let old = self.roles.insert(at.clone(), KeyPair::new_account());
        let old = old.context("a role")?.public_key();
        let key = self.roles.get(&at).context("a role")?.public_key();
        let nats = self.accounts.get_mut(account).context("an account")?;
        let scope = nats.signing_keys.get(&old).flatten().context("a scope")?;
        let scope = UserScope::new(key, role, scope.template.clone());
        nats.signing_keys.add_scoped(scope);
        self.write(account)?;
        Ok(old)
    }

    /// A user of a role: its JWT in the folder, its creds as text.
    pub fn user(&self, account: &str, role: &str, place: &str) -> Result<String> {
        let user = KeyPair::new_user();
        let key = self.roles.get(&(account.to_owned(), role.to_owned()));
        let nats = User::scoped(self.key(account)?.public_key());
        let claims = Claims::new(user.public_key(), nats).named(role);
        let text = claims.encode(key.context("a role")?, self.now())?;
        self.put(&format!("identity/{place}"), &format!("{text}\n"))?;
        let creds = Creds::new(text, user)?.text()?.to_string();
        let mut all = self.creds.borrow_mut();
        all.insert(place.to_owned(), creds.clone());
        Ok(creds)
    }

    /// The operator's keys and the desk's creds in `secrets/operator.yaml`, sealed for `keys.txt`.
    pub fn seal(&self) -> Result<()> {
        let keys = Identities::generate();
        self.put("keys.txt", &keys.text())?;
        let rules = format!("creation_rules:\n- age: {}\n", keys.recipients()[0]);
        self.put("secrets/.sops.yaml", &rules)?;
        let desk = fs::read_to_string(self.path("desk.creds"))?;
        let mut tree = Tree::Map(Vec::new());
        tree.set("operator.nk", Tree::text(self.operator.seed()?))?;
        tree.set("operator.signing.nk", Tree::text(self.signing.seed()?))?;
        tree.set("desk.creds", Tree::text(desk))?;
        for (name, key) in &self.keys {
            tree.set(&format!("account.{name}.nk"), Tree::text(key.seed()?))?;
        }
        for ((account, role), key) in &self.roles {
            let entry = format!("account.{account}.{}.nk", role.replace('/', "."));
            tree.set(&entry, Tree::text(key.seed()?))?;
        }
        let folder = Folder::open(&self.path("secrets"))?;
        let sealed = folder.seal("operator.yaml", &Plain::Tree(tree), now())?;
        self.put("secrets/operator.yaml", &sealed)?;
        for (place, creds) in self.creds.borrow().iter() {
            let name = place.replace(".jwt", ".creds");
            let plain = Plain::Bytes(creds.as_bytes().to_vec().into());
            self.put(
                &format!("secrets/{name}"),
                &folder.seal(&name, &plain, now())?,
            )?;
        }
        Ok(())
    }

    /// Starts nodes with an empty resolver each, but for the system account.
    pub fn start(&self, count: usize) -> Result<Nodes> {
        Nodes::start_on(&self.path("identity"), count)
    }

    /// `identity/` as it is now, under another name.
    pub fn copy(&self, name: &str) -> Result<()> {
        self.take(name, &self.path("identity"))
    }

    /// A folder from elsewhere.
    pub fn take(&self, name: &str, from: &Path) -> Result<()> {
        for entry in fs::read_dir(from)? {
            let path = entry?.path();
            let below = format!("{name}/{}", path.file_name().context("a name")?.display());
            if path.is_dir() {
                self.take(&below, &path)?;
            } else {
                self.put(&below, &fs::read_to_string(&path)?)?;
            }
        }
        Ok(())
    }

    pub fn disk(&self) -> Result<crate::desk::Disk> {
        let mut disk = crate::desk::Disk::new();
        crate::desk::walk(self.dir.path(), &mut disk)?;
        Ok(disk)
    }

    /// Runs the program at the desk.
    pub fn cim_admin(&self, args: &[&str]) -> Result<Output> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cim-admin"));
        command
            .current_dir(self.dir.path())
            .env_clear()
            .env("HOME", self.dir.path())
            .args(args);
        command.output().context("running cim-admin")
    }

    /// Runs the program at the desk against these nodes.
    pub fn run(&self, nodes: &Nodes, args: &[&str]) -> Result<Output> {
        self.run_at(&nodes.url(), args)
    }

    pub fn run_at(&self, url: &str, args: &[&str]) -> Result<Output> {
        self.cim_admin(&[args, &["--server", url, "--creds", "desk.creds"]].concat())
    }

    /// Runs it with success; gives what it says.
    pub fn does(&self, nodes: &Nodes, args: &[&str]) -> Result<String> {
        let output = self.run(nodes, args)?;
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8(said)?;
        ensure!(output.status.success(), "{args:?}: {said}");
        Ok(said)
    }

    /// Runs it without success; gives what it says.
    pub fn fails(&self, nodes: &Nodes, args: &[&str]) -> Result<String> {
        let output = self.run(nodes, args)?;
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8(said)?;
        ensure!(output.status.code() == Some(1), "{args:?}: {said}");
        Ok(said)
    }

    /// Pushes everything with consent; gives the report.
    pub fn push(&self, nodes: &Nodes) -> Result<Value> {
        let mut args = vec!["accounts", "push", "--yes", "--json"];
        let names: Vec<String> = (1..=nodes.servers.len())
            .map(|n| format!("hub-{n}"))
            .collect();
        names.iter().for_each(|name| args.extend(["--node", name]));
        let said = self.does(nodes, &args)?;
        Ok(serde_json::from_str(&said)?)
    }
}
