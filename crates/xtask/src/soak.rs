//! `cargo xtask soak`: campaigns that take long; the last result of each stands in docs/.

mod backup;
mod kills;
mod machine;
mod page;
mod partition;
mod render;

use anyhow::Result;

use crate::lab;
use crate::progress::Progress;
use crate::test;
use crate::workspace::Workspace;

/// What there is to run.
#[derive(clap::Subcommand)]
pub enum Campaign {
    /// Takes, restores and drills a backup of 20 streams, 100,000 messages and 50 consumers; writes docs/backup.md.
    Backup,
    /// Kills our tools and nats-server a hundred times in the middle of each thing that they do; writes docs/kills.md.
    Kills(kills::Args),
    /// Breaks what each story of the lab guards, and sees that the story fails for it.
    Lab {
        /// Only mutants with one of these in their names.
        names: Vec<String>,
    },
    /// Makes every mistake of the table in modules/ and checks/vm/, and sees that a check notices it.
    Modules {
        /// Only mutants with one of these in their names.
        names: Vec<String>,
    },
    /// Cuts a leaf off for a second, a quarter of a minute and a minute, in two ways, kills it meanwhile, and holds every
    /// message at both ends; writes docs/partition.md.
    Partition(partition::Args),
    /// Changes specs a million times and has the real server read thousands of random plans; writes docs/fuzz.md.
    Render(render::Args),
}

/// Runs a campaign.
pub fn run(campaign: &Campaign, workspace: &Workspace, progress: &Progress) -> Result<()> {
    match campaign {
        Campaign::Backup => backup::run(workspace, progress),
        Campaign::Kills(args) => kills::run(args, workspace, progress),
        Campaign::Lab { names } => lab::mutants(names, workspace, progress),
        Campaign::Modules { names } => test::mutants(names, workspace, progress),
        Campaign::Partition(args) => partition::run(args, workspace, progress),
        Campaign::Render(args) => render::run(args, workspace, progress),
    }
}
