//! `cim-secrets`.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use cim_render::Artefacts;
use cim_spec::artefact::{Health, Secret, SecretKind, Secrets};
use cim_testkit::{golden, plan};
use nkeys::KeyPair;
use tempfile::TempDir;

use crate::support::{Said, put_health, run};

/// A folder with a seed's file and room for the secrets file.
struct Place {
    dir: TempDir,
}

impl Place {
    fn new(seed: &str) -> Result<Self> {
        let place = Self {
            dir: tempfile::tempdir()?,
        };
        fs::write(place.seed_file(), seed)?;
        fs::create_dir(place.dir.path().join("run"))?;
        Ok(place)
    }

    fn seed_file(&self) -> PathBuf {
        self.dir.path().join("leaf.nk")
    }

    fn written(&self) -> PathBuf {
        self.dir.path().join("run/secrets.conf")
    }

    fn secrets(&self) -> Secrets {
        Secrets {
            path: self.written().to_string_lossy().into_owned(),
            entries: vec![Secret {
                variable: "cim_leaf_nkey".to_owned(),
                file: self.seed_file().to_string_lossy().into_owned(),
                kind: SecretKind::NkeySeed,
            }],
        }
    }

    fn run(&self) -> Result<Said> {
        let artefacts = Artefacts::render(&plan(&golden("cim-prod-001")?)?)?;
        let built: Health = serde_json::from_str(&artefacts.files["health.json"])?;
        let health = Health {
            secrets: Some(self.secrets()),
            ..built
        };
        let file = put_health(&health, self.dir.path())?;
        run(Command::new(env!("CARGO_BIN_EXE_cim-secrets")).arg(file))
    }

    /// Nothing but what should be there: no half-written file beside it.
    fn names(&self) -> Result<Vec<String>> {
        let entries = fs::read_dir(self.dir.path().join("run"))?;
        entries
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect()
    }
}

fn seed() -> Result<String> {
    Ok(KeyPair::new_user().seed()?)
}

#[test]
fn it_writes_the_seed_quoted_for_the_owner_of_the_folder_alone() -> Result<()> {
    let seed = seed()?;
    let place = Place::new(&format!("{seed}\n"))?;
    let run = place.dir.path().join("run");
    if rustix::process::geteuid().is_root() {
        chown(&run, Some(4242), Some(4243))?;
    }
    place.run()?.done();
    assert_eq!(
        fs::read_to_string(place.written())?,
        format!("\"cim_leaf_nkey\": \"{seed}\"\n")
    );
    let (file, folder) = (fs::metadata(place.written())?, fs::metadata(&run)?);
    assert_eq!(file.mode() & 0o777, 0o400);
    assert_eq!((file.uid(), file.gid()), (folder.uid(), folder.gid()));
    assert_eq!(place.names()?, ["secrets.conf"]);
    Ok(())
}

#[test]
fn a_seed_may_have_comments_and_white_space_around_it() -> Result<()> {
    let seed = seed()?;
    let public = KeyPair::from_seed(&seed)?.public_key();
    let texts = [
        format!("# Seed of cim-prod-001\nSeed of cim-prod-001\n\n  {seed}\t\r\n\n{public}\n"),
        format!("-----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"),
    ];
    for text in texts {
        let place = Place::new(&text)?;
        place.run()?.done();
        assert_eq!(
            fs::read_to_string(place.written())?,
            format!("\"cim_leaf_nkey\": \"{seed}\"\n")
        );
    }
    Ok(())
}

#[test]
fn what_holds_no_user_seed_is_refused_without_a_word_of_it_and_the_old_file_stays() -> Result<()> {
    let good = seed()?;
    let mut damaged = good.clone();
    damaged.replace_range(20..21, if &good[20..21] == "A" { "B" } else { "A" });
    let account = KeyPair::new_account().seed()?;
    let cases = [
        (String::new(), "no nkey seed"),
        ("\n  \n".to_owned(), "no nkey seed"),
        (KeyPair::new_user().public_key(), "no nkey seed"),
        (good.to_lowercase(), "no nkey seed"),
        (damaged, "damaged"),
        (good[..57].to_owned(), "damaged"),
        (format!("{good}A"), "damaged"),
        (account, "another kind"),
    ];
    for (text, why) in cases {
        let place = Place::new(&text)?;
        fs::write(place.written(), "the old one")?;
        let said = place.run()?;
        said.refused(&[why, &place.seed_file().to_string_lossy()]);
        for part in text.trim().as_bytes().windows(8) {
            let part = String::from_utf8_lossy(part);
            assert!(
                !said.text.contains(part.as_ref()),
                "{part:?} of {text:?} in {}",
                said.text
            );
        }
        assert_eq!(fs::read_to_string(place.written())?, "the old one");
        assert_eq!(place.names()?, ["secrets.conf"]);
    }
    Ok(())
}

#[test]
fn a_missing_seed_file_and_a_missing_folder_are_named() -> Result<()> {
    let place = Place::new("")?;
    fs::remove_file(place.seed_file())?;
    place.run()?.refused(&["leaf.nk", "No such file"]);
    fs::write(place.seed_file(), seed()?)?;
    fs::remove_dir(place.dir.path().join("run"))?;
    place.run()?.refused(&["/run", "No such file"]);
    Ok(())
}

#[test]
fn what_an_interrupted_run_left_does_not_stand_in_the_way() -> Result<()> {
    let place = Place::new(&seed()?)?;
    fs::write(place.dir.path().join("run/.secrets.conf.new"), "half")?;
    place.run()?.done();
    assert_eq!(place.names()?, ["secrets.conf"]);
    Ok(())
}

#[test]
fn a_reader_never_sees_half_a_file() -> Result<()> {
    let place = Place::new(&seed()?)?;
    let secrets = place.secrets();
    cim_node::secrets::write(&secrets)?;
    let whole = fs::metadata(place.written())?.len();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut odd = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                match fs::read(place.written()) {
                    Ok(bytes) if bytes.len() as u64 == whole => {}
                    other => odd.push(other.map(|bytes| bytes.len())),
                }
            }
            odd
        });
        let written: Result<()> = (0..200).try_for_each(|_| cim_node::secrets::write(&secrets));
        stop.store(true, Ordering::Relaxed);
        let odd = reader.join().ok().context("the reader panicked")?;
        assert!(odd.is_empty(), "{odd:?}");
        written
    })
}

#[test]
fn nats_server_reads_what_it_writes() -> Result<()> {
    let mut hosts = crate::support::hosts(&[golden("cim-prod-001")?])?;
    let seed = seed()?;
    hosts.fleet.put_seed("cim-prod-001", &seed)?;
    let health = hosts.fleet.health("cim-prod-001")?;
    let secrets = health.secrets.context("a leaf with an nkey has secrets")?;
    fs::remove_file(&secrets.path)?;
    cim_node::secrets::write(&secrets)?;
    hosts.fleet.start("cim-prod-001")
}
