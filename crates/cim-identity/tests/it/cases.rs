//! A folder `identity/` with mistakes put in, as a case's `change.json` says.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use cim_creds::body::share::Import;
use cim_creds::{Account, Activation, Body, Claims, Operator, User, decode};
use cim_identity::plan::Wish;
use cim_identity::{Committed, Plan};
use cim_testkit::{Identity, key};
use data_encoding::BASE64URL_NOPAD;
use nkeys::{KeyPair, KeyPairType};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::authority::{Authorities, Wanted};
use crate::fleet::{ISSUED, fleet, set, tree};

/// What a case does after the identity was made of the tests' fleet.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Change {
    /// Written into the fleet, by JSON pointer: what the options say now.
    #[serde(default)]
    set: BTreeMap<String, Value>,
    /// Files that are gone.
    #[serde(default)]
    remove: Vec<String>,
    /// Files with another text.
    #[serde(default)]
    put: BTreeMap<String, String>,
    /// Files that stand in the place of others.
    #[serde(default)]
    copy: BTreeMap<String, String>,
    /// JWTs with another claim, by JSON pointer, signed by the name of a key; null: still by their issuer's, wrongly.
    #[serde(default)]
    edit: BTreeMap<String, Edit>,
    /// Accounts' JWTs whose activations end so many days after the issue, by the name of the key that signs these.
    #[serde(default)]
    activations: BTreeMap<String, (i64, String)>,
    /// Certificates by their units, and with them ca.pem.
    #[serde(default)]
    certificates: BTreeMap<String, Wanted>,
    /// The hosts of the plan, which say what is needed of certificates.
    #[serde(default)]
    hosts: BTreeMap<String, Value>,
    /// Whether a hub's node holds its spec, and not the whole folder.
    #[serde(default)]
    pub hub: bool,
    /// Most bytes of a message to that hub.
    pub max_payload: Option<u64>,
    /// The moment that expiry is asked about, in days after the issue.
    pub days: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Edit {
    set: BTreeMap<String, Value>,
    signer: Option<String>,
    /// Whether it is signed as it is, by an operator's key: with what nobody should write.
    #[serde(default)]
    raw: bool,
}

impl Change {
    pub fn read(case: &Path) -> Self {
        let text = fs::read_to_string(case.join("change.json")).unwrap();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", case.display()))
    }

    /// The fleet and its folder, as they are after the change.
    pub fn apply(&self) -> (Value, Result<Committed, String>) {
        let mut declared = tree();
        let identity = Identity::of(&fleet(&declared), ISSUED).unwrap();
        let mut files = identity.files().clone();
        for (place, edit) in &self.edit {
            let changed = edit.apply(&files[place]);
            files.insert(place.clone(), changed);
        }
        for (place, (days, signer)) in &self.activations {
            let changed = activated(&files[place], ISSUED + days * 86_400, signer);
            files.insert(place.clone(), changed);
        }
        self.certificates(&mut files);
        for (to, from) in &self.copy {
            let made = identity.files().get(from).unwrap_or(&files[from]);
            files.insert(to.clone(), made.clone());
        }
        for place in &self.remove {
            assert!(files.remove(place).is_some(), "{place} is not there");
        }
        files.extend(self.put.clone());
        if self.hub {
            identity.put_into(&mut declared).unwrap();
            for (name, account) in declared["accounts"].as_object_mut().unwrap() {
                account["jwt"] = files[&format!("accounts/{name}.jwt")].as_str().into();
            }
            declared["operator"]["jwt"] = files["operator.jwt"].as_str().into();
        }
        for (path, value) in &self.set {
            set(&mut declared, path, value.clone());
        }
        (declared, Committed::of(files))
    }

    fn certificates(&self, files: &mut BTreeMap<String, String>) {
        if self.certificates.is_empty() {
            return;
        }
        let authorities = Authorities::new();
        files.insert("ca.pem".to_owned(), authorities.0.root.clone());
        for (unit, wanted) in &self.certificates {
            let place = format!("certificates/{unit}.pem");
            files.insert(place, authorities.issue(wanted));
        }
    }

    /// The certificates that the hosts need.
    pub fn wishes(&self, declared: &Value) -> Vec<Wish> {
        let plan = json!({ "fleet": declared, "hosts": self.hosts });
        let plan = Plan::read(plan.to_string().as_bytes()).unwrap();
        plan.certificates().unwrap()
    }
}

impl Edit {
    fn apply(&self, token: &str) -> String {
        let [header, payload, signature] = token.split('.').collect::<Vec<_>>()[..] else {
            panic!("no JWT")
        };
        let payload = BASE64URL_NOPAD.decode(payload.as_bytes()).unwrap();
        let mut claims: Value = serde_json::from_slice(&payload).unwrap();
        for (path, value) in &self.set {
            set(&mut claims, path, value.clone());
        }
        let Some(signer) = &self.signer else {
            let payload = BASE64URL_NOPAD.encode(claims.to_string().as_bytes());
            return format!("{header}.{payload}.{signature}");
        };
        if self.raw {
            let payload = BASE64URL_NOPAD.encode(claims.to_string().as_bytes());
            let text = format!("{header}.{payload}");
            let signature = key(KeyPairType::Operator, signer).sign(text.as_bytes());
            let signature = BASE64URL_NOPAD.encode(&signature.unwrap());
            return format!("{text}.{signature}");
        }
        match claims["nats"]["type"].as_str() {
            Some("operator") => signed::<Operator>(claims, &key(KeyPairType::Operator, signer)),
            Some("account") => signed::<Account>(claims, &key(KeyPairType::Operator, signer)),
            _ => signed::<User>(claims, &key(KeyPairType::Account, signer)),
        }
    }
}

/// An account's JWT whose activations end at a moment.
fn activated(token: &str, ends: i64, signer: &str) -> String {
    let mut claims = decode::<Account>(token).unwrap().claims;
    let private = |import: &&mut Import| !import.token.is_empty();
    for import in claims.nats.imports.iter_mut().filter(private) {
        let activation = decode::<Activation>(&import.token).unwrap().claims;
        let signer = key(KeyPairType::Account, signer);
        import.token = activation.expiring(ends).encode(&signer, ISSUED).unwrap();
    }
    let operator = key(KeyPairType::Operator, "operator.signing");
    claims.encode(&operator, ISSUED).unwrap()
}

fn signed<T: Body>(claims: Value, key: &KeyPair) -> String {
    let claims: Claims<T> = serde_json::from_value(claims).unwrap();
    claims.encode(key, ISSUED).unwrap()
}
