//! Random documents: names and texts of every kind of character, in lists and maps.

use cim_admin::sops::{Plain, Tree};
use proptest::collection::vec;
use proptest::prelude::*;
use zeroize::Zeroizing;

/// Documents of names and texts.
pub fn tree() -> impl Strategy<Value = Tree> {
    let leaf = text().prop_map(Tree::text);
    let part = leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Tree::List),
            map(inner, 0..5),
        ]
    });
    map(part, 0..6)
}

/// Secrets of one file.
pub fn bytes() -> impl Strategy<Value = Plain> {
    let bytes = prop_oneof![
        3 => vec(any::<u8>(), 0..600),
        1 => text().prop_map(String::into_bytes),
    ];
    bytes.prop_map(|bytes| Plain::Bytes(Zeroizing::new(bytes)))
}

fn map(
    value: impl Strategy<Value = Tree>,
    size: std::ops::Range<usize>,
) -> impl Strategy<Value = Tree> {
    vec((name(), value), size).prop_map(|entries| {
        let mut tree = Tree::Map(Vec::new());
        for (name, value) in entries {
            if !["sops", "<<"].contains(&name.as_str()) && !name.ends_with("_unencrypted") {
                tree.set(&name, value).unwrap();
            }
        }
        tree
    })
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z][a-z0-9-]{0,12}",
        2 => any_text(1..12),
        1 => odd(),
    ]
    .prop_map(|name| name.replace(breaks, "_"))
}

/// What no name may have.
fn breaks(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => any_text(0..60),
        2 => "[ -~\n]{0,80}",
        1 => odd(),
        1 => Just(String::new()),
    ]
}

fn any_text(size: std::ops::Range<usize>) -> impl Strategy<Value = String> {
    let c = prop_oneof![
        any::<char>(),
        "[\\x00-\\x20\\x7f-\u{a0}\u{2028}\u{2029}\u{feff}\"\\\\:#'|>%@`&*!,\\[\\]{}?-]"
            .prop_map(|s| s.chars().next().unwrap())
    ];
    vec(c, size).prop_map(|chars| chars.into_iter().collect())
}

/// Texts that some reader takes for something else.
fn odd() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "true",
        "no",
        "null",
        "~",
        "0123",
        "1e3",
        "0x1f",
        ".inf",
        "2026-01-01",
        "2026-11-21T15:00:00Z",
        "<<",
        "=",
        "---",
        "...",
        "- a",
        "a: b",
        "#c",
        " lead",
        "trail ",
        "ENC[AES256_GCM,data:AA==]",
        "\u{85}",
        "\t",
        "a\r\nb",
        "data",
        "<>&",
        "\u{1f600}",
        "!!str",
        "*a",
        "&a",
    ])
    .prop_map(str::to_owned)
}
