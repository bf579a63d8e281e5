//! `.sops.yaml` means to us what it means to the real sops.

use cim_admin::sops::{Folder, Format, Identities, Sealed};

use crate::tools::{Real, done};

/// Whom each of the two seals `name` for, under these rules; sorted, for order is no matter.
fn both(rules: &str, name: &str) -> (Vec<String>, Vec<String>) {
    let real = Real::new().unwrap();
    let format = Format::of(name.as_ref()).unwrap();
    std::fs::create_dir_all(real.path(name).parent().unwrap()).unwrap();
    real.put(".sops.yaml", rules.as_bytes()).unwrap();
    real.put(name, b"{\"a\": \"x\"}").unwrap();
    let theirs = done(real.sops(&["encrypt", name]).unwrap()).unwrap();
    let plain = cim_admin::sops::Plain::read(b"{\"a\": \"x\"}", format).unwrap();
    let now = time::OffsetDateTime::now_utc();
    let ours = Folder::open(real.dir.path())
        .unwrap()
        .seal(name, &plain, now)
        .unwrap();
    let recipients = |text: &[u8]| {
        let sealed = Sealed::read(text, format).unwrap();
        let mut all: Vec<String> = sealed.recipients().into_iter().map(str::to_owned).collect();
        all.sort();
        all
    };
    (recipients(ours.as_bytes()), recipients(&theirs))
}

#[test]
fn rules_name_the_same_recipients_to_us_and_to_sops() {
    let key = || Identities::generate().recipients()[0].to_string();
    let (a, b, c) = (key(), key(), key());
    let rules = format!(
        "keys:\n- &a {a}\n- &b {b}\ncreation_rules:\n\
         - path_regex: ^hub-\\d+\\.(?i:YAML)$\n  age: '{a}, {b}'\n\
         - path_regex: ^leaf/.*\\.json$\n  key_groups:\n  - age:\n    - *a\n    - *b\n\
         - path_regex: plant\n  age:\n  - {c}\n\
         - age: >-\n    {b},\n    {c}\n"
    );
    for (name, wanted) in [
        ("hub-1.yaml", [&a, &b].to_vec()),
        ("leaf/x.json", vec![&a, &b]),
        ("leaf/x.yaml", vec![&b, &c]),
        ("a-plant.key", vec![&c]),
        ("other", vec![&b, &c]),
    ] {
        let (ours, theirs) = both(&rules, name);
        let mut wanted: Vec<String> = wanted.into_iter().cloned().collect();
        wanted.sort();
        assert_eq!(ours, wanted, "{name}");
        assert_eq!(theirs, wanted, "{name}");
    }
}
