//! A document whose values are texts, in the order in which they were written: the MAC needs it.

use std::collections::HashSet;
use std::fmt;

use anyhow::{Result, bail, ensure};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use zeroize::Zeroizing;

/// Go's YAML reader takes no longer key on one line; nobody needs one.
const LONGEST_KEY: usize = 256;

/// A document, or a part of one. `Debug` shows keys only.
#[derive(Clone, PartialEq, Eq)]
pub enum Tree {
    /// A text, secret or sealed.
    Text(Zeroizing<String>),
    /// Parts in a row.
    List(Vec<Tree>),
    /// Parts by name.
    Map(Vec<(String, Tree)>),
    /// True or false: only metadata has them.
    Bool(bool),
    /// What no text is: a number, or nothing.
    Other(&'static str),
}

impl Tree {
    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Tree::Text(Zeroizing::new(text.into()))
    }

    /// What stands under a key of a map.
    pub fn get(&self, key: &str) -> Option<&Tree> {
        match self {
            Tree::Map(entries) => entries.iter().find(|(k, _)| k == key).map(|(_, v)| v),
            _ => None,
        }
    }

    /// The text, where it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Tree::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The entries of a map; none of anything else.
    pub fn entries(&self) -> &[(String, Tree)] {
        match self {
            Tree::Map(entries) => entries,
            _ => &[],
        }
    }

    /// Whether there is nothing in it; a text is something.
    pub fn is_empty(&self) -> bool {
        match self {
            Tree::List(list) => list.is_empty(),
            Tree::Map(entries) => entries.is_empty(),
            Tree::Text(_) | Tree::Bool(_) => false,
            Tree::Other(_) => true,
        }
    }

    /// Sets an entry of a map, in its place or at the end.
    ///
    /// # Errors
    /// A tree that is no map.
    pub fn set(&mut self, key: &str, value: Tree) -> Result<()> {
        let Tree::Map(entries) = self else {
            bail!("the file is no map of names and values");
        };
        match entries.iter_mut().find(|(k, _)| k == key) {
            Some((_, old)) => *old = value,
            None => entries.push((key.to_owned(), value)),
        }
        Ok(())
    }

    /// Takes an entry out of a map.
    pub fn take(&mut self, key: &str) -> Option<Tree> {
        match self {
            Tree::Map(entries) => {
                let at = entries.iter().position(|(k, _)| k == key)?;
                Some(entries.remove(at).1)
            }
            _ => None,
        }
    }

    /// Visits every value but lists and maps, with the names on the way to it.
    ///
    /// # Errors
    /// What `visit` says, after the names.
    pub fn walk(&mut self, visit: &mut Visit<'_>) -> Result<()> {
        step(self, &mut Vec::new(), visit)
    }

    /// Refuses what sops would not read back as it was: other values than texts, a key twice.
    ///
    /// # Errors
    /// The first such value, by its name.
    pub fn check(&self) -> Result<()> {
        ensure!(
            matches!(self, Tree::Map(_)),
            "it is no map of names and values: write `name: \"value\"` lines"
        );
        check(self, &mut Vec::new())
    }
}

/// Visits one value; see [`Tree::walk`].
pub type Visit<'a> = dyn FnMut(&mut Tree, &[String]) -> Result<()> + 'a;

fn step(tree: &mut Tree, path: &mut Vec<String>, visit: &mut Visit<'_>) -> Result<()> {
    match tree {
        Tree::Map(entries) => {
            for (key, value) in entries {
                path.push(key.clone());
                step(value, path, visit)?;
                path.pop();
            }
            Ok(())
        }
        // sops gives list indexes no part in a path.
        Tree::List(list) => list
            .iter_mut()
            .try_for_each(|value| step(value, path, visit)),
        leaf => visit(leaf, path),
    }
}

fn check(tree: &Tree, path: &mut Vec<String>) -> Result<()> {
    match tree {
        Tree::Text(_) => {}
        Tree::List(list) => list.iter().try_for_each(|value| check(value, path))?,
        Tree::Map(entries) => {
            let mut seen = HashSet::with_capacity(entries.len());
            for (key, value) in entries {
                path.push(key.clone());
                ensure!(
                    key.len() <= LONGEST_KEY,
                    "a name is longer than {LONGEST_KEY} bytes: choose a shorter one"
                );
                ensure!(
                    !key.chars().any(breaks),
                    "the name {:?} has a line end or control character: leave it out",
                    path.join(".")
                );
                ensure!(
                    key != "<<",
                    "a name is <<, which merges maps in YAML: write the entries out"
                );
                ensure!(
                    seen.insert(key.as_str()),
                    "{:?} stands there twice: remove one",
                    path.join(".")
                );
                check(value, path)?;
                path.pop();
            }
        }
        Tree::Bool(_) => bail!("{:?} is true or false, not text: {QUOTE}", path.join(".")),
        Tree::Other(what) => bail!("{:?} is {what}, not text: {QUOTE}", path.join(".")),
    }
    Ok(())
}

/// sops' YAML folds names at these, and then reads others than it wrote.
fn breaks(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

const QUOTE: &str = "write it in quotes, since hosts read texts only";

impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Tree::Text(_) => f.write_str("…"),
            Tree::List(list) => f.debug_list().entries(list).finish(),
            Tree::Map(entries) => f
                .debug_map()
                .entries(entries.iter().map(|(key, value)| (key, value)))
                .finish(),
            Tree::Bool(value) => value.fmt(f),
            Tree::Other(what) => f.write_str(what),
        }
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a document")
    }

    fn visit_str<E>(self, text: &str) -> Result<Tree, E> {
        Ok(Tree::text(text))
    }

    fn visit_string<E>(self, text: String) -> Result<Tree, E> {
        Ok(Tree::text(text))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Bool(value))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Tree, E> {
        Ok(Tree::Other("a number"))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Tree, E> {
        Ok(Tree::Other("a number"))
    }

    fn visit_i128<E>(self, _: i128) -> Result<Tree, E> {
        Ok(Tree::Other("a number"))
    }

    fn visit_u128<E>(self, _: u128) -> Result<Tree, E> {
        Ok(Tree::Other("a number"))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Tree, E> {
        Ok(Tree::Other("a number"))
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Other("empty"))
    }

    fn visit_none<E>(self) -> Result<Tree, E> {
        Ok(Tree::Other("empty"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Tree, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = seq.next_element()? {
            list.push(value);
        }
        Ok(Tree::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Tree::Map(entries))
    }
}
