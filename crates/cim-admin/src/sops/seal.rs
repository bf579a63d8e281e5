//! Sealing a file: every value of it, for age recipients.

use anyhow::{Context, Result, bail, ensure};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::keys::Recipient;
use super::plain::{Format, Plain};
use super::rules::DEFAULT_SUFFIX;
use super::text::{to_json, to_yaml};
use super::tree::Tree;
use super::value::{DataKey, Mac, aad};
use super::{DATA, METADATA};

/// The version of sops whose files these are like; sops refuses a file without one.
const VERSION: &str = "3.11.0";

/// Seals a file for `recipients`, every value of it.
///
/// # Errors
/// No recipient, and names that would leave a value readable.
pub fn seal(
    plain: &Plain,
    format: Format,
    recipients: &[Recipient],
    now: OffsetDateTime,
) -> Result<String> {
    ensure!(
        !recipients.is_empty(),
        "there is nobody to seal it for: name an age recipient"
    );
    let key = DataKey::random()?;
    let mut mac = Mac::new(false);
    let mut one = |plain: &[u8], path: &[String]| {
        mac.add(plain);
        key.seal(plain, &aad(path))
    };
    let mut tree = match plain {
        Plain::Bytes(bytes) => {
            let path = [DATA.to_owned()];
            let data = Tree::text(one(bytes, &path)?);
            Tree::Map(Vec::from(path.map(|name| (name, data.clone()))))
        }
        Plain::Tree(tree) => {
            ensure!(
                format != Format::Binary,
                "a binary file holds one secret, not names"
            );
            ensure!(
                tree.get(METADATA).is_none(),
                "`sops` is sops' own entry: choose another name"
            );
            tree.check()?;
            let mut tree = tree.clone();
            tree.walk(&mut |value, path| {
                if let Some(name) = path.iter().find(|name| name.ends_with(DEFAULT_SUFFIX)) {
                    bail!("{name:?} ends in {DEFAULT_SUFFIX}, which sops leaves readable: choose another name");
                }
                if let Tree::Text(text) = value {
                    *value = Tree::text(one(text.as_bytes(), path)?);
                }
                Ok(())
            })?;
            tree
        }
    };
    tree.set(METADATA, metadata(&key, mac, recipients, now)?)?;
    let text = if format == Format::Yaml {
        to_yaml(&tree)?
    } else {
        to_json(&tree)?
    };
    Ok(text.as_str().to_owned())
}

fn metadata(
    key: &DataKey,
    mac: Mac,
    recipients: &[Recipient],
    now: OffsetDateTime,
) -> Result<Tree> {
    let now = now.to_offset(time::UtcOffset::UTC).replace_nanosecond(0)?;
    let now = now.format(&Rfc3339).context("writing the date")?;
    let entry = |name: &str, value: Tree| (name.to_owned(), value);
    let mut age = Vec::new();
    for recipient in recipients {
        age.push(Tree::Map(vec![
            entry("recipient", Tree::text(recipient.to_string())),
            entry("enc", Tree::text(recipient.seal(key)?)),
        ]));
    }
    let mac = key.seal(mac.finish().as_bytes(), &now)?;
    Ok(Tree::Map(vec![
        entry("age", Tree::List(age)),
        entry("lastmodified", Tree::text(now)),
        entry("mac", Tree::text(mac)),
        entry("unencrypted_suffix", Tree::text(DEFAULT_SUFFIX)),
        entry("version", Tree::text(VERSION)),
    ]))
}
