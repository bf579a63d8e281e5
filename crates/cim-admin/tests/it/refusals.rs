//! Every file in `tests/refusals/` is a command and what it must say; nothing on disk may change.
//!
//! `REFUSALS=write` takes over what is said now: read the diff.

use std::path::Path;
use std::{env, fs};

use regex::Regex;

use crate::damage;
use crate::desk::Desk;

#[test]
fn each_mistake_has_its_message_and_changes_nothing() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/refusals");
    let mut cases: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    cases.sort();
    assert!(cases.len() >= 40, "only {} cases", cases.len());
    let desk = Desk::new().unwrap();
    damage::at(&desk).unwrap();
    let write = env::var_os("REFUSALS").is_some_and(|value| value == "write");
    let secrets = [secrets(&desk), damage::planted(&desk).unwrap()].concat();
    let mut wrong = Vec::new();
    for case in &cases {
        let text = fs::read_to_string(case).unwrap();
        let (command, wanted) = text.split_once('\n').unwrap_or((&text, ""));
        let args = args(command);
        let before = desk.disk().unwrap();
        let output = desk
            .run(&args.iter().map(String::as_str).collect::<Vec<_>>())
            .unwrap();
        assert!(
            before == desk.disk().unwrap(),
            "{command}: changed something"
        );
        assert_eq!(output.status.code(), Some(1), "{command}: {output:?}");
        let said = [output.stderr, output.stdout].concat();
        let said = shown(&String::from_utf8(said).unwrap());
        let leaked = secrets.iter().any(|secret| said.contains(secret.as_str()));
        assert!(!leaked, "{command}: shows a secret");
        if write {
            fs::write(case, format!("{command}\n{said}")).unwrap();
        } else if said != wanted {
            wrong.push(format!("{command}\nwanted: {wanted}said:   {said}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The words of a case's first line; `\n` stands for a line end.
fn args(command: &str) -> Vec<String> {
    let rest = command.strip_prefix("$ cim-admin ").unwrap();
    rest.split(' ')
        .map(|word| word.replace("\\n", "\n").replace("''", ""))
        .collect()
}

/// What differs from run to run.
fn shown(said: &str) -> String {
    let said = Regex::new("age1[a-z0-9]{58}")
        .unwrap()
        .replace_all(said, "age1…");
    let key = Regex::new(r"\b[OAU][A-Z2-7]{55}\b").unwrap();
    let said = key.replace_all(&said, "KEY");
    let date = Regex::new(r"\d{4}-\d\d-\d\d( \d\d:\d\d UTC|T\d\d:\d\d:\d\dZ)").unwrap();
    date.replace_all(&said, "DATE").into_owned()
}

/// Parts of everything secret at the desk.
fn secrets(desk: &Desk) -> Vec<String> {
    let files = [
        "keys.txt",
        "theirs.txt",
        "ca.key",
        "bad/cut.key",
        "bad/ed25519.key",
    ];
    let lines = files.iter().flat_map(|file| {
        let text = desk.read(file).unwrap();
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    });
    let secret = lines.filter(|line| line.len() > 30 && !line.starts_with("-----"));
    let mut parts: Vec<String> = secret.map(|line| line[18..30].to_owned()).collect();
    parts.extend(["s3cret".to_owned(), "an old one".to_owned()]);
    parts
}
