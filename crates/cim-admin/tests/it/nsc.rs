//! `cim-admin import nsc`: a store laid out as nsc lays it out, made at run time.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use cim_creds::body::limits::JetStreamLimits;
use cim_creds::body::permissions::UserPermissionLimits;
use cim_creds::body::share::{Export, ExportType, Import};
use cim_creds::body::signing_keys::UserScope;
use cim_creds::{Account, Claims, Creds, KeyPair, Operator, User, decode};
use regex::Regex;
use serde_json::{Value, json};

use crate::fleet::{Fleet, changed};
use crate::server::now;

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

/// nsc's two folders.
struct Nsc<'a> {
    fleet: &'a Fleet,
    operator: KeyPair,
}

impl Nsc<'_> {
    fn put(&self, name: &str, text: &str) -> Result<()> {
        let place = self.fleet.path(name);
        fs::create_dir_all(place.parent().context("a folder")?)?;
        Ok(fs::write(place, text)?)
    }

    fn seed(&self, key: &KeyPair) -> Result<()> {
        let public = key.public_key();
        let place = format!("nkeys/keys/{}/{}/{public}.nk", &public[..1], &public[1..3]);
        self.put(&place, &key.seed()?)
    }

    fn account(&self, name: &str, key: &KeyPair, nats: Account) -> Result<()> {
        let jwt = Claims::new(key.public_key(), nats).named(name);
        let jwt = jwt.encode(&self.operator, now().unix_timestamp())?;
        self.seed(key)?;
        self.put(&format!("stores/ACME/accounts/{name}/{name}.jwt"), &jwt)
    }

    fn user(
        &self,
        account: (&str, &KeyPair),
        name: &str,
        signer: &KeyPair,
        limits: Option<UserPermissionLimits>,
    ) -> Result<String> {
        let key = KeyPair::new_user();
        let issuer = account.1.public_key();
        let nats = limits.map_or_else(|| User::scoped(&issuer), |limits| User::of(&issuer, limits));
        let jwt = Claims::new(key.public_key(), nats).named(name);
        let jwt = jwt.encode(signer, now().unix_timestamp())?;
        self.seed(&key)?;
        let account = account.0;
        self.put(
            &format!("stores/ACME/accounts/{account}/users/{name}.jwt"),
            &jwt,
        )?;
        let creds = Creds::new(&jwt, key)?;
        self.put(
            &format!("nkeys/creds/ACME/{account}/{name}.creds"),
            &creds.text()?,
        )?;
        Ok(jwt)
    }
}

fn template(publish: &[&str], subscribe: &[&str]) -> UserPermissionLimits {
    let texts = |list: &[&str]| list.iter().map(ToString::to_string).collect();
    let mut template = UserPermissionLimits::default();
    template.permissions.publish.allow = texts(publish);
    template.permissions.subscribe.allow = texts(subscribe);
    template
}

/// A store with everything that is common; gives the JWTs of users that keep their signing key.
fn store(fleet: &Fleet) -> Result<Vec<(String, String)>> {
    let nsc = Nsc {
        fleet,
        operator: KeyPair::new_operator(),
    };
    nsc.seed(&nsc.operator)?;
    nsc.put(
        "stores/ACME/.nsc",
        r#"{"managed":false,"name":"ACME","kind":"operator","version":"1"}"#,
    )?;
    let (sys, app, shop) = (
        KeyPair::new_account(),
        KeyPair::new_account(),
        KeyPair::new_account(),
    );
    let operator = Operator {
        system_account: sys.public_key(),
        ..Operator::default()
    };
    let jwt = Claims::new(nsc.operator.public_key(), operator).named("ACME");
    nsc.put(
        "stores/ACME/ACME.jwt",
        &jwt.encode(&nsc.operator, now().unix_timestamp())?,
    )?;
    nsc.account("SYS", &sys, Account::default())?;
    nsc.user(
        ("SYS", &sys),
        "sys",
        &sys,
        Some(UserPermissionLimits::default()),
    )?;

    let (devices, gate) = (KeyPair::new_account(), KeyPair::new_account());
    for key in [&devices, &gate] {
        nsc.seed(key)?;
    }
    let mut nats = Account::default();
    nats.limits.conn = 100;
    nats.limits.payload = 65536;
    nats.limits.jetstream = JetStreamLimits {
        disk_storage: 1 << 30,
        streams: 5,
        ..JetStreamLimits::default()
    };
    let scope = template(&["devices.{{name()}}.>"], &["_INBOX.>"]);
    nats.signing_keys
        .add_scoped(UserScope::new(devices.public_key(), "device", scope));
    let mut scope = template(&["gate.>"], &[]);
    scope.allowed_connection_types = vec!["WEBSOCKET".to_owned()];
    nats.signing_keys
        .add_scoped(UserScope::new(gate.public_key(), "web", scope));
    let mut events = Export::new(ExportType::Stream, "events.>");
    events.token_req = true;
    let mut orders = Export::new(ExportType::Service, "orders.get");
    orders.response_type = Some(cim_creds::body::share::ResponseType::Stream);
    orders.response_threshold = 5_000_000_000;
    nats.exports = vec![events, orders];
    nsc.account("APP", &app, nats)?;
    let own = ("APP", &app);
    let mut admin = UserPermissionLimits::default();
    admin.permissions.publish.deny = vec!["secret.>".to_owned()];
    admin.permissions.resp = Some(cim_creds::body::permissions::ResponsePermission {
        max: 3,
        ttl: 1_500_000_000,
    });
    admin.src = vec!["10.0.0.0/8".to_owned()];
    nsc.user(own, "admin", &app, Some(admin))?;
    let kept = vec![
        ("gate".to_owned(), nsc.user(own, "gate", &gate, None)?),
        (
            "sensor-1".to_owned(),
            nsc.user(own, "sensor-1", &devices, None)?,
        ),
        (
            "sensor-2".to_owned(),
            nsc.user(own, "sensor-2", &devices, None)?,
        ),
    ];

    let mut nats = Account::default();
    let mut import = Import::new(ExportType::Stream, app.public_key(), "events.>");
    import.local_subject = "app.events.>".to_owned();
    nats.imports = vec![import];
    let to = cim_creds::body::account::WeightedMapping {
        subject: "orders.v2.$1".to_owned(),
        weight: 0,
        cluster: String::new(),
    };
    nats.mappings.insert("orders.*".to_owned(), vec![to]);
    nsc.account("SHOP", &shop, nats)?;
    Ok(kept)
}

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
