//! `cim-admin import nsc`: a store laid out as nsc lays it out, made at run time.

mod store;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use cim_creds::{Account, Creds, User, decode};
use regex::Regex;
use serde_json::{Value, json};

use self::store::store;
use crate::fleet::{Fleet, changed};

/// What the store's JWTs say, by hand.
const FLEET: &str = r#"# What nsc's store said, as the fleet's value; hubs and leaves, which nsc does not know, are yours to add.
{
  identity = ./identity;
  operator = { };
  systemAccount = "SYS";
  # None of nsc's users expired.
  lifetimes.user = null;
  accounts."APP" = {
    limits.maxConnections = 100;
    limits.maxPayload = "65536";
    jetstream.maxMemory = "0";
    jetstream.maxFile = "1073741824";
    jetstream.maxStreams = 5;
    exports = [
      { stream = "events.>"; accounts = [ "SHOP" ]; }
      { service = "orders.get"; responseType = "stream"; threshold = "5s"; }
    ];
    defaultPermissions = {
      publish.allow = [ "devices.{{name()}}.>" ];
      subscribe.allow = [ "_INBOX.>" ];
    };
    users."admin" = {
      permissions = {
        publish.deny = [ "secret.>" ];
        allowResponses = { max = 3; expires = "1500ms"; };
      };
    };
    users."gate" = {
      permissions = {
        publish.allow = [ "gate.>" ];
      };
      allowedConnectionTypes = [ "WEBSOCKET" ];
    };
    users."sensor-1" = { };
    users."sensor-2" = { };
  };
  accounts."SHOP" = {
    jetstream.enable = false;
    imports = [
      { stream = { account = "APP"; subject = "events.>"; }; to = "app.events.>"; }
    ];
    mappings."orders.*" = [ { destination = "orders.v2.$1"; weight = 100; } ];
  };
  accounts."SYS" = {
    users."sys" = { };
  };
}
"#;

const IMPORT: [&str; 8] = [
    "import", "nsc", "--store", "stores", "--nkeys", "nkeys", "--keys", "keys.txt",
];

fn import(fleet: &Fleet, more: &[&str]) -> Result<Value> {
    let output = fleet.run(&[&IMPORT[..], &["--json"], more].concat())?;
    let said = String::from_utf8([output.stdout, output.stderr].concat())?;
    ensure!(output.status.success(), "{said}");
    serde_json::from_str(&said).context(said)
}

/// A seed of whatever kind.
pub const SEED: &str = r"\bS[A-Z][A-Z2-7]{56}\b";

fn refused(fleet: &Fleet) -> Result<String> {
    let before = fleet.files()?;
    let output = fleet.run(&IMPORT)?;
    ensure!(output.status.code() == Some(1), "{output:?}");
    ensure!(changed(&before, &fleet.files()?).is_empty());
    let said = String::from_utf8(output.stderr)?;
    // Two letters alone stand in many a public key.
    ensure!(!Regex::new(SEED)?.is_match(&said), "{said}");
    Ok(said)
}

#[test]
fn a_store_goes_on_with_its_keys_and_says_the_same_in_nix() -> Result<()> {
    let mut fleet = Fleet::new()?;
    fleet.keys()?;
    let kept = store(&fleet)?;
    let dry = import(&fleet, &["--dry-run"])?;
    ensure!(fleet.files()?.is_empty());
    let report = import(&fleet, &["--fleet-out", "fleet.nix"])?;
    ensure!(dry["fleet"] == report["fleet"]);
    ensure!(
        fleet.read("fleet.nix")? == FLEET,
        "{}",
        fleet.read("fleet.nix")?
    );
    ensure!(report["missing"] == json!([]), "{report:#}");
    ensure!(
        report["leftOut"] == json!(["user APP/admin: addresses that it may come from"]),
        "{report:#}"
    );
    for (from, to) in [
        ("stores/ACME/ACME.jwt", "identity/operator.jwt"),
        (
            "stores/ACME/accounts/APP/APP.jwt",
            "identity/accounts/APP.jwt",
        ),
        (
            "stores/ACME/accounts/APP/users/admin.jwt",
            "identity/users/APP/admin.jwt",
        ),
    ] {
        ensure!(fleet.read(from)?.trim() == fleet.read(to)?.trim(), "{to}");
    }
    let keys: Value = serde_json::from_str(&fleet.read("identity/keys.json")?)?;
    let creds = fleet.opened("users/APP/gate.creds")?;
    let cim_admin::sops::Plain::Bytes(creds) = creds else {
        anyhow::bail!("creds are one secret")
    };
    ensure!(Creds::parse(&creds)?.jwt() == kept[0].1);
    // What the operator writes next, with that value: the same accounts and users.
    fleet.plan = plan(&fleet)?;
    let made = fleet.make(&[])?;
    let after: Value = serde_json::from_str(&fleet.read("identity/keys.json")?)?;
    ensure!(after["operator"] == keys["operator"]);
    for account in ["SYS", "APP", "SHOP"] {
        ensure!(after["accounts"][account]["nkey"] == keys["accounts"][account]["nkey"]);
    }
    ensure!(after["users"] == keys["users"], "{made:#}");
    for (name, jwt) in &kept {
        let now = fleet.read(&format!("identity/users/APP/{name}.jwt"))?;
        ensure!(now.trim() == jwt, "{name} was issued anew: {made:#}");
    }
    let app = fleet.read("identity/accounts/APP.jwt")?;
    let app = decode::<Account>(app.trim())?.claims.nats;
    ensure!((app.limits.conn, app.limits.jetstream.streams) == (100, 5));
    let said = refused(&fleet)?;
    ensure!(
        said.contains("identity/operator.jwt is there: an identity is never replaced"),
        "{said}"
    );
    Ok(())
}

#[test]
fn a_damaged_store_is_refused_and_missing_seeds_are_named() -> Result<()> {
    let fleet = Fleet::new()?;
    fleet.keys()?;
    store(&fleet)?;
    let account = fleet.path("stores/ACME/accounts/SHOP/SHOP.jwt");
    let text = fs::read_to_string(&account)?;
    fs::write(&account, &text[..text.len() - 30])?;
    let said = refused(&fleet)?;
    ensure!(
        said.contains("stores/ACME/accounts/SHOP/SHOP.jwt"),
        "{said}"
    );
    fs::write(&account, &text)?;

    let copy = |from: &Path, to: &Path| {
        fs::create_dir_all(to).and_then(|()| fs::copy(from.join(".nsc"), to.join(".nsc")))
    };
    copy(&fleet.path("stores/ACME"), &fleet.path("stores/OTHER"))?;
    let said = refused(&fleet)?;
    ensure!(
        said.contains("more than one operator") && said.contains("--store stores/OTHER"),
        "{said}"
    );
    fs::remove_dir_all(fleet.path("stores/OTHER"))?;

    let users = fleet.path("stores/ACME/accounts/APP/users");
    fs::rename(users.join("gate.jwt"), users.join("my gate.jwt"))?;
    let said = refused(&fleet)?;
    ensure!(
        said.contains("user \"my gate\" cannot be called so here"),
        "{said}"
    );
    fs::rename(users.join("my gate.jwt"), users.join("gate.jwt"))?;

    let seed = |public: &str| {
        fleet.path(&format!(
            "nkeys/keys/{}/{}/{public}.nk",
            &public[..1],
            &public[1..3]
        ))
    };
    let sub = |place: &str| -> Result<String> {
        let jwt = fleet.read(place)?;
        Ok(decode::<User>(jwt.trim())?.claims.data.sub)
    };
    let (gate, admin) = (
        sub("stores/ACME/accounts/APP/users/gate.jwt")?,
        sub("stores/ACME/accounts/APP/users/admin.jwt")?,
    );
    fs::copy(seed(&gate), seed(&admin))?;
    let said = refused(&fleet)?;
    ensure!(
        said.contains(&format!("it is the seed of {gate}")),
        "{said}"
    );
    // The creds still have it.
    fs::remove_file(seed(&admin))?;
    fs::remove_file(seed(&gate))?;
    fs::remove_file(fleet.path("nkeys/creds/ACME/APP/gate.creds"))?;
    fs::remove_dir_all(fleet.path("nkeys/keys/O"))?;
    let report = import(&fleet, &[])?;
    let missing = report["missing"].to_string();
    ensure!(
        missing.contains("the operator's own seed")
            && missing.contains("the seed of user APP/gate"),
        "{missing}"
    );
    ensure!(!missing.contains("admin"), "{missing}");
    Ok(())
}

/// The plan of a fleet with the value above and the hub of other tests.
fn plan(fleet: &Fleet) -> Result<Value> {
    let mut plan = fleet.plan.clone();
    plan["fleet"]["leaves"] = json!({});
    plan["fleet"]["lifetimes"]["user"] = Value::Null;
    let blank = plan["fleet"]["accounts"]["SYS"].clone();
    let user = |permissions: Value, fields: Value| json!({ "nkey": null, "passwordHash": null, "certificate": null, "permissions": permissions, "fields": fields });
    let (mut sys, mut app, mut shop) = (blank.clone(), blank.clone(), blank);
    sys["users"]["sys"] = user(Value::Null, json!({}));
    let rules = |allow: &[&str], deny: &[&str]| json!({ "allow": allow, "deny": deny });
    app["jetstream"] = json!({ "enable": true, "maxMemory": "0", "maxFile": "1073741824" });
    app["fields"] = json!({ "limits.maxConnections": 100, "limits.maxPayload": "65536", "jetstream.maxStreams": 5 });
    app["defaultPermissions"] = json!({
        "publish": rules(&["devices.{{name()}}.>"], &[]), "subscribe": rules(&["_INBOX.>"], &[]), "allowResponses": null,
    });
    app["users"]["sensor-1"] = user(Value::Null, json!({}));
    app["users"]["sensor-2"] = user(Value::Null, json!({}));
    app["users"]["gate"] = user(
        json!({ "publish": rules(&["gate.>"], &[]), "subscribe": rules(&[">"], &[]), "allowResponses": null }),
        json!({ "allowedConnectionTypes": ["WEBSOCKET"] }),
    );
    app["users"]["admin"] = user(
        json!({
            "publish": rules(&[">"], &["secret.>"]), "subscribe": rules(&[">"], &[]),
            "allowResponses": { "max": 3, "expires": "1500ms" },
        }),
        json!({}),
    );
    shop["mappings"]["orders.*"] =
        json!([{ "destination": "orders.v2.$1", "weight": 100, "cluster": null }]);
    plan["fleet"]["accounts"] = json!({ "SYS": sys, "APP": app, "SHOP": shop });
    plan["hosts"] = json!({});
    Ok(plan)
}
