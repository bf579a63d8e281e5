//! The secrets file: what nats-server takes only inline, quoted, for the instance's user alone.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use cim_spec::artefact::{Secret, Secrets};
use nkeys::{KeyPair, KeyPairType};

/// Writes the secrets file: beside, then renamed, so that nats-server never reads half of it.
///
/// # Errors
/// A file that is missing or holds no seed. The message names the file, never the content.
pub fn write(secrets: &Secrets) -> Result<()> {
    let mut text = String::new();
    for secret in &secrets.entries {
        // A checked seed is base32: it needs no escapes.
        text.push_str(&format!("\"{}\": \"{}\"\n", secret.variable, seed(secret)?));
    }
    let path = Path::new(&secrets.path);
    let dir = path.parent().unwrap_or(Path::new("/"));
    let owner = fs::metadata(dir).with_context(|| format!("looking at {}", dir.display()))?;
    let beside = dir.join(format!(".secrets.{}", std::process::id()));
    let written = put(&beside, &text)
        .and_then(|()| own(&beside, owner.uid(), owner.gid()))
        .and_then(|()| fs::rename(&beside, path).context("renaming it"));
    if written.is_err() {
        // The error already says what went wrong.
        let _ = fs::remove_file(&beside);
    }
    written.with_context(|| format!("writing {}", path.display()))
}

fn seed(secret: &Secret) -> Result<String> {
    let file = &secret.file;
    let text = fs::read_to_string(file).with_context(|| format!("reading the nkey seed in {file}"))?;
    // `nk -gen user` writes the seed alone; files by hand may have comments around it.
    let Some(seed) = text.lines().map(str::trim).find(|line| line.starts_with('S')) else {
        bail!("{file} holds no nkey seed: it must have a line of 58 characters that starts with SU");
    };
    match KeyPair::from_seed(seed) {
        Ok(pair) => ensure!(
            pair.key_pair_type() == KeyPairType::User,
            "{file} holds a seed of another kind than a user's, which starts with SU"
        ),
        Err(_) => bail!("{file} holds a seed that is damaged: its checksum is wrong"),
    }
    Ok(seed.to_owned())
}

fn put(path: &Path, text: &str) -> Result<()> {
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o400)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(())
}

/// A reload runs as root: the file still belongs to the user of the folder.
fn own(path: &Path, uid: u32, gid: u32) -> Result<()> {
    std::os::unix::fs::chown(path, Some(uid), Some(gid)).context("giving it to the instance's user")
}
