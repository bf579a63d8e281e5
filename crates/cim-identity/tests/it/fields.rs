//! Every field of accounts and users that passes straight through has its place in a JWT: a new row does, or fails here.

use cim_identity::Wanted;
use cim_spec::Problems;
use cim_spec::field::{Block, Kind};
use cim_testkit::Identity;
use serde_json::{Value, json};

use crate::fleet::{ISSUED, fleet, tree};

/// A value of a kind that is nobody's default.
fn sample(kind: Kind) -> Value {
    match kind {
        Kind::Bool => json!(true),
        Kind::Int(least, _) => json!(least + 1),
        Kind::Size => json!("3KiB"),
        Kind::Duration => json!("3s"),
        Kind::Subject => json!("some.where"),
        Kind::Enum(words) => json!(words.last()),
        Kind::Enums(words) => json!([words.first()]),
        other => panic!("{other:?}: say what a value of it looks like"),
    }
}

fn bodies(declared: &Value) -> Vec<cim_creds::Account> {
    let declared = fleet(declared);
    let mut problems = Problems::new();
    let wanted = Wanted::of(&declared, &mut problems).unwrap_or_else(|| panic!("{problems}"));
    let identity = Identity::of(&declared, ISSUED).unwrap();
    let body = |account: &cim_identity::Account| account.body(identity.keys(), None).unwrap();
    wanted.accounts.iter().map(body).collect()
}

#[test]
fn every_field_of_an_account_has_a_place_in_its_jwt() {
    for field in Block::Account.fields() {
        if field.option == "nkey" {
            continue; // it is whom the JWT is about
        }
        let mut declared = tree();
        if field.option == "msgTrace.sampling" {
            declared["accounts"]["CIM"]["fields"]["msgTrace.dest"] = json!("t");
        }
        let before = bodies(&declared);
        declared["accounts"]["CIM"]["fields"][field.option] = sample(field.kind);
        assert_ne!(bodies(&declared), before, "{} is in no JWT", field.option);
    }
}

#[test]
fn every_field_of_a_user_has_a_place_in_its_role() {
    for field in Block::User.fields() {
        let mut declared = tree();
        declared["accounts"]["CIM"]["users"]["press"]["fields"] = json!({});
        let before = bodies(&declared);
        declared["accounts"]["CIM"]["users"]["press"]["fields"][field.option] = sample(field.kind);
        assert_ne!(bodies(&declared), before, "{} is in no JWT", field.option);
    }
}
