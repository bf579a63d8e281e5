//! Identities of a fleet that are wrong in some way, beside a desk's other files; each in a folder of its own.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use anyhow::{Context, Result};
use cim_admin::sops::{Folder, Plain, Tree};
use cim_creds::KeyPair;
use serde_json::{Value, json};

use crate::desk::Desk;
use crate::fleet::{Files, Fleet, walk};
use crate::server::{days, now};

/// Puts them all at the desk: `fleet/` is whole, and has the plan and the operator's key of most others.
pub fn at(desk: &Desk) -> Result<()> {
    let whole = Fleet::new()?;
    whole.make_at(now())?;
    copy(&whole, desk, "fleet")?;
    plans(&whole, desk)?;
    secrets(&whole, desk)?;
    public(&whole, desk)?;
    times(&whole, desk)?;
    rotating(&whole, desk)?;
    let other = Fleet::new()?;
    other.make_at(now())?;
    copy(&whole, desk, "another-operator")?;
    fs::copy(
        other.path("identity/operator.jwt"),
        desk.path("another-operator/identity/operator.jwt"),
    )?;
    let statics = Fleet::of_static_accounts()?;
    statics.make_at(now())?;
    copy(&statics, desk, "static")?;
    desk.put("static/identity/keys.json", b"{\"leaves\": [")
}

/// Both folders, the plan and the operator's key.
fn copy(fleet: &Fleet, desk: &Desk, name: &str) -> Result<()> {
    for (file, bytes) in fleet.files()? {
        desk.put(&format!("{name}/{file}"), &bytes)?;
    }
    desk.put(
        &format!("{name}/plan.json"),
        &serde_json::to_vec(&fleet.plan)?,
    )?;
    let keys = fs::read(fleet.path("keys.txt"))?;
    desk.put(&format!("{name}/keys.txt"), &keys)
}

fn plans(fleet: &Fleet, desk: &Desk) -> Result<()> {
    let plan = |name: &str, change: &dyn Fn(&mut Value)| {
        let mut plan = fleet.plan.clone();
        change(&mut plan);
        desk.put(&format!("plans/{name}.json"), &serde_json::to_vec(&plan)?)
    };
    plan("host-without-key", &|plan| {
        plan["hosts"]["plant-a"]["hostKey"] = Value::Null
    })?;
    plan("host-key-rsa", &|plan| {
        plan["hosts"]["plant-a"]["hostKey"] = "ssh-rsa AAAA".into()
    })?;
    plan("user-with-slash", &|plan| {
        let users = &mut plan["fleet"]["accounts"]["CIM"]["users"];
        users["../smith"] = users["smith"].clone();
    })?;
    plan("user-with-newline", &|plan| {
        let users = &mut plan["fleet"]["accounts"]["CIM"]["users"];
        users["line\nend"] = users["smith"].clone();
    })?;
    plan("leaf-with-newline", &|plan| {
        let leaves = &mut plan["fleet"]["leaves"];
        leaves["line\nend"] = leaves["plant-a"].clone();
    })?;
    plan("account-with-slash", &|plan| {
        let accounts = &mut plan["fleet"]["accounts"];
        accounts["../CIM"] = accounts["CIM"].clone();
    })?;
    plan("host-with-slash", &|plan| {
        plan["hosts"]["a/b"] = plan["hosts"]["plant-a"].clone();
        plan["hosts"]["plant-a"]["secrets"]["cim\nx"] = json!({ "kind": "storeKey" });
    })?;
    plan("certificate-elsewhere", &|plan| {
        plan["hosts"]["plant-a"]["secrets"]["cim-plant-a.key"]["certificate"] = "../cim.pem".into();
    })?;
    plan("server-without-names", &|plan| {
        plan["hosts"]["hub-1"]["secrets"]["cim-hub-1.key"]["names"] = json!([]);
    })?;
    plan("unknown-field", &|plan| plan["fleet"]["leafs"] = json!({}))?;
    plan("unknown-kind", &|plan| {
        plan["hosts"]["hub-1"]["secrets"]["cim-hub-1.key"] = json!({ "kind": "password" });
    })?;
    plan("leaf-of-nobody", &|plan| {
        plan["hosts"]["plant-a"]["secrets"]["cim-plant-a.creds"]["leaf"] = "plant-z".into();
    })?;
    plan("short-lifetime", &|plan| {
        plan["fleet"]["lifetimes"]["user"] = "7d".into()
    })?;
    let text = serde_json::to_string(&fleet.plan)?;
    desk.put("plans/cut.json", &text.as_bytes()[..text.len() / 2])?;
    desk.put("plans/list.json", b"[]")
}

fn secrets(fleet: &Fleet, desk: &Desk) -> Result<()> {
    let sealed = |name: &str, file: &str, change: &dyn Fn(&mut Tree) -> Result<()>| {
        copy(fleet, desk, name)?;
        let Plain::Tree(mut tree) = fleet.opened(file)? else {
            anyhow::bail!("{file} is one secret");
        };
        change(&mut tree)?;
        let folder = Folder::open(&fleet.path("secrets"))?;
        let text = folder.seal(file, &Plain::Tree(tree), now())?;
        desk.put(&format!("{name}/secrets/{file}"), text.as_bytes())
    };
    let seed = |pair: KeyPair| pair.seed().context("a seed");
    sealed("seed-of-a-user", "operator.yaml", &|tree| {
        tree.set("operator.nk", Tree::text(seed(KeyPair::new_user())?))
    })?;
    sealed("seed-cut", "operator.yaml", &|tree| {
        let whole = seed(KeyPair::new_account())?;
        tree.set("account.CIM.nk", Tree::text(&whole[..40]))
    })?;
    sealed("seed-of-another", "operator.yaml", &|tree| {
        tree.set("account.CIM.nk", Tree::text(seed(KeyPair::new_account())?))
    })?;
    sealed("ca-key-missing", "operator.yaml", &|tree| {
        tree.take("ca.intermediate.key")
            .context("a key")
            .map(|_| ())
    })?;
    sealed("creds-of-nobody", "plant-a.yaml", &|tree| {
        tree.set(
            "cim-plant-a.creds",
            Tree::text("-----BEGIN NATS USER JWT-----\n"),
        )
    })?;
    sealed("key-of-nothing", "hub-1.yaml", &|tree| {
        tree.set("cim-hub-1.key", Tree::text("no key"))
    })?;
    let file = |name: &str| desk.path(name).join("secrets/hub-1.yaml");
    copy(fleet, desk, "half")?;
    let text = fleet.read("secrets/hub-1.yaml")?;
    fs::write(
        file("half"),
        &text.as_bytes()[..text.find("\"enc\"").context("a data key")? + 100],
    )?;
    copy(fleet, desk, "tampered")?;
    fs::write(file("tampered"), text.replacen("data:", "data:AAAA", 1))?;
    for (name, gone) in [
        ("no-operator", "secrets/operator.yaml"),
        ("no-host", "secrets/hub-1.yaml"),
        ("no-leaf", "secrets/plant-a.yaml"),
        ("no-creds", "secrets/users/CIM/smith.creds"),
        ("no-account", "identity/accounts/CIM.jwt"),
        ("no-ca", "identity/ca.pem"),
    ] {
        copy(fleet, desk, name)?;
        fs::remove_file(desk.path(name).join(gone))?;
    }
    // Whoever runs the tests may read every file, but not even root a link to itself.
    copy(fleet, desk, "unreadable")?;
    fs::remove_file(file("unreadable"))?;
    symlink("hub-1.yaml", file("unreadable"))?;
    for (name, place) in [
        ("host-is-a-folder", "hub-1.yaml"),
        ("operator-is-a-folder", "operator.yaml"),
        ("creds-are-a-folder", "users/CIM/smith.creds"),
    ] {
        copy(fleet, desk, name)?;
        let place = desk.path(name).join("secrets").join(place);
        fs::remove_file(&place)?;
        fs::create_dir(place)?;
    }
    copy(fleet, desk, "by-hand")?;
    let rules = fleet.read("secrets/.sops.yaml")?;
    let operator = fleet.keys()?.recipients().remove(0);
    let rules = format!(
        "{}  - age: {operator}\n",
        &rules[rules.find("creation_rules").context("rules")?..]
    );
    let hub = rules.find("  - path_regex: '^hub-1").context("a rule")?;
    let leaf = rules.find("  - path_regex: '^plant-a").context("a rule")?;
    desk.put(
        "by-hand/secrets/.sops.yaml",
        format!("{}{}", &rules[..hub], &rules[leaf..]).as_bytes(),
    )
}

fn public(fleet: &Fleet, desk: &Desk) -> Result<()> {
    let text = |name: &str, file: &str, change: &dyn Fn(&str) -> String| {
        copy(fleet, desk, name)?;
        let file = format!("identity/{file}");
        desk.put(
            &format!("{name}/{file}"),
            change(&fleet.read(&file)?).as_bytes(),
        )
    };
    let cut = |text: &str| text[..text.len() / 2].to_owned();
    text("jwt-cut", "users/CIM/smith.jwt", &cut)?;
    text("certificate-cut", "certificates/cim-hub-1.pem", &cut)?;
    text("jwt-changed", "accounts/CIM.jwt", &|jwt| {
        let (signed, signature) = jwt.rsplit_once('.').unwrap();
        let other = if signature.starts_with('A') { 'B' } else { 'A' };
        format!("{signed}.{other}{}", &signature[1..])
    })?;
    let other = fleet.read("identity/users/CIM/alchemist.jwt")?;
    text("jwt-of-another", "users/CIM/smith.jwt", &|_| other.clone())
}

fn times(fleet: &Fleet, desk: &Desk) -> Result<()> {
    let made = |name: &str, at| {
        let other = Fleet {
            dir: tempfile::tempdir()?,
            plan: fleet.plan.clone(),
        };
        other.make_at(at)?;
        copy(&other, desk, name)
    };
    made("old", now() - days(3700))?;
    made("future", now() + days(30))?;
    copy(fleet, desk, "certificate-of-the-future")?;
    fs::copy(
        desk.path("future/identity/certificates/cim-hub-1.pem"),
        desk.path("certificate-of-the-future/identity/certificates/cim-hub-1.pem"),
    )?;
    Ok(())
}

/// Rotations under way, of each kind that has an end.
fn rotating(fleet: &Fleet, desk: &Desk) -> Result<()> {
    copy(fleet, desk, "rotating")?;
    for what in [
        "operator-signing",
        "account-signing CIM default",
        "user CIM smith",
        "leaf plant-b",
        "ca-root",
        "ca",
    ] {
        let command = format!("rotate {what} {}", folders("rotating"));
        desk.does(&command.split(' ').collect::<Vec<_>>())?;
    }
    Ok(())
}

/// The arguments that name one of them.
fn folders(name: &str) -> String {
    format!(
        "--plan {name}/plan.json --identity {name}/identity --secrets {name}/secrets --keys {name}/keys.txt"
    )
}

/// Parts of every secret of those fleets, opened.
pub fn planted(desk: &Desk) -> Result<Vec<String>> {
    let mut files = Files::new();
    walk(&desk.path(""), "", &mut files)?;
    let keys = files
        .iter()
        .filter(|(name, _)| Path::new(name).ends_with("keys.txt"));
    Ok(keys
        .map(|(_, bytes)| String::from_utf8_lossy(bytes).trim()[18..40].to_owned())
        .collect())
}
