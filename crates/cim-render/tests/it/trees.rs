//! What the writer writes, the reader and the real nats-server read: on random trees.

use std::collections::BTreeMap;

use cim_check::test_config;
use cim_render::conf::{self, Document, Map, Node};
use cim_testkit::nats_server;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::support::each;

/// Texts that other readers of nats.conf stumble over, and any others.
pub fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "\\PC{0,20}",
        3 => any::<String>(),
        3 => "[\\x00-\\x7f]{0,20}",
        1 => "[ \"'\\\\{}\\[\\],;:=#$()\n\r\t\\x00]{1,12}",
        2 => prop::sample::select(evil()).prop_map(str::to_owned),
    ]
}

/// Texts that mean something else to nats-server where they are not quoted well.
pub fn evil() -> Vec<&'static str> {
    vec![
        "x\"\n\"port\": 1\n\"y\": \"",
        "x\", permissions: { publish: \">\" } }, { user: \"backdoor\", password: \"b",
        "\" } include \"/etc/passwd\"",
        "back\\",
        "\\\"",
        "\\x00\\u0041",
        "$HOME",
        "${HOME}",
        "$2a$11$PWIFAL8RsWyGI3jVZtO9Nu8.6jOxzxfZo7c/W0eLk017hjgUKWrhy",
        "include x.conf",
        "# no comment",
        "// no comment",
        "a; b",
        "( block )",
        "1GB",
        "yes",
        "null",
        "2024-01-02T03:04:05Z",
        "\u{0}\u{7f}\u{80}\u{2028}\u{2029}\u{feff}\u{fffd}",
        "</script>&amp;",
        "🚀 Größe 東京 é",
        "\r\n",
        "'",
        "",
        " ",
    ]
}

/// Keys that the writer takes: no control characters, at most one kind of quote.
fn keys() -> impl Strategy<Value = String> {
    let odd = [
        "include", "$x", "a b", "}", "#k", "it's", "q\"", "a.b", "é", "\\",
    ];
    prop_oneof![
        "[a-z_]{1,8}",
        "[^\\p{Cc}\"]{1,12}",
        prop::sample::select(odd.to_vec()).prop_map(str::to_owned),
    ]
}

fn block(values: impl Strategy<Value = Node>, most: usize) -> impl Strategy<Value = Map> {
    prop::collection::vec((keys(), values), 0..=most).prop_map(|entries| {
        let mut block = Map::new();
        for (key, value) in entries {
            if !block.iter().any(|(k, _)| k.eq_ignore_ascii_case(&key)) {
                block.put(&key, value);
            }
        }
        block
    })
}

/// Numbers that can be written without an exponent.
fn floats() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(0.0),
        Just(1e-6),
        Just(5.0),
        -1e15f64..1e15,
        1e-6f64..1.0,
        (0u32..21).prop_map(|e| 10f64.powi(e as i32)),
    ]
}

fn nodes() -> impl Strategy<Value = Node> {
    let leaf = prop_oneof![
        4 => texts().prop_map(Node::Str),
        1 => any::<i64>().prop_map(Node::Int),
        1 => any::<bool>().prop_map(Node::Bool),
        1 => floats().prop_map(Node::Float),
        1 => "[A-Za-z0-9_]{1,8}".prop_map(Node::Variable),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Node::List),
            block(inner, 4).prop_map(Node::Map),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_back(include in prop::option::of(texts()), root in block(nodes(), 5)) {
        let document = Document { include, root };
        let text = conf::write(&document).map_err(|e| TestCaseError::fail(e.to_string()))?;
        prop_assert_eq!(conf::read(&text), Ok(document), "{}", text);
    }
}

/// A config that nats-server accepts, with random texts and numbers wherever it takes any.
fn documents() -> impl Strategy<Value = (Document, BTreeMap<String, String>)> {
    let metadata = block(texts().prop_map(Node::Str), 5);
    let users = prop::collection::vec(
        (texts(), texts(), prop::collection::vec(texts(), 0..3)),
        1..4,
    );
    let tags = prop::collection::vec(texts(), 0..4);
    let numbers = (1i64..8_000_000, 0.001f64..60.0, any::<bool>());
    let secret = prop::option::of(texts());
    (metadata, users, tags, numbers, secret).prop_map(
        |(metadata, users, tags, (payload, timeout, debug), secret)| {
            let mut root = Map::new();
            root.put("server_metadata", named(metadata));
            root.put("server_tags", tags);
            root.put("max_payload", Node::Int(payload));
            root.put("debug", debug);
            let mut list = Vec::new();
            for (index, (name, password, tokens)) in users.into_iter().enumerate() {
                let mut user = Map::new();
                user.put("user", format!("{index}{name}"));
                match &secret {
                    // A variable is read as what it looks like: it must look like text.
                    Some(_) if index == 0 => user.put("password", Node::Variable("v".to_owned())),
                    _ => user.put("password", password),
                };
                let subjects: Vec<String> = tokens.iter().map(|token| subject(token)).collect();
                let mut allowed = Map::new();
                allowed.put("publish", subjects);
                user.put("permissions", allowed);
                list.push(user);
            }
            let mut authorization = Map::new();
            authorization.put("users", list);
            authorization.put("timeout", Node::Float(timeout));
            root.put("authorization", authorization);
            let variables = secret.map(|secret| ("v".to_owned(), secret));
            let document = Document {
                include: variables.as_ref().map(|_| "secrets.conf".to_owned()),
                root,
            };
            (document, variables.into_iter().collect())
        },
    )
}

/// nats-server trims metadata keys and takes no empty ones.
fn named(metadata: Map) -> Map {
    let mut block = Map::new();
    for (index, (key, value)) in metadata.iter().enumerate() {
        block.put(&format!("k{index}{key}"), value.clone());
    }
    block
}

fn subject(text: &str) -> String {
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, '.' | '*' | '>');
    format!(
        "s{}",
        text.chars().filter(|c| plain(*c)).collect::<String>()
    )
}

#[test]
fn the_real_server_reads_what_was_meant() {
    let binary = nats_server().unwrap();
    let mut runner = TestRunner::default();
    let strategy = documents();
    let sample = |_| strategy.new_tree(&mut runner).unwrap().current();
    let dir = tempfile::tempdir().unwrap();
    let documents: Vec<_> = (0..300).map(sample).enumerate().collect();
    each(documents, |(index, (document, variables))| {
        let dir = dir.path().join(index.to_string());
        std::fs::create_dir(&dir).unwrap();
        let mut secrets = Map::new();
        for (name, value) in &variables {
            secrets.put(name, value.as_str());
        }
        let secrets = Document {
            include: None,
            root: secrets,
        };
        std::fs::write(dir.join("secrets.conf"), conf::write(&secrets).unwrap()).unwrap();
        let text = conf::write(&document).unwrap();
        let config = dir.join("nats.conf");
        std::fs::write(&config, &text).unwrap();
        let theirs = test_config(&binary, &config).map_err(|e| format!("{e:#}\n{text}"))?;
        if Some(&theirs) == conf::digest(&document, &variables).as_ref() {
            Ok(())
        } else {
            Err(format!("another digest for\n{text}"))
        }
    });
}
