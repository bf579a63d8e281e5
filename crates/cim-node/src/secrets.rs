//! The secrets file: what nats-server takes only inline, quoted, for the instance's user alone.

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use cim_spec::artefact::{Secret, SecretKind, Secrets};
use nkeys::{KeyPair, KeyPairType};

/// Writes the secrets file: beside, then renamed, so that nats-server never reads half of it.
///
/// # Errors
/// A file that is missing or holds no seed. The message names the file, never the content.
pub fn write(secrets: &Secrets) -> Result<()> {
    let mut text = String::new();
    for secret in &secrets.entries {
        // A checked value needs no escapes.
        let value = match secret.kind {
            SecretKind::NkeySeed => seed(secret)?,
            SecretKind::Text => line(secret)?,
            SecretKind::HostKey => public(secret)?,
        };
        text.push_str(&format!("\"{}\": \"{value}\"\n", secret.variable));
    }
    replace(Path::new(&secrets.path), &text)
}

fn seed(secret: &Secret) -> Result<String> {
    Ok(pair(&secret.file)?.1)
}

/// The public half of a key that is the host's own: it is made where there is none.
fn public(secret: &Secret) -> Result<String> {
    let file = Path::new(&secret.file);
    if file.exists() {
        return Ok(pair(&secret.file)?.0.public_key());
    }
    let made = KeyPair::new_user();
    let seed = made.seed().context("making a key")?;
    replace(file, &format!("{seed}\n"))?;
    Ok(made.public_key())
}

/// The key of a user in a file, with its seed.
fn pair(file: &str) -> Result<(KeyPair, String)> {
    let text =
        fs::read_to_string(file).with_context(|| format!("reading the nkey seed in {file}"))?;
    // `nk -gen user` writes the seed alone; files by hand may have comments around it.
    let Some(seed) = text
        .lines()
        .map(str::trim)
        .find(|line| looks_like_seed(line))
    else {
        bail!(
            "{file} holds no nkey seed: it must have a line of 58 characters that starts with SU"
        );
    };
    let Ok(pair) = KeyPair::from_seed(seed) else {
        bail!("{file} holds a seed that is damaged: its checksum is wrong");
    };
    ensure!(
        pair.key_pair_type() == KeyPairType::User,
        "{file} holds a seed of another kind than a user's, which starts with SU"
    );
    Ok((pair, seed.to_owned()))
}

/// A line of plain text; quotes and backslashes would need escapes, and are not needed for a key.
fn line(secret: &Secret) -> Result<String> {
    let file = &secret.file;
    let text = fs::read_to_string(file).with_context(|| format!("reading the key in {file}"))?;
    let line = text.trim();
    ensure!(
        line.len() >= 16
            && line
                .chars()
                .all(|c| c.is_ascii_graphic() && !matches!(c, '"' | '\\')),
        "{file} holds no key: it must be one line of 16 or more letters, digits and signs, without quotes, \
         backslashes and spaces, as `openssl rand -base64 32` prints"
    );
    Ok(line.to_owned())
}

/// One word of base32: `Seed of leaf-1` is a comment.
fn looks_like_seed(line: &str) -> bool {
    line.starts_with('S') && line.bytes().all(|b| matches!(b, b'A'..=b'Z' | b'2'..=b'7'))
}

/// Puts a file in the place of the one before, at once.
fn replace(path: &Path, text: &str) -> Result<()> {
    let dir = path.parent().unwrap_or(Path::new("/"));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let owner = fs::metadata(dir).with_context(|| format!("looking at {}", dir.display()))?;
    let beside = dir.join(format!(".{name}.new"));
    let written = clear(&beside)
        .and_then(|()| put(&beside, text, owner.uid(), owner.gid()))
        .and_then(|()| fs::rename(&beside, path).context("renaming it"));
    if written.is_err() {
        // The error already says what went wrong.
        let _ = fs::remove_file(&beside);
    }
    written.with_context(|| format!("writing {}", path.display()))
}

/// Removes what a run that was cut off left behind.
fn clear(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).context("removing the old one")
        }
        _ => Ok(()),
    }
}

/// A reload runs as root, in a folder of the instance's user: the file is new, and it is given to
/// that user by its handle, since a name there could by now be a link to something else.
fn put(path: &Path, text: &str, uid: u32, gid: u32) -> Result<()> {
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o400)
        .open(path)?;
    // At start this runs as that user, whose sandbox refuses every chown, one that changes nothing too.
    let made = file.metadata()?;
    if (made.uid(), made.gid()) != (uid, gid) {
        fchown(&file, Some(uid), Some(gid)).context("giving it to the instance's user")?;
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(())
}
