//! `cim-admin contexts`: contexts of the NATS CLI, so that `nats --context CIM-alchemist …` just works.
//!
//! Upstream: nats-io/jsm.go `natscontext/context.go`. A context names a creds file; the CLI reads it.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use cim_creds::Creds;
use serde_json::{Value, json};

use super::reach::OPERATORS;
use super::store::Store;
use super::{Desk, Report};
use crate::files::{self, Batch, Mode};
use crate::push::Committed;
use crate::sops::Plain;

/// How a context that we made says so, as the start of its description.
const OURS: &str = "made by cim-admin";

#[derive(Debug, clap::Args)]
pub struct Contexts {
    /// The folder of public keys, JWTs and certificates
    #[arg(long, value_name = "DIR", default_value = "identity")]
    identity: PathBuf,
    /// A node of the hub, such as tls://hub-1.example.com:4222; may be given again
    #[arg(
        long = "server",
        value_name = "URL",
        required = true,
        value_delimiter = ','
    )]
    servers: Vec<String>,
    /// Only this user, as ACCOUNT/NAME, or `desk`; may be given again. Otherwise all whose creds your keys open
    #[arg(long = "user", value_name = "NAME")]
    users: Vec<String>,
    /// Where creds are written, readable, 0600: a folder outside the repository
    #[arg(long, value_name = "DIR")]
    creds: PathBuf,
    /// Replaces contexts of these names that cim-admin did not make
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    store: Store,
    /// Says what it would write, and writes nothing
    #[arg(long)]
    dry_run: bool,
}

/// A user, and where its creds are sealed.
struct Wanted {
    /// The context's name.
    name: String,
    /// The sealed file, and the entry in it if it has names.
    file: String,
    entry: Option<&'static str>,
    /// For people.
    title: String,
}

impl Contexts {
    pub fn run(&self, desk: &Desk) -> Result<Report> {
        self.check()?;
        let committed = Committed::read(&self.identity)?;
        let wanted = self.wanted(&committed)?;
        let folder = folder()?;
        let trusted = self.identity.join("ca.pem");
        let ca = match files::exists(&trusted)? {
            true => absolute(&trusted)?,
            false => String::new(),
        };
        let sealed = self.store.folder()?;
        let keys = self.store.identities(desk)?;
        let mut batch = Batch::default();
        let mut made = Vec::new();
        for wanted in &wanted {
            let found = sealed.read(&wanted.file, &keys)?;
            let found = found.with_context(|| {
                let place = self.store.path().join(&wanted.file);
                format!(
                    "there are no creds of {}: {} is missing; `cim-admin identity make` makes it",
                    wanted.title,
                    place.display()
                )
            })?;
            let place = self.creds.join(format!("{}.creds", wanted.name));
            let bytes = creds(&found, wanted, &self.store.path().join(&wanted.file))?;
            batch.put(&place, &bytes, Mode::Secret)?;
            let context = folder.join(format!("{}.json", wanted.name));
            self.may_replace(&context)?;
            let text = format!("{:#}\n", self.context(wanted, &absolute(&place)?, &ca));
            batch.put(&context, text.as_bytes(), Mode::Secret)?;
            made.push((wanted.name.clone(), context, place));
        }
        if !self.dry_run {
            batch.commit()?;
        }
        Ok(self.report(&made))
    }

    fn check(&self) -> Result<()> {
        let open = self.servers.iter().any(|server| server.contains('@'));
        ensure!(
            !open,
            "a server's URL holds no user or password: the context names a creds file"
        );
        self.store.must_be_outside(&self.creds.join("desk.creds"))?;
        let inside = repository(&self.creds);
        ensure!(
            inside.is_none(),
            "{} is in the repository {}: creds are readable there for whoever has a clone; name a folder elsewhere",
            self.creds.display(),
            inside
                .map(|path| path.display().to_string())
                .unwrap_or_default()
        );
        Ok(())
    }

    fn wanted(&self, committed: &Committed) -> Result<Vec<Wanted>> {
        let mut all = vec![Wanted {
            name: "desk".to_owned(),
            file: OPERATORS.to_owned(),
            entry: Some("desk.creds"),
            title: "the desk".to_owned(),
        }];
        let users = committed.holders.iter().filter_map(|holder| {
            let (account, user) = holder.title.strip_prefix("user ")?.split_once('/')?;
            Some(Wanted {
                name: format!("{account}-{user}"),
                file: format!("users/{account}/{user}.creds"),
                entry: None,
                title: format!("{account}/{user}"),
            })
        });
        all.extend(users);
        if self.users.is_empty() {
            return Ok(all);
        }
        let known = |name: &str| {
            let named = |wanted: &Wanted| wanted.name == name || wanted.title == name;
            all.iter().any(named)
        };
        if let Some(name) = self.users.iter().find(|name| !known(name)) {
            let names: Vec<&str> = all.iter().skip(1).map(|w| w.title.as_str()).collect();
            bail!(
                "there is no user {name:?}: write desk, or one of: {}",
                names.join(", ")
            );
        }
        all.retain(|wanted| {
            self.users
                .iter()
                .any(|name| *name == wanted.name || *name == wanted.title)
        });
        Ok(all)
    }

    fn context(&self, wanted: &Wanted, creds: &str, ca: &str) -> Value {
        json!({
            "description": format!("{OURS} for {}", wanted.title),
            "url": self.servers.join(","),
            "creds": creds,
            "ca": ca,
        })
    }

    /// One that someone else wrote stays, unless it may go.
    fn may_replace(&self, place: &Path) -> Result<()> {
        if self.replace || !files::exists(place)? {
            return Ok(());
        }
        let text = files::read(place)?;
        let context: Option<Value> = serde_json::from_slice(&text).ok();
        let description = context.as_ref().and_then(|c| c["description"].as_str());
        ensure!(
            description.is_some_and(|text| text.starts_with(OURS)),
            "{} is not of cim-admin's making: --replace replaces it",
            place.display()
        );
        Ok(())
    }

    fn report(&self, made: &[(String, PathBuf, PathBuf)]) -> Report {
        let did = if self.dry_run { "would write" } else { "wrote" };
        let mut lines = Vec::new();
        for (name, context, creds) in made {
            lines.push(format!(
                "{did} {} and {}",
                context.display(),
                creds.display()
            ));
            if made.len() == 1 {
                lines.push(format!("use it: nats --context {name} …"));
            }
        }
        lines.push(format!(
            "the creds in {} are readable: whoever has them is these users; remove them when you are done",
            self.creds.display()
        ));
        let each = made.iter().map(
            |(name, context, creds)| json!({ "name": name, "context": context, "creds": creds }),
        );
        let contexts: Vec<Value> = each.collect();
        Report::new(
            lines,
            json!({ "dryRun": self.dry_run, "contexts": contexts }),
        )
    }
}

/// The creds of a sealed file, which are whole.
fn creds(found: &Plain, wanted: &Wanted, place: &Path) -> Result<zeroize::Zeroizing<Vec<u8>>> {
    let bytes = match (found, wanted.entry) {
        (Plain::Bytes(bytes), None) => bytes.clone(),
        (Plain::Tree(tree), Some(entry)) => {
            let text = tree.get(entry).and_then(|value| value.as_text());
            let text = text.with_context(|| format!("{} has no {entry}", place.display()))?;
            zeroize::Zeroizing::new(text.as_bytes().to_vec())
        }
        _ => bail!("{} does not hold creds", place.display()),
    };
    Creds::parse(&bytes).with_context(|| format!("reading {}", place.display()))?;
    Ok(bytes)
}

/// Where the NATS CLI has its contexts.
fn folder() -> Result<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty());
    let config = set("XDG_CONFIG_HOME").map(PathBuf::from);
    let config = config.or_else(|| set("HOME").map(|home| PathBuf::from(home).join(".config")));
    let config = config.context("there is no place for contexts: set HOME")?;
    Ok(config.join("nats/context"))
}

/// The repository that a folder would be in.
fn repository(folder: &Path) -> Option<PathBuf> {
    let here = absolute(folder).ok()?;
    let above = Path::new(&here).ancestors();
    above
        .filter_map(|path| path.canonicalize().ok())
        .flat_map(|path| path.ancestors().map(Path::to_owned).collect::<Vec<_>>())
        .find(|path| path.join(".git").exists())
}

fn absolute(path: &Path) -> Result<String> {
    let path = std::path::absolute(path).with_context(|| format!("finding {}", path.display()))?;
    let text = path.to_str().map(str::to_owned);
    text.with_context(|| format!("{} has other bytes than text in its name", path.display()))
}
