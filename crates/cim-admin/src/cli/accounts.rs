//! `cim-admin accounts …`: the committed accounts and those of a running hub.

mod report;
mod survey;

use anyhow::{Result, bail, ensure};
use clap::Subcommand;
use serde_json::json;

use super::consent;
use super::reach::{Reach, online};
use super::{Desk, Report};
use crate::push::{self, Held, Verdict};
use report::{lines, losses, of_pushed};
use survey::Survey;

#[derive(Debug, Subcommand)]
pub enum Accounts {
    /// Says what a push would change, account by account; fails if there is something
    Diff {
        #[command(flatten)]
        reach: Reach,
        /// Only this account; may be given again
        #[arg(long = "account", value_name = "NAME")]
        accounts: Vec<String>,
    },
    /// Brings accounts that differ to every node, and waits until each has taken them
    Push {
        #[command(flatten)]
        reach: Reach,
        /// Only this account; may be given again
        #[arg(long = "account", value_name = "NAME")]
        accounts: Vec<String>,
        /// Consents to what it takes from someone
        #[arg(long)]
        yes: bool,
        /// Replaces JWTs on the hub that were issued later than the committed ones
        #[arg(long)]
        replace_newer: bool,
        /// Says what it would do, and changes nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Removes an account that is no longer in the folder from every node
    Delete {
        /// The account: its name on the hub, or its public key
        account: String,
        #[command(flatten)]
        reach: Reach,
        /// Consents to the end of the account, its streams and its connections
        #[arg(long)]
        confirm: bool,
        /// Says what it would do, and changes nothing
        #[arg(long)]
        dry_run: bool,
    },
}

impl Accounts {
    pub fn run(&self, desk: &Desk) -> Result<Report> {
        match self {
            Accounts::Diff { reach, accounts } => online(diff(reach, accounts, desk)),
            Accounts::Push {
                reach,
                accounts,
                yes,
                replace_newer,
                dry_run,
            } => {
                let wish = Wish {
                    yes: *yes,
                    replace_newer: *replace_newer,
                    dry_run: *dry_run,
                };
                online(push(reach, accounts, &wish, desk))
            }
            Accounts::Delete {
                account,
                reach,
                confirm,
                dry_run,
            } => online(delete(reach, account, *confirm, *dry_run, desk)),
        }
    }
}

/// What the operator consents to.
struct Wish {
    yes: bool,
    replace_newer: bool,
    dry_run: bool,
}

async fn diff(reach: &Reach, names: &[String], desk: &Desk) -> Result<Report> {
    let committed = reach.committed()?;
    let chosen = committed.chosen(names)?;
    let survey = Survey::of(reach, &committed, chosen, desk).await?;
    Ok(Report {
        lines: lines(&survey),
        good: survey
            .verdicts
            .iter()
            .all(|(_, verdict)| matches!(verdict, Verdict::Same)),
        json: report::json(&survey),
    })
}

async fn push(reach: &Reach, names: &[String], wish: &Wish, desk: &Desk) -> Result<Report> {
    let committed = reach.committed()?;
    let chosen = committed.chosen(names)?;
    let survey = Survey::of(reach, &committed, chosen, desk).await?;
    survey.fits()?;
    if !wish.replace_newer {
        survey.none_newer()?;
    }
    let mut differing = survey.differing();
    // The desk itself logs in to the system account, which a push may make it do anew.
    let system = committed.operator.nats.system_account.as_str();
    differing.sort_by_key(|account| account.key() == system);
    let mut said = lines(&survey);
    if wish.dry_run {
        said.push(format!("would push {} accounts", differing.len()));
        let mut json = report::json(&survey);
        json["dryRun"] = true.into();
        return Ok(Report::new(said, json));
    }
    consent::ask(&losses(&survey), wish.yes)?;
    let pushed = push::push(&survey.hub, &survey.nodes, &differing, reach.pace()).await?;
    let good = pushed.iter().all(|account| account.missed.is_empty());
    said.extend(of_pushed(&pushed, survey.nodes.len()));
    let mut json = report::json(&survey);
    json["pushed"] = report::pushed(&pushed);
    Ok(Report {
        lines: said,
        json,
        good,
    })
}

async fn delete(
    reach: &Reach,
    account: &str,
    confirm: bool,
    dry_run: bool,
    desk: &Desk,
) -> Result<Report> {
    let committed = reach.committed()?;
    let held = |held: &&Held| held.name == account || held.key() == account;
    if let Some(held) = committed.accounts.iter().find(held) {
        bail!(
            "{} is in {}: take it out of the fleet and run `cim-admin identity make` first",
            held.name,
            reach.identity().display()
        );
    }
    let survey = Survey::of(reach, &committed, Vec::new(), desk).await?;
    let named: Vec<_> = survey
        .strangers
        .iter()
        .filter(|stranger| stranger.key == account || stranger.name == account)
        .collect();
    ensure!(
        named.len() < 2,
        "{} accounts there are called {account}: name one by its public key: {}",
        named.len(),
        named
            .iter()
            .map(|a| a.key.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    );
    let Some(stranger) = named.first() else {
        bail!("the hub has no account {account}; `cim-admin accounts diff` lists what it has");
    };
    let title = format!("{} ({})", stranger.name, stranger.key);
    if !confirm && !dry_run {
        bail!(
            "account {title}, its streams and its connections would end: --confirm is your consent"
        );
    }
    let json = json!({ "account": stranger.name, "key": stranger.key, "dryRun": dry_run });
    if dry_run {
        return Ok(Report::new(
            vec![format!("would delete account {title}")],
            json,
        ));
    }
    let signer = survey::signer(reach, &committed, desk)?;
    push::delete(
        &survey.hub,
        &survey.nodes,
        &stranger.key,
        &signer,
        desk.now.unix_timestamp(),
    )
    .await?;
    Ok(Report::new(vec![format!("deleted account {title}")], json))
}
