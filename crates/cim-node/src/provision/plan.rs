//! The plan: what would be done to each declared asset, and why not.

use std::collections::BTreeMap;

use cim_spec::asset::Kind;

use super::asset::Asset;
use super::difference::Difference;
use super::loss::Loss;
use super::tree::Tree;

/// What would be done, asset by asset: streams first, consumers last.
#[derive(Debug)]
pub struct Plan {
    /// One step an asset, in order.
    pub steps: Vec<Step>,
    /// What the server has and nobody declared; left alone.
    pub undeclared: Vec<Asset>,
    /// What an operator should tidy up.
    pub warnings: Vec<String>,
}

/// What would be done to one asset.
#[derive(Debug)]
pub struct Step {
    /// Which.
    pub asset: Asset,
    /// The option that declares it, where that is known.
    pub option: Option<String>,
    /// What would be done.
    pub action: Action,
    /// Fields that differ.
    pub changes: Vec<Changed>,
    /// The id that consents to this very difference, where it is lossy.
    pub plan_id: Option<String>,
    /// The configuration to send.
    pub config: Tree,
    /// What the server should hold then.
    pub full: Tree,
    /// How many messages the server has in it; of a consumer, how many wait for it.
    pub stored: u64,
    /// What it held when that was planned, with the defaults filled in; `None`: nothing.
    pub held: Option<Tree>,
}

/// What would be done to an asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Nothing: it is as declared.
    None,
    /// It is made.
    Create,
    /// It is updated in place, nothing stored goes.
    Update,
    /// It is updated and messages go: consent was given to that.
    Lose,
    /// Nothing, as messages would go and nobody consented; why the consent that was given does not count, if any was.
    Lossy(Option<String>),
    /// Nothing, as no update does it.
    Impossible,
    /// Nothing: what is declared cannot be; each with what to do.
    Refused(Vec<(String, String)>),
    /// Nothing, as the server does not tell what it has.
    Unknown(String),
}

/// One field that differs, judged.
#[derive(Debug)]
pub struct Changed {
    /// The field's name in the asset's file; of a bucket's stream, where the file has no such field.
    pub field: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// From what to what.
    pub difference: Difference,
    /// What it means.
    pub means: Means,
}

/// What a difference means once it is measured.
#[derive(Debug, PartialEq, Eq)]
pub enum Means {
    /// Nothing stored goes.
    InPlace,
    /// Messages go.
    Lossy(Loss),
    /// No update does it; why.
    Impossible(String),
}

/// What planning needs beside the server and the files.
#[derive(Debug)]
pub struct Settings {
    /// Consent, by asset: from the files and from the command line.
    pub consent: BTreeMap<String, String>,
    /// How many questions are open at a time.
    pub at_once: usize,
    /// Why nothing may be made now; `None`: it may.
    pub no_creates: Option<String>,
}
