//! Our files are the real sops' files, and its files are ours: 200 random documents of each kind.

use cim_admin::sops::{Format, Identities, Plain, Sealed, Tree, from_json, seal, ssh_recipient};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use time::OffsetDateTime;

use crate::documents::{IN_A_FILE, bytes, file};
use crate::tools::{Real, run};

/// Of each kind, each way.
const DOCUMENTS: u32 = 200;

fn each<S: Strategy>(cases: u32, files: S, test: impl Fn(S::Value) -> anyhow::Result<()>) {
    let config = Config {
        cases,
        max_shrink_iters: 64,
        failure_persistence: None,
        ..Config::default()
    };
    let outcome = TestRunner::new(config).run(&files, |file| {
        test(file).map_err(|error| TestCaseError::fail(format!("{error:#}")))
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
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
    let real = Real::new().unwrap();
    each(DOCUMENTS / IN_A_FILE, file(), |tree| {
        ours_to_sops(&real, "a.yaml", &Plain::Tree(tree))
    });
}

#[test]
fn the_real_sops_opens_our_json() {
    let real = Real::new().unwrap();
    each(DOCUMENTS / IN_A_FILE, file(), |tree| {
        ours_to_sops(&real, "a.json", &Plain::Tree(tree))
    });
}

#[test]
fn the_real_sops_opens_our_binary() {
    let real = Real::new().unwrap();
    each(DOCUMENTS, bytes(), |plain| {
        ours_to_sops(&real, "a.key", &plain)
    });
}

#[test]
fn we_open_the_real_sops_yaml() {
    let real = Real::new().unwrap();
    each(DOCUMENTS / IN_A_FILE, file(), |tree| {
        sops_to_ours(&real, "a.yaml", &Plain::Tree(tree))
    });
}

#[test]
fn we_open_the_real_sops_json() {
    let real = Real::new().unwrap();
    each(DOCUMENTS / IN_A_FILE, file(), |tree| {
        sops_to_ours(&real, "a.json", &Plain::Tree(tree))
    });
}

#[test]
fn we_open_the_real_sops_binary() {
    let real = Real::new().unwrap();
    each(DOCUMENTS, bytes(), |plain| {
        sops_to_ours(&real, "a.key", &plain)
    });
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

#[test]
fn keys_of_the_real_age_open_files_and_age_opens_our_data_keys() {
    let real = Real::new().unwrap();
    let dir = real.dir.path();
    run("age-keygen", dir, &["-o", "age.txt"]).unwrap();
    let keys = Identities::read(&dir.join("age.txt")).unwrap();
    let public = run("age-keygen", dir, &["-y", "age.txt"]).unwrap();
    let public = String::from_utf8(public).unwrap();
    assert_eq!(keys.recipients()[0].to_string(), public.trim());
    let plain = Plain::Bytes(b"secret".to_vec().into());
    let both = [real.recipient(), public.parse().unwrap()];
    let sealed = seal(&plain, Format::Binary, &both, OffsetDateTime::now_utc()).unwrap();
    let read = Sealed::read(sealed.as_bytes(), Format::Binary).unwrap();
    assert_eq!(read.open(&keys).unwrap(), plain);
    assert_eq!(read.open(&real.keys).unwrap(), plain);
    let metadata = from_json(sealed.as_bytes()).unwrap();
    let Some(Tree::List(list)) = metadata.get("sops").and_then(|sops| sops.get("age")) else {
        panic!("no recipients")
    };
    let armored = list[1].get("enc").unwrap().as_text().unwrap().to_owned();
    real.put("data.age", armored.as_bytes()).unwrap();
    let key = run("age", dir, &["-d", "-i", "age.txt", "data.age"]).unwrap();
    assert_eq!(key.len(), 32);
    real.put("plain", b"from age").unwrap();
    let public = public.trim();
    run(
        "age",
        dir,
        &["-a", "-r", public, "-o", "strange.age", "plain"],
    )
    .unwrap();
    let strange = std::fs::read_to_string(dir.join("strange.age")).unwrap();
    let error = keys.open(&strange).err().unwrap().to_string();
    assert_eq!(error, "the file's data key has 8 bytes, not 32");
}

#[test]
fn a_host_opens_with_its_ssh_key_what_is_sealed_for_its_public_half() {
    let real = Real::new().unwrap();
    let dir = real.dir.path();
    run(
        "ssh-keygen",
        dir,
        &["-q", "-t", "ed25519", "-N", "", "-C", "host", "-f", "host"],
    )
    .unwrap();
    let public = std::fs::read_to_string(dir.join("host.pub")).unwrap();
    let recipient = ssh_recipient(&public).unwrap();
    let host = Identities::read(&dir.join("host")).unwrap();
    assert_eq!(host.recipients()[0].to_string(), recipient);
    // The converted key is one that the real age knows, and that the real sops opens our file with.
    std::fs::write(dir.join("keys.txt"), host.text().as_bytes()).unwrap();
    let theirs = run("age-keygen", dir, &["-y", "keys.txt"]).unwrap();
    assert_eq!(String::from_utf8(theirs).unwrap().trim(), recipient);
    let plain = Plain::Bytes(b"creds".to_vec().into());
    let recipients = [recipient.parse().unwrap()];
    let sealed = seal(
        &plain,
        Format::Binary,
        &recipients,
        OffsetDateTime::now_utc(),
    )
    .unwrap();
    real.put("a", sealed.as_bytes()).unwrap();
    assert_eq!(real.opened("a", "binary", "binary").unwrap(), b"creds");
    for kind in ["rsa", "ecdsa"] {
        let file = dir.join(kind);
        let name = kind.to_owned();
        run(
            "ssh-keygen",
            dir,
            &["-q", "-t", kind, "-N", "", "-f", &name],
        )
        .unwrap();
        let error = format!("{:#}", Identities::read(&file).unwrap_err());
        assert!(error.contains("no ssh-ed25519 key"), "{error}");
        let public = std::fs::read_to_string(dir.join(format!("{kind}.pub"))).unwrap();
        assert!(ssh_recipient(&public).is_err());
    }
    run(
        "ssh-keygen",
        dir,
        &["-q", "-t", "ed25519", "-N", "hidden", "-f", "locked"],
    )
    .unwrap();
    let error = format!("{:#}", Identities::read(&dir.join("locked")).unwrap_err());
    assert!(error.contains("has a passphrase"), "{error}");
}
