//! Every file in `tests/online/` is a command against a running hub that it must refuse, and what it
//! must say; nothing may change, at the desk or there.
//!
//! `REFUSALS=write` takes over what is said now: read the diff.

use std::collections::BTreeMap;
use std::path::Path;
use std::{env, fs};

use anyhow::{Context, Result, ensure};
use cim_check::Server;
use cim_creds::body::permissions::UserPermissionLimits;
use cim_testkit::nats_server;
use regex::Regex;

use crate::estate::Estate;
use crate::hubs::Nodes;

/// Hubs of several kinds, and a desk with folders that are wrong in some way.
struct World {
    estate: Estate,
    hub: Nodes,
    memory: Nodes,
    fixed: Server,
}

impl World {
    fn new() -> Result<Self> {
        let mut estate = Estate::new()?;
        estate.role("APP", "user/one", allow(&["a.>", "b.>"]))?;
        estate.role("SYS", "poor", allow(&["$SYS.REQ.SERVER.PING"]))?;
        estate.add("OLD")?;
        let app = estate.user("APP", "user/one", "users/APP/one.jwt")?;
        estate.put("app.creds", &app)?;
        let poor = estate.user("SYS", "poor", "users/SYS/poor.jwt")?;
        estate.put("poor.creds", &poor)?;
        let hub = estate.start(1)?;
        estate.push(&hub)?;
        estate.seal()?;
        estate.put(
            "theirs.txt",
            &cim_admin::sops::Identities::generate().text(),
        )?;
        estate.put(
            "empty/.sops.yaml",
            &fs::read_to_string(estate.path("secrets/.sops.yaml"))?,
        )?;
        fs::remove_file(estate.path("identity/accounts/OLD.jwt"))?;
        estate.copy("stale")?;
        estate.role("APP", "user/one", allow(&["a.>"]))?;
        estate.copy("narrowed")?;
        estate.role("APP", "user/one", allow(&["a.>", "b.>"]))?;
        let text = fs::read_to_string(estate.path("identity/accounts/APP.jwt"))?;
        estate.copy("tampered")?;
        let at = text.len() - 20;
        let letter = if &text[at..=at] == "A" { "B" } else { "A" };
        let mut changed = text.clone();
        changed.replace_range(at..=at, letter);
        estate.put("tampered/accounts/APP.jwt", &changed)?;
        estate.put("tampered/users/APP/one.jwt", &text[..text.len() / 2])?;
        // Issued later, pushed by someone else; what stands in `stale` is older.
        estate.later = 60;
        estate.change("APP", |app| app.description = "theirs".to_owned())?;
        estate.push(&hub)?;
        estate.later = 0;
        let other = Estate::new()?;
        estate.take("foreign", &other.path("identity"))?;
        estate.copy("mixed")?;
        let foreign = fs::read_to_string(other.path("identity/accounts/APP.jwt"))?;
        estate.put("mixed/accounts/FOREIGN.jwt", &foreign)?;
        estate.later = 120;
        estate.change("APP", |app| {
            app.description = "x".repeat(300_000);
        })?;
        estate.copy("large")?;
        estate.signing = cim_creds::KeyPair::new_operator();
        estate.operator()?;
        estate.change("APP", |app| app.description = String::new())?;
        estate.write("SYS")?;
        estate.copy("unknown-key")?;
        fs::remove_dir_all(estate.path("identity"))?;
        let memory = Nodes::in_memory(&estate.path("stale"))?;
        let folder = estate.path("fixed");
        fs::create_dir_all(&folder)?;
        let conf = format!(
            "listen: \"127.0.0.1:-1\"\nserver_name: fixed\nports_file_dir: \"{}\"\n",
            folder.display()
        );
        fs::write(folder.join("nats.conf"), conf)?;
        let fixed = Server::start(&nats_server()?, &folder.join("nats.conf"))?;
        Ok(Self {
            estate,
            hub,
            memory,
            fixed,
        })
    }

    fn places(&self) -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            ("HUB", self.hub.url()),
            ("MEMORY", self.memory.url()),
            ("FIXED", self.fixed.url().to_owned()),
            // Nothing listens on it, and nothing will: it is the discard port.
            ("NOWHERE", "nats://127.0.0.1:9".to_owned()),
        ])
    }

    /// What the hub keeps.
    fn kept(&self) -> Result<BTreeMap<String, String>> {
        let mut kept = BTreeMap::new();
        for entry in fs::read_dir(self.hub.folder(0).join("jwt"))? {
            let path = entry?.path();
            kept.insert(path.display().to_string(), fs::read_to_string(&path)?);
        }
        Ok(kept)
    }
}

/// Leave to publish these alone.
fn allow(subjects: &[&str]) -> impl FnOnce(&mut UserPermissionLimits) + use<> {
    let subjects = subjects.iter().map(ToString::to_string).collect();
    move |template| template.permissions.publish.allow = subjects
}

#[test]
fn each_mistake_has_its_message_and_changes_nothing_anywhere() -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/online");
    let mut cases = Vec::new();
    for entry in fs::read_dir(&folder)? {
        cases.push(entry?.path());
    }
    cases.sort();
    ensure!(cases.len() >= 15, "only {} cases", cases.len());
    let world = World::new()?;
    let places = world.places();
    let write = env::var_os("REFUSALS").is_some_and(|value| value == "write");
    let seed = Regex::new(r"\bS[UAO][A-Z2-7]{56}\b")?;
    let mut wrong = Vec::new();
    for case in &cases {
        let text = fs::read_to_string(case)?;
        let (command, wanted) = text.split_once('\n').unwrap_or((&text, ""));
        let rest = command.strip_prefix("$ cim-admin ").context("a command")?;
        let args: Vec<&str> = rest
            .split(' ')
            .map(|word| places.get(word).map_or(word, String::as_str))
            .collect();
        let before = (world.estate.disk()?, world.kept()?);
        let output = world.estate.cim_admin(&args)?;
        ensure!(
            before == (world.estate.disk()?, world.kept()?),
            "{command}: changed something"
        );
        ensure!(output.status.code() == Some(1), "{command}: {output:?}");
        let said = String::from_utf8([output.stderr, output.stdout].concat())?;
        ensure!(!seed.is_match(&said), "{command}: shows a seed");
        let said = shown(&said, &places)?;
        if write {
            fs::write(case, format!("{command}\n{said}"))?;
        } else if said != wanted {
            wrong.push(format!("{command}\nwanted: {wanted}said:   {said}"));
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// What differs from run to run.
fn shown(said: &str, places: &BTreeMap<&str, String>) -> Result<String> {
    let mut said = said.to_owned();
    for (name, url) in places {
        said = said.replace(url, name);
    }
    let said = Regex::new(r"\b([OAU])[A-Z2-7]{55}\b")?.replace_all(&said, "$1…");
    let said = Regex::new("age1[a-z0-9]{58}")?.replace_all(&said, "age1…");
    let said = Regex::new(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")?.replace_all(&said, "DATE");
    let said = Regex::new(r"\d{6} bytes, of")?.replace_all(&said, "N bytes, of");
    Ok(said.into_owned())
}
