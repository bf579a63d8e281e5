//! A sealed file: what is readable of it without a key, and opening it.

use anyhow::{Context, Result, bail, ensure};
use zeroize::Zeroizing;

use super::keys::Identities;
use super::plain::{Format, Plain};
use super::rules::Rule;
use super::text::{from_json, from_yaml};
use super::tree::Tree;
use super::value::{DataKey, Mac, aad, is_sealed};
use super::{DATA, LAST_GOOD, METADATA};

/// Kinds of keys that are not ours to use.
const FOREIGN: [&str; 7] = [
    "kms",
    "gcp_kms",
    "azure_kv",
    "hc_vault",
    "hckms",
    "pgp",
    "key_groups",
];

const UNSEALED: &str = "it is not sealed: seal it with `cim-admin secrets encrypt`, or keep it elsewhere if it is no secret";

/// A sealed file as it was read, not yet opened.
#[derive(Debug)]
pub struct Sealed {
    format: Format,
    body: Tree,
    metadata: Tree,
    rule: Rule,
}

impl Sealed {
    /// Reads a sealed file.
    ///
    /// # Errors
    /// A text that cannot be read, or that sops did not seal.
    pub fn read(bytes: &[u8], format: Format) -> Result<Self> {
        let read = match format {
            Format::Yaml => from_yaml(bytes),
            Format::Json | Format::Binary => from_json(bytes),
        };
        let mut body = match read {
            Ok(body) => body,
            Err(_) if format == Format::Binary && !bytes.starts_with(b"{") => bail!(UNSEALED),
            Err(error) => bail!("{error}; the file was cut or edited: {LAST_GOOD}"),
        };
        let metadata = body
            .take(METADATA)
            .filter(|found| matches!(found, Tree::Map(_)));
        let metadata = metadata.context(UNSEALED)?;
        body.check()?;
        if format == Format::Binary {
            let is_binary = body.entries().len() == 1 && body.get(DATA).is_some();
            ensure!(
                is_binary,
                "it is a sealed document, not one secret: end its name in .json"
            );
        }
        let rule = Rule::read(&metadata)?;
        Ok(Self {
            format,
            body,
            metadata,
            rule,
        })
    }

    /// Whom it is sealed for, as it says itself.
    pub fn recipients(&self) -> Vec<&str> {
        self.age()
            .filter_map(|key| key.get("recipient")?.as_text())
            .collect()
    }

    /// Kinds of keys beside age that it is sealed for too.
    pub fn foreign(&self) -> Vec<&'static str> {
        let has = |kind: &&&str| self.metadata.get(kind).is_some_and(|keys| !keys.is_empty());
        FOREIGN.iter().filter(has).copied().collect()
    }

    /// Names of the values that anybody can read.
    pub fn readable(&self) -> Vec<String> {
        let mut readable = Vec::new();
        let mut visit = |value: &mut Tree, path: &[String]| {
            let text = value.as_text().unwrap_or_default();
            if !text.is_empty() && !is_sealed(text) {
                readable.push(path.join("."));
            }
            Ok(())
        };
        // The visit never fails.
        let _ = self.body.clone().walk(&mut visit);
        readable
    }

    /// Opens it and holds all of it against its MAC.
    ///
    /// # Errors
    /// Nobody here whom it is sealed for, and anything that was changed since.
    pub fn open(&self, identities: &Identities) -> Result<Plain> {
        let key = self.data_key(identities)?;
        let only_sealed = match self.metadata.get("mac_only_encrypted") {
            Some(Tree::Bool(value)) => *value,
            Some(other) => other.as_text() == Some("true"),
            None => false,
        };
        let mut mac = Mac::new(only_sealed);
        let mut bytes = None;
        let mut body = self.body.clone();
        body.walk(&mut |value, path| {
            let name = || format!("{:?}", path.join("."));
            let text = value.as_text().with_context(name)?;
            if !self.rule.seals(path) {
                if !only_sealed {
                    mac.add(text.as_bytes());
                }
                if self.format == Format::Binary {
                    bytes = Some(Zeroizing::new(text.as_bytes().to_vec()));
                }
                return Ok(());
            }
            let plain = key.open(text, &aad(path)).with_context(name)?;
            mac.add(&plain);
            if self.format == Format::Binary {
                bytes = Some(plain);
                return Ok(());
            }
            let text = std::str::from_utf8(&plain).ok();
            *value = Tree::text(
                text.context("has other bytes than text")
                    .with_context(name)?,
            );
            Ok(())
        })?;
        self.verify(&key, mac)?;
        Ok(bytes.map_or(Plain::Tree(body), Plain::Bytes))
    }

    fn verify(&self, key: &DataKey, mac: Mac) -> Result<()> {
        let field = |name: &str| {
            let text = self.metadata.get(name).and_then(Tree::as_text);
            text.filter(|text| !text.is_empty())
                .with_context(|| format!("its metadata have no {name}: {LAST_GOOD}"))
        };
        // What real sops does not open is whole for nobody; in YAML it is all that a cut in the last line takes.
        field("version")?;
        let found = key
            .open(field("mac")?, field("lastmodified")?)
            .context("its MAC")?;
        mac.verify(&found)
    }

    fn data_key(&self, identities: &Identities) -> Result<DataKey> {
        for key in self.age() {
            let sealed = key.get("enc").and_then(Tree::as_text);
            let sealed = sealed.context("its metadata have a recipient without a data key")?;
            if let Some(key) = identities.open(sealed)? {
                return Ok(key);
            }
        }
        let ours: Vec<String> = identities
            .recipients()
            .iter()
            .map(ToString::to_string)
            .collect();
        bail!(
            "none of these keys opens it: it is sealed for {}; the keys given are {}: give one of the former with --keys",
            list(&self.recipients()),
            list(&ours)
        )
    }

    fn age(&self) -> impl Iterator<Item = &Tree> {
        let keys = match self.metadata.get("age") {
            Some(Tree::List(keys)) => keys.as_slice(),
            _ => &[],
        };
        keys.iter()
    }
}

fn list<T: AsRef<str>>(items: &[T]) -> String {
    if items.is_empty() {
        return "nobody".to_owned();
    }
    items
        .iter()
        .map(AsRef::as_ref)
        .collect::<Vec<_>>()
        .join(", ")
}
