//! No bytes panic, whole or changed, and nothing secret is in what is said of them.

use cim_admin::pki::{Address, Certificate, CommonName, Key, Request};
use cim_admin::sops::{
    Config, Format, Identities, Plain, Sealed, Tree, from_json, from_yaml, seal, ssh_recipient,
    to_json, to_yaml,
};
use proptest::prelude::*;
use time::OffsetDateTime;

use crate::documents::tree;

fn everything(bytes: &[u8]) {
    for format in [Format::Yaml, Format::Json, Format::Binary] {
        let _ = (Plain::read(bytes, format), Sealed::read(bytes, format));
    }
    let _ = (Identities::parse(bytes), Config::read(bytes));
    let _ = (
        Certificate::read_all(bytes),
        Key::read(bytes),
        Request::read(bytes),
    );
    let text = String::from_utf8_lossy(bytes);
    let _ = (
        ssh_recipient(&text),
        CommonName::new(&text),
        text.parse::<Address>(),
    );
}

/// Texts of every kind that is read, to be changed.
fn texts() -> Vec<Vec<u8>> {
    let keys = Identities::generate();
    let tree = Tree::Map(vec![("a".to_owned(), Tree::text("x"))]);
    let sealed = |format| {
        let plain = Plain::Tree(tree.clone());
        seal(
            &plain,
            format,
            &keys.recipients(),
            OffsetDateTime::now_utc(),
        )
        .unwrap()
    };
    let ca = crate::server::Ca::new(crate::server::now());
    let made = ca.client("a");
    let rules = format!(
        "creation_rules:\n- path_regex: ^a$\n  age: {}\n",
        keys.recipients()[0]
    );
    let key = rcgen::KeyPair::generate().unwrap();
    let request = rcgen::CertificateParams::default()
        .serialize_request(&key)
        .unwrap();
    vec![
        sealed(Format::Yaml).into_bytes(),
        sealed(Format::Json).into_bytes(),
        keys.text().as_bytes().to_vec(),
        rules.into_bytes(),
        made.certificate.into_bytes(),
        made.key.unwrap().as_bytes().to_vec(),
        request.pem().unwrap().into_bytes(),
    ]
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes: Vec<u8>) {
        everything(&bytes);
    }

    #[test]
    fn no_text_panics(text in "[a-z:\\-\\[\\]{}\"'&*!|>#\n ]{0,60}") {
        everything(text.as_bytes());
    }

    #[test]
    fn what_is_written_is_read(tree in tree()) {
        let json = from_json(to_json(&tree).unwrap().as_bytes()).unwrap();
        let yaml = from_yaml(to_yaml(&tree).unwrap().as_bytes()).unwrap();
        prop_assert_eq!(&json, &tree);
        prop_assert_eq!(&yaml, &tree);
    }
}

#[test]
fn no_changed_byte_panics() {
    for text in texts() {
        let step = text.len() / 60 + 1;
        for at in (0..text.len()).step_by(step) {
            for byte in [0, b'\n', b'"', 0xff, text[at] ^ 1] {
                let mut changed = text.clone();
                changed[at] = byte;
                everything(&changed);
            }
            everything(&text[..at]);
        }
    }
}

#[test]
fn what_is_printed_for_programmers_shows_no_secret() {
    let tree = Tree::Map(vec![
        ("name".to_owned(), Tree::text("s3cret")),
        ("list".to_owned(), Tree::List(vec![Tree::text("s3cret")])),
    ]);
    let keys = Identities::generate();
    let made = crate::server::Ca::new(crate::server::now()).client("a");
    let key = Key::read(made.key.as_ref().unwrap().as_bytes()).unwrap();
    let bytes = Plain::Bytes(b"s3cret".to_vec().into());
    let shown = format!(
        "{tree:?}{:?}{bytes:?}{keys:?}{made:?}{key:?}",
        Plain::Tree(tree.clone())
    );
    assert!(
        shown.contains("name") && !shown.contains("s3cret"),
        "{shown}"
    );
    for secret in [keys.text(), made.key.clone().unwrap()] {
        let line = secret
            .lines()
            .find(|line| !line.starts_with("-----"))
            .unwrap();
        assert!(!shown.contains(&line[20..40]), "{shown}");
    }
}
