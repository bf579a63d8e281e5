//! What nats.conf may say of an account and a JWT may not, told by its option before anything is signed.

use cim_creds::{Body, ClaimsData, EncodeError, KeyPair};
use cim_spec::{Problems, Rule};
use nkeys::KeyPairType;

use crate::keys::Keys;
use crate::wanted::Wanted;

/// Has nats-io/jwt's rules judge every account, with keys that stand for those to come.
pub(crate) fn check(wanted: &Wanted, problems: &mut Problems) {
    let keys = stand_ins(wanted);
    for account in &wanted.accounts {
        let Ok(body) = account.body(&keys, None) else {
            continue; // every key is there
        };
        let data = ClaimsData {
            sub: keys.account(&account.name).unwrap_or_default().to_owned(),
            ..ClaimsData::default()
        };
        let Err(error) = body.check(&data) else {
            continue;
        };
        let (field, what, help) = match error {
            EncodeError::Field { field, what, help } => (field, what, help.to_owned()),
            other => (String::new(), other.to_string(), String::new()),
        };
        let options = ["exports", "imports", "mappings"];
        let option = options.into_iter().find(|option| field.starts_with(option));
        let at = option.map_or_else(|| account.at.clone(), |option| account.at.join(option));
        let field = option.map_or(format!("{field} "), |_| String::new());
        let what = format!("{field}{what}: nats-server would refuse the account's JWT");
        problems.add(Rule::OperatorMode, &at, what, help);
    }
}

/// Keys that follow from places, not from chance; nobody has their seeds written anywhere.
fn stand_ins(wanted: &Wanted) -> Keys {
    let mut made: u32 = 0;
    let mut key = || {
        made += 1;
        let mut raw = [0; 32];
        raw[..4].copy_from_slice(&made.to_be_bytes());
        let pair = KeyPair::new_from_raw(KeyPairType::Account, raw);
        pair.map(|pair| pair.public_key()).unwrap_or_default()
    };
    let mut keys = Keys::default();
    for account in &wanted.accounts {
        let entry = keys.accounts.entry(account.name.clone()).or_default();
        entry.nkey = key();
        for role in &account.roles {
            entry.signing_keys.insert(role.name.clone(), key());
        }
    }
    keys
}
