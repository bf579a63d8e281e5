//! Operator mode for specs that were written for static accounts: the identity that their fleet needs, and who gets what of it.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};
use async_nats::{Client, ConnectOptions};
use cim_creds::{Account, Claims, Creds, KeyPair, User, decode};
use cim_render::input;
use nkeys::KeyPairType;
use serde_json::{Value, json};

use crate::Fleet;
use crate::identity::{Identity, key, role_key};

/// Puts the specs of one fleet into operator mode, and makes its identity. Hubs' specs are slices: together they must
/// tell all of it.
///
/// # Errors
/// Specs without a hub's, and a fleet that breaks a rule.
pub fn in_operator_mode(specs: &mut [Value]) -> Result<Identity> {
    specs.iter_mut().try_for_each(convert)?;
    let mut identity = Identity::default();
    identity.follow(specs, 0)?;
    Ok(identity)
}

/// Seconds since 1970.
fn now() -> Result<i64> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(i64::try_from(since.as_secs())?)
}

/// Nobody has a key or a certificate to be known by any more; leaves name a `.creds` file.
fn convert(spec: &mut Value) -> Result<()> {
    if let Some(fleet) = spec.pointer_mut("/hub/fleet") {
        fleet["operator"] = json!({ "jwt": null, "resolver": {
            "type": "full", "allowDelete": true, "limit": 1000, "ttl": null, "interval": "2m", "timeout": "2s",
        } });
        for account in entries(&mut fleet["accounts"]) {
            for user in entries(&mut account["users"]) {
                forget(user, &["nkey", "passwordHash", "certificate"]);
            }
        }
        for leaf in entries(&mut fleet["leaves"]) {
            forget(leaf, &["nkey", "certificate"]);
        }
        known_by_jwt(&mut fleet["hubs"]);
        return Ok(());
    }
    let leaf = spec
        .get_mut("leaf")
        .context("no hub's spec, nor a leaf's")?;
    leaf["fleet"]["operator"] = json!(true);
    forget(&mut leaf["fleet"]["leaf"], &["nkey", "certificate"]);
    known_by_jwt(&mut leaf["fleet"]["hubs"]);
    forget(&mut leaf["leaf"], &["nkeySeedFile"]);
    for remote in entries(&mut leaf["leaf"]["remotes"]) {
        remote["credentialsFile"] = json!("/run/secrets/leaf.creds");
    }
    Ok(())
}

/// Hubs that know leaves by certificates ask for them still.
fn known_by_jwt(hubs: &mut Value) {
    for hub in entries(hubs) {
        let leafnodes = &mut hub["leafnodes"];
        if leafnodes["verifyAndMap"] == true {
            leafnodes["verify"] = json!(true);
            leafnodes["verifyAndMap"] = json!(false);
        }
    }
}

fn entries(block: &mut Value) -> impl Iterator<Item = &mut Value> {
    block
        .as_object_mut()
        .into_iter()
        .flat_map(|block| block.values_mut())
}

fn forget(block: &mut Value, options: &[&str]) {
    for option in options {
        block[*option] = Value::Null;
    }
}

/// Adds what another slice of the same fleet tells.
fn join(whole: &mut Value, slice: &Value) {
    if whole.is_null() {
        slice.clone_into(whole);
    } else if let (Value::Object(whole), Value::Object(slice)) = (whole, slice) {
        for (name, entry) in slice {
            join(whole.entry(name).or_insert(Value::Null), entry);
        }
    }
}

impl Identity {
    /// Makes it fit the fleet that specs in operator mode tell now, as issued `later` than now, in seconds: a resolver takes
    /// a JWT for newer than what it has by that alone. The specs get what is new.
    ///
    /// # Errors
    /// As [`in_operator_mode`].
    pub fn follow(&mut self, specs: &mut [Value], later: i64) -> Result<()> {
        let mut whole = Value::Null;
        for fleet in specs.iter().filter_map(|spec| spec.pointer("/hub/fleet")) {
            join(&mut whole, fleet);
        }
        let fleet =
            input::parse(&whole.to_string()).context("reading the fleet of the hubs' specs")?;
        self.make(&fleet, now()? + later)?;
        self.put_into_hubs(specs)
    }

    fn put_into_hubs(&self, specs: &mut [Value]) -> Result<()> {
        let mut hubs = specs
            .iter_mut()
            .filter_map(|spec| spec.pointer_mut("/hub/fleet"));
        hubs.try_for_each(|fleet| self.put_into(fleet))
    }

    /// Puts creds where servers and node tools read them: `leaf.creds` beside each leaf's server, `<account>.<service>.creds`
    /// beside each hub's node.
    ///
    /// # Errors
    /// What the file system says.
    pub fn hand_out(&self, fleet: &Fleet) -> Result<()> {
        for name in fleet.names() {
            let member = fleet.member(&name)?;
            for place in self.files().keys() {
                let file = match place.split('/').collect::<Vec<_>>().as_slice() {
                    ["leaves", leaf]
                        if leaf.strip_suffix(".jwt") == Some(member.plan().name.as_str()) =>
                    {
                        "leaf.creds".to_owned()
                    }
                    ["services", node, account, service] if *node == name => {
                        format!("{account}.{}", service.replace(".jwt", ".creds"))
                    }
                    _ => continue,
                };
                let file = member.dir().join(file);
                fs::write(&file, self.creds(place)?)
                    .with_context(|| format!("writing {}", file.display()))?;
            }
        }
        Ok(())
    }

    /// Logs in at a hub's node with the JWT that stands at `place`.
    ///
    /// # Errors
    /// A place where none stands, and a server that refuses.
    pub async fn login(&self, fleet: &Fleet, node: &str, place: &str) -> Result<Client> {
        let options = ConnectOptions::with_credentials(&self.creds(place)?);
        let client = fleet.connect(node, options.context("reading creds")?).await;
        client.with_context(|| format!("logging in at {node} as {place}"))
    }

    /// Has a hub's node take an account's JWT over, as `cim-admin accounts push` does.
    ///
    /// # Errors
    /// A node that does not take it.
    pub async fn push(&self, fleet: &Fleet, node: &str, account: &str) -> Result<()> {
        let desk = self.login(fleet, node, "desk.jwt").await?;
        let place = format!("accounts/{account}.jwt");
        let text = self
            .files()
            .get(&place)
            .with_context(|| format!("there is no {place}"))?;
        let nkey = self
            .keys()
            .account(account)
            .context("an account has a key")?;
        let subject = format!("$SYS.REQ.ACCOUNT.{nkey}.CLAIMS.UPDATE");
        let answer = desk.request(subject, text.clone().into()).await?;
        let answer: Value = serde_json::from_slice(&answer.payload)?;
        ensure!(answer["error"].is_null(), "{answer}");
        Ok(())
    }

    /// Has an account refuse the user whose JWT stands at `place`, whenever that was issued; gives creds of another key for
    /// the same service, and that key.
    ///
    /// # Errors
    /// A place that is no service's.
    pub fn replace(&mut self, place: &str) -> Result<(String, String)> {
        let parts: Vec<&str> = place.split('/').collect();
        let ["services", _, account, service] = parts.as_slice() else {
            bail!("{place} is no service's");
        };
        let service = service.trim_end_matches(".jwt");
        let at = now()?;
        let of_account = format!("accounts/{account}.jwt");
        let text = self.files().get(&of_account);
        let text = text.with_context(|| format!("there is no {of_account}"))?;
        let mut claims = decode::<Account>(text)?.claims;
        let old = key(KeyPairType::User, place).public_key();
        claims.nats.revocations.revoke(old, at);
        let operator = key(KeyPairType::Operator, "operator.signing");
        self.set(&of_account, claims.encode(&operator, at + 1)?);

        let new = KeyPair::new_user();
        let account_key = key(KeyPairType::Account, account).public_key();
        let claims = Claims::new(new.public_key(), User::scoped(account_key)).named(service);
        let jwt = claims.encode(&role_key(account, &format!("service/{service}")), at)?;
        let public = new.public_key();
        Ok((Creds::new(&jwt, new)?.text()?.to_string(), public))
    }
}
