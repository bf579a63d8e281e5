//! `/accstatz` and `/accountz`: accounts, who uses them and by which JWT.

use serde::Deserialize;

/// `/accstatz`: accounts with a connection, in no order.
#[derive(Debug, Clone, Deserialize)]
pub struct Accstatz {
    /// Each of them.
    pub account_statz: Vec<AccountStat>,
}

impl Accstatz {
    /// What is connected to this server in an account; nothing where it is not listed.
    pub fn of(&self, id: &str) -> AccountStat {
        let mut accounts = self.account_statz.iter();
        accounts
            .find(|account| account.acc == id)
            .cloned()
            .unwrap_or_default()
    }
}

/// What is connected to this server in one account.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct AccountStat {
    /// Its name; in operator mode its public key.
    pub acc: String,
    /// Clients; our own server's system connections are none.
    #[serde(default)]
    pub conns: u64,
    /// Leaf links.
    #[serde(default)]
    pub leafnodes: u64,
}

/// `/accountz?acc=…`.
#[derive(Debug, Clone, Deserialize)]
pub struct Accountz {
    /// Of an account that the server has loaded.
    pub account_detail: AccountDetail,
}

/// An account that the server has loaded.
#[derive(Debug, Clone, Deserialize)]
pub struct AccountDetail {
    /// Its JWT; empty: it has none.
    #[serde(default)]
    pub jwt: String,
}
