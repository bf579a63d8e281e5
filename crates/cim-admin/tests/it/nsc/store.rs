//! A store as nsc lays it out, made at run time.

use std::fs;

use anyhow::{Context, Result};
use cim_creds::body::account::WeightedMapping;
use cim_creds::body::limits::JetStreamLimits;
use cim_creds::body::permissions::{ResponsePermission, UserPermissionLimits};
use cim_creds::body::share::{Export, ExportType, Import, ResponseType};
use cim_creds::body::signing_keys::UserScope;
use cim_creds::{Account, Claims, Creds, KeyPair, Operator, User};

use crate::fleet::Fleet;
use crate::server::now;

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
pub fn store(fleet: &Fleet) -> Result<Vec<(String, String)>> {
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
    orders.response_type = Some(ResponseType::Stream);
    orders.response_threshold = 5_000_000_000;
    nats.exports = vec![events, orders];
    nsc.account("APP", &app, nats)?;
    let own = ("APP", &app);
    let mut admin = UserPermissionLimits::default();
    admin.permissions.publish.deny = vec!["secret.>".to_owned()];
    admin.permissions.resp = Some(ResponsePermission {
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
    let to = WeightedMapping {
        subject: "orders.v2.$1".to_owned(),
        weight: 0,
        cluster: String::new(),
    };
    nats.mappings.insert("orders.*".to_owned(), vec![to]);
    nsc.account("SHOP", &shop, nats)?;
    Ok(kept)
}
