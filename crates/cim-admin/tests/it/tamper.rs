//! A sealed file that was changed opens neither with us nor with the real sops.

use cim_admin::sops::{Format, Plain, Sealed, Tree, from_json, seal, to_json, to_yaml};
use time::OffsetDateTime;

use crate::tools::Real;

/// A file of ours with a few values.
fn ours(real: &Real, format: Format) -> Tree {
    let entry = |name: &str, value| (name.to_owned(), value);
    let tree = Tree::Map(vec![
        entry("a", Tree::text("first")),
        entry("b", Tree::List(vec![Tree::text("x"), Tree::text("y")])),
        entry("c", Tree::Map(vec![entry("d", Tree::text("last"))])),
    ]);
    let plain = if format == Format::Binary {
        Plain::Bytes(b"secret".to_vec().into())
    } else {
        Plain::Tree(tree)
    };
    let text = seal(
        &plain,
        format,
        &[real.recipient()],
        OffsetDateTime::now_utc(),
    )
    .unwrap();
    match format {
        Format::Yaml => cim_admin::sops::from_yaml(text.as_bytes()).unwrap(),
        _ => from_json(text.as_bytes()).unwrap(),
    }
}

/// Both refuse the file; gives what each says.
fn refused(real: &Real, name: &str, tree: &Tree) -> (String, String) {
    let format = Format::of(name.as_ref()).unwrap();
    let text = if format == Format::Yaml {
        to_yaml(tree)
    } else {
        to_json(tree)
    }
    .unwrap();
    real.put(name, text.as_bytes()).unwrap();
    let kind = match format {
        Format::Yaml => "yaml",
        Format::Json => "json",
        Format::Binary => "binary",
    };
    let theirs = real
        .opened(name, kind, kind)
        .expect_err("sops opens it")
        .to_string();
    let ours = Sealed::read(text.as_bytes(), format).and_then(|sealed| sealed.open(&real.keys));
    (format!("{:#}", ours.expect_err("we open it")), theirs)
}

fn sops_entry(tree: &Tree, name: &str) -> String {
    let found = tree.get("sops").and_then(|sops| sops.get(name));
    found.and_then(Tree::as_text).unwrap().to_owned()
}

fn set_sops(tree: &mut Tree, name: &str, value: &str) {
    let mut sops = tree.get("sops").unwrap().clone();
    sops.set(name, Tree::text(value)).unwrap();
    tree.set("sops", sops).unwrap();
}

#[test]
fn a_removed_value_is_a_mac_mismatch_on_both_sides() {
    let real = Real::new().unwrap();
    for name in ["a.yaml", "a.json"] {
        let mut tree = ours(&real, Format::of(name.as_ref()).unwrap());
        tree.take("c").unwrap();
        let (ours, theirs) = refused(&real, name, &tree);
        assert!(ours.starts_with("MAC mismatch"), "{ours}");
        assert!(theirs.contains("MAC mismatch"), "{theirs}");
    }
}

#[test]
fn reordered_list_items_and_added_readable_values_are_a_mac_mismatch() {
    let real = Real::new().unwrap();
    let changes: [fn(&mut Tree); 3] = [
        |tree| {
            let Some(Tree::List(mut list)) = tree.take("b") else {
                panic!("no list")
            };
            list.reverse();
            tree.set("b", Tree::List(list)).unwrap();
        },
        |tree| tree.set("url_unencrypted", Tree::text("evil")).unwrap(),
        |tree| tree.set("a", Tree::text("")).unwrap(),
    ];
    for change in changes {
        let mut tree = ours(&real, Format::Yaml);
        change(&mut tree);
        let (ours, theirs) = refused(&real, "a.yaml", &tree);
        assert!(ours.contains("MAC mismatch"), "{ours}");
        assert!(theirs.contains("MAC mismatch"), "{theirs}");
    }
}

/// What somebody makes of a sealed value.
type Change = fn(&str) -> String;

#[test]
fn a_moved_changed_or_bare_value_is_named() {
    let real = Real::new().unwrap();
    let sealed = |tree: &Tree| tree.get("a").unwrap().as_text().unwrap().to_owned();
    let changes: [(Change, &str); 3] = [
        (|_| "bare".to_owned(), "\"a\": is not sealed"),
        (
            |value| value.replace("data:", "data:AAAA"),
            "\"a\": was changed",
        ),
        (
            |value| value.replace("type:str", "type:int"),
            "\"a\": is sealed as \"int\"",
        ),
    ];
    for (change, part) in changes {
        let mut tree = ours(&real, Format::Json);
        let value = change(&sealed(&tree));
        tree.set("a", Tree::text(value)).unwrap();
        let (ours, _) = refused(&real, "a.json", &tree);
        assert!(ours.contains(part), "{ours}");
    }
    let mut tree = ours(&real, Format::Json);
    let value = sealed(&tree);
    tree.set("c", Tree::text(value)).unwrap();
    let (ours, _) = refused(&real, "a.json", &tree);
    assert!(ours.contains("\"c\": was changed or moved"), "{ours}");
}

#[test]
fn changed_metadata_are_noticed() {
    let real = Real::new().unwrap();
    for name in ["a.yaml", "a.json", "a.key"] {
        let format = Format::of(name.as_ref()).unwrap();
        let mut tree = ours(&real, format);
        set_sops(&mut tree, "lastmodified", "2020-01-01T00:00:00Z");
        let mut other = ours(&real, format);
        set_sops(&mut other, "mac", &sops_entry(&ours(&real, format), "mac"));
        let mut none = ours(&real, format);
        set_sops(&mut none, "mac", "");
        let mut unversioned = ours(&real, format);
        set_sops(&mut unversioned, "version", "");
        for (changed, part, theirs) in [
            (tree, "its MAC: was changed", "Cannot decrypt MAC"),
            (other, "its MAC: was changed", "Cannot decrypt MAC"),
            (none, "its metadata have no mac", "File has no MAC"),
            (
                unversioned,
                "its metadata have no version",
                "Version string empty",
            ),
        ] {
            let (ours, sops) = refused(&real, name, &changed);
            assert!(ours.contains(part), "{ours}");
            assert!(sops.contains(theirs), "{sops}");
        }
    }
}

#[test]
fn a_cut_file_never_opens() {
    let real = Real::new().unwrap();
    for format in [Format::Yaml, Format::Json, Format::Binary] {
        let plain = match format {
            Format::Binary => Plain::Bytes(b"secret".to_vec().into()),
            _ => Plain::Tree(Tree::Map(vec![("a".to_owned(), Tree::text("x"))])),
        };
        let text = seal(
            &plain,
            format,
            &[real.recipient()],
            OffsetDateTime::now_utc(),
        )
        .unwrap();
        for cut in 0..text.trim_end().len() {
            let sealed = Sealed::read(&text.as_bytes()[..cut], format);
            let opened = sealed.and_then(|sealed| sealed.open(&real.keys));
            let rest = text[cut..].trim_start();
            assert!(opened.is_err(), "{format:?} opens without {rest:?}");
        }
    }
}
