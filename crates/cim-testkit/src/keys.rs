//! Throwaway keys that stand for those whose public halves are committed.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use cim_spec::Plan;
use cim_spec::plan::{Login, PrincipalKind, Proof};
use nkeys::KeyPair;

/// Throwaway keys, by the committed public nkey that each stands for.
#[derive(Default)]
pub struct Keys {
    /// Committed public nkey → throwaway public nkey and seed.
    pairs: BTreeMap<String, (String, String)>,
    /// Leaf → committed public nkey.
    leaves: BTreeMap<String, String>,
}

impl Keys {
    /// Makes keys for whom there is none yet among a plan's principals.
    pub fn learn(&mut self, plan: &Plan) -> Result<()> {
        for principal in plan.accounts.iter().flat_map(|account| &account.principals) {
            let Proof::Nkey(committed) = &principal.proof else {
                continue;
            };
            if principal.kind == PrincipalKind::Leaf {
                self.leaves
                    .insert(principal.name.clone(), committed.clone());
            }
            if !self.pairs.contains_key(committed) {
                self.pairs.insert(committed.clone(), pair()?);
            }
        }
        Ok(())
    }

    /// Gives a leaf another key.
    pub fn renew(&mut self, leaf: &str) -> Result<()> {
        let committed = self.leaves.get(leaf);
        let committed = committed.with_context(|| format!("no hub knows {leaf} by an nkey"))?;
        self.pairs.insert(committed.clone(), pair()?);
        Ok(())
    }

    /// The seed that a server logs in with elsewhere: a leaf's that is known by nkey. Where no hub
    /// of the fleet knows it, one that nobody knows.
    pub fn own_seed(&self, plan: &Plan) -> Result<Option<String>> {
        let mut remotes = plan.link.iter().flat_map(|link| &link.remotes);
        if !remotes.any(|remote| matches!(remote.login, Login::NkeySeed(_))) {
            return Ok(None);
        }
        match self.leaf_seed(&plan.name) {
            Some(seed) => Ok(Some(seed.to_owned())),
            None => Ok(Some(pair()?.1)),
        }
    }

    /// Committed public nkey → throwaway public nkey.
    pub fn publics(&self) -> BTreeMap<String, String> {
        let publics = self
            .pairs
            .iter()
            .map(|(committed, (public, _))| (committed, public));
        publics
            .map(|(committed, public)| (committed.clone(), public.clone()))
            .collect()
    }

    /// The seed that stands for a committed public nkey.
    pub fn seed(&self, committed: &str) -> Option<&str> {
        self.pairs.get(committed).map(|(_, seed)| seed.as_str())
    }

    /// The seed of a leaf that a hub knows by its nkey.
    pub fn leaf_seed(&self, leaf: &str) -> Option<&str> {
        self.seed(self.leaves.get(leaf)?)
    }
}

fn pair() -> Result<(String, String)> {
    let pair = KeyPair::new_user();
    let seed = pair.seed().context("making a throwaway key")?;
    Ok((pair.public_key(), seed))
}
