//! docs/OPTIONS.md is what the modules say today.

use std::fs;

use anyhow::{Context, Result, ensure};

use super::eval::Eval;
use super::{Session, golden};
use crate::reference;

/// The page, in the checkout.
pub const PAGE: &str = "docs/OPTIONS.md";

/// The step.
pub(super) fn run(session: &mut Session) -> Result<()> {
    let tools = session.tools()?;
    let flake = session.flake()?;
    let page = page(&Eval::new(&tools, flake.source(), flake.standins()))?;
    let file = session.workspace.root.join(PAGE);
    golden::update_text(&file, &page)?;
    let committed =
        fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
    let differing = committed
        .lines()
        .zip(page.lines())
        .find(|(old, new)| old != new);
    ensure!(
        committed == page,
        "{PAGE} is not what the modules say; `cargo xtask golden` makes it anew. The first line that differs:\n  {}",
        differing.map_or("the last one".to_owned(), |(old, new)| format!(
            "- {old}\n  + {new}"
        ))
    );
    Ok(())
}

/// The page that the modules make.
pub fn page(eval: &Eval) -> Result<String> {
    let options: Vec<reference::OptionDoc> = eval.json("options")?;
    ensure!(!options.is_empty(), "the modules declare no option");
    Ok(reference::page(&options))
}
