//! `cargo xtask soak`: campaigns that take long; the last result of each stands in docs/.

mod render;

use anyhow::Result;

use crate::progress::Progress;
use crate::workspace::Workspace;

/// What there is to run.
#[derive(clap::Subcommand)]
pub enum Campaign {
    /// Changes specs a million times and has the real server read thousands of random plans; writes docs/fuzz.md.
    Render(render::Args),
}

/// Runs a campaign.
pub fn run(campaign: &Campaign, workspace: &Workspace, progress: &Progress) -> Result<()> {
    match campaign {
        Campaign::Render(args) => render::run(args, workspace, progress),
    }
}
