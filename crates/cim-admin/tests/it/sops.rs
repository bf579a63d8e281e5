//! Our files are the real sops' files, and its files are ours: 200 random documents of each kind.

use cim_admin::sops::{Format, Plain, Sealed, Tree, from_json, seal};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use time::OffsetDateTime;

use crate::documents::{bytes, tree};
use crate::tools::Real;

/// Files of each kind, each way; one document each.
const DOCUMENTS: u32 = 200;

/// Most of the time goes into starting sops, so that several go on at once, each in a folder of its own.
const AT_ONCE: u32 = 4;

fn each<S: Strategy>(
    documents: fn() -> S,
    test: impl Fn(&Real, S::Value) -> anyhow::Result<()> + Sync,
) {
    let part = || {
        let real = Real::new().unwrap();
        let config = Config {
            cases: DOCUMENTS / AT_ONCE,
            max_shrink_iters: 64,
            failure_persistence: None,
            ..Config::default()
        };
        let outcome = TestRunner::new(config).run(&documents(), |document| {
            test(&real, document).map_err(|error| TestCaseError::fail(format!("{error:#}")))
        });
        outcome.unwrap_or_else(|error| panic!("{error}"));
    };
    // A part that panics takes the scope, and so the test, with it.
    std::thread::scope(|scope| (0..AT_ONCE).for_each(|_| drop(scope.spawn(part))));
}

/// Ours, opened by the real sops: as JSON, so that its answer is exact.
fn ours_to_sops(real: &Real, name: &str, plain: &Plain) -> anyhow::Result<()> {
    let format = Format::of(name.as_ref())?;
    let sealed = seal(
        plain,
        format,
        &[real.recipient()],
        OffsetDateTime::now_utc(),
    )?;
    real.put(name, sealed.as_bytes())?;
    match plain {
        Plain::Tree(tree) => {
            let kind = if format == Format::Yaml {
                "yaml"
            } else {
                "json"
            };
            let opened = real.opened(name, kind, "json")?;
            anyhow::ensure!(from_json(&opened)? == *tree, "sops opens something else");
        }
        Plain::Bytes(bytes) => {
            anyhow::ensure!(
                real.opened(name, "binary", "binary")? == **bytes,
                "other bytes"
            );
        }
    }
    Ok(())
}

/// The real sops', opened by us.
fn sops_to_ours(real: &Real, name: &str, plain: &Plain) -> anyhow::Result<()> {
    let format = Format::of(name.as_ref())?;
    let kind = match format {
        Format::Yaml => "yaml",
        Format::Json => "json",
        Format::Binary => "binary",
    };
    real.put(name, &plain.write(format)?)?;
    let sealed = Sealed::read(&real.sealed(name, kind)?, format)?;
    anyhow::ensure!(sealed.recipients() == [real.recipient().to_string()]);
    anyhow::ensure!(sealed.open(&real.keys)? == *plain, "we open something else");
    Ok(())
}

#[test]
fn the_real_sops_opens_our_yaml() {
    each(tree, |real, tree| {
        ours_to_sops(real, "a.yaml", &Plain::Tree(tree))
    });
}

#[test]
fn the_real_sops_opens_our_json() {
    each(tree, |real, tree| {
        ours_to_sops(real, "a.json", &Plain::Tree(tree))
    });
}

#[test]
fn the_real_sops_opens_our_binary() {
    each(bytes, |real, plain| ours_to_sops(real, "a.key", &plain));
}

#[test]
fn we_open_the_real_sops_yaml() {
    each(tree, |real, tree| {
        sops_to_ours(real, "a.yaml", &Plain::Tree(tree))
    });
}

#[test]
fn we_open_the_real_sops_json() {
    each(tree, |real, tree| {
        sops_to_ours(real, "a.json", &Plain::Tree(tree))
    });
}

#[test]
fn we_open_the_real_sops_binary() {
    each(bytes, |real, plain| sops_to_ours(real, "a.key", &plain));
}

#[test]
fn comments_and_blocks_as_people_write_them_are_read() {
    let real = Real::new().unwrap();
    let text = "# of the desk\na: plain # why\nb: |\n  two\n  lines\nc:\n  - x\n  - 'y'\nd: &d \"2026\"\ne: yes\n";
    real.put("a.yaml", text.as_bytes()).unwrap();
    let sealed = Sealed::read(&real.sealed("a.yaml", "yaml").unwrap(), Format::Yaml).unwrap();
    let entry = |name: &str, value| (name.to_owned(), value);
    let wanted = Tree::Map(vec![
        entry("a", Tree::text("plain")),
        entry("b", Tree::text("two\nlines\n")),
        entry("c", Tree::List(vec![Tree::text("x"), Tree::text("y")])),
        entry("d", Tree::text("2026")),
        entry("e", Tree::text("yes")),
    ]);
    assert_eq!(sealed.open(&real.keys).unwrap(), Plain::Tree(wanted));
    assert_eq!(sealed.readable(), Vec::<String>::new());
}

#[test]
fn files_that_sops_seals_in_part_are_opened_and_their_readable_values_named() {
    let real = Real::new().unwrap();
    real.put("a.yaml", b"url: nats://hub\nseed: s3cret\n")
        .unwrap();
    let recipient = real.recipient().to_string();
    let only = format!(
        "creation_rules:\n- age: {recipient}\n  encrypted_regex: ^seed$\n  mac_only_encrypted: true\n"
    );
    real.put("only.yaml", only.as_bytes()).unwrap();
    for rule in [
        &["--unencrypted-suffix", "rl"][..],
        &["--encrypted-suffix", "seed"],
        &["--unencrypted-regex", "^url$"],
        &["--encrypted-regex", "^(seed|pass)$"],
        &["--config"],
    ] {
        let args = match rule {
            ["--config"] => vec!["--config", "only.yaml", "encrypt", "a.yaml"],
            rule => [&["encrypt", "--age", &recipient][..], rule, &["a.yaml"]].concat(),
        };
        let sealed = crate::tools::done(real.sops(&args).unwrap()).unwrap();
        let sealed = Sealed::read(&sealed, Format::Yaml).unwrap();
        assert_eq!(sealed.readable(), ["url"], "{rule:?}");
        let Plain::Tree(tree) = sealed.open(&real.keys).unwrap() else {
            panic!("{rule:?}")
        };
        assert_eq!(
            tree.get("seed").unwrap().as_text(),
            Some("s3cret"),
            "{rule:?}"
        );
    }
}

#[test]
fn what_sops_edits_in_our_file_is_read() {
    let real = Real::new().unwrap();
    let tree = Tree::Map(vec![("a".to_owned(), Tree::text("old"))]);
    for name in ["a.yaml", "a.json"] {
        let format = Format::of(name.as_ref()).unwrap();
        let plain = Plain::Tree(tree.clone());
        let sealed = seal(
            &plain,
            format,
            &[real.recipient()],
            OffsetDateTime::now_utc(),
        )
        .unwrap();
        real.put(name, sealed.as_bytes()).unwrap();
        for args in [
            &["set", name, "[\"b\"]", "\"new\""][..],
            &["rotate", "--in-place", name],
            &["unset", name, "[\"a\"]"],
        ] {
            crate::tools::done(real.sops(args).unwrap()).unwrap();
        }
        let edited = std::fs::read(real.path(name)).unwrap();
        let opened = Sealed::read(&edited, format)
            .unwrap()
            .open(&real.keys)
            .unwrap();
        let wanted = Tree::Map(vec![("b".to_owned(), Tree::text("new"))]);
        assert_eq!(opened, Plain::Tree(wanted), "{name}");
    }
}

#[test]
fn numbers_are_refused_by_name_and_what_to_do() {
    let real = Real::new().unwrap();
    real.put("a.yaml", b"a:\n  port: 4222\n").unwrap();
    let sealed = Sealed::read(&real.sealed("a.yaml", "yaml").unwrap(), Format::Yaml).unwrap();
    let error = format!("{:#}", sealed.open(&real.keys).unwrap_err());
    assert_eq!(
        error,
        "\"a.port\": is sealed as \"int\", not as a text: write it in quotes and seal it again"
    );
}
