//! The folder `identity/` as texts: sorted, not yet believed.

use std::collections::BTreeMap;

use crate::keys::Keys;

/// What stands in `identity/`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Committed {
    /// `keys.json`.
    pub keys: Keys,
    /// `operator.jwt`; `None`: not there.
    pub operator: Option<String>,
    /// `accounts/<account>.jwt` by account.
    pub accounts: BTreeMap<String, String>,
    /// JWTs of everybody who logs in, by their place: `leaves/plant-a.jwt`.
    pub users: BTreeMap<String, String>,
    /// `ca.pem`; `None`: not there.
    pub ca: Option<String>,
    /// `certificates/<unit>.pem` by unit: a host's certificate and the CA's below the root.
    pub certificates: BTreeMap<String, String>,
    /// Files that have no place there.
    pub strangers: Vec<String>,
}

impl Committed {
    /// Sorts the folder's files, which come by their path below it, such as `accounts/CIM.jwt`.
    ///
    /// # Errors
    /// A `keys.json` that is not one, as a sentence.
    pub fn of(files: BTreeMap<String, String>) -> Result<Self, String> {
        let mut committed = Self::default();
        for (path, text) in files {
            committed.put(path, text)?;
        }
        Ok(committed)
    }

    fn put(&mut self, path: String, text: String) -> Result<(), String> {
        let parts: Vec<&str> = path.split('/').collect();
        let name = |file: &str, end: &str| file.strip_suffix(end).map(str::to_owned);
        match parts[..] {
            ["keys.json"] => {
                self.keys = serde_json::from_str(&text)
                    .map_err(|error| format!("keys.json is not what cim-admin writes: {error}"))?;
                return Ok(());
            }
            ["operator.jwt"] => self.operator = Some(jwt(&text)),
            ["ca.pem"] => self.ca = Some(text),
            ["accounts", file] if file.ends_with(".jwt") => {
                let account = name(file, ".jwt").unwrap_or_default();
                self.accounts.insert(account, jwt(&text));
            }
            ["certificates", file] if file.ends_with(".pem") => {
                let unit = name(file, ".pem").unwrap_or_default();
                self.certificates.insert(unit, text);
            }
            ["desk.jwt"] | ["leaves", _] | ["users", _, _] | ["services", _, _, _]
                if path.ends_with(".jwt") =>
            {
                self.users.insert(path, jwt(&text));
            }
            _ => self.strangers.push(path),
        }
        Ok(())
    }
}

/// A file's one line.
fn jwt(text: &str) -> String {
    text.trim().to_owned()
}
