//! Mutants of the product for the lab: each breaks what one story guards, and that story must fail for it.

mod table;

use std::path::Path;
use std::rc::Rc;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use cim_lab::Stage;

use self::table::{MUTANTS, Mutant};
use super::build;
use super::generations::{GENERATIONS, Recipe};
use crate::flake::Flake;
use crate::process;
use crate::progress::Progress;
use crate::tools::{Purpose, Tools};
use crate::workspace::Workspace;

/// Tries all mutants, or those whose names hold one of `names`, and prints what came of each.
pub fn run(names: &[String], workspace: &Workspace, progress: &Progress) -> Result<()> {
    cim_lab::possible()?;
    let tools = Rc::new(Tools::install(workspace, Purpose::Test, progress)?);
    let flake = Flake::assemble(workspace, tools, None, progress)?;
    let whole = build::prepare(workspace, &flake, &GENERATIONS, progress)?;
    let wanted =
        |mutant: &&Mutant| names.is_empty() || names.iter().any(|name| mutant.name.contains(name));
    let chosen = MUTANTS.iter().filter(wanted);
    let mut table =
        String::from("| broken | story that fails | with | s |\n| --- | --- | --- | ---: |\n");
    let mut wrong = Vec::new();
    for mutant in chosen {
        let since = Instant::now();
        let caught = progress.doing(mutant.name, || attempt(mutant, workspace, &flake, &whole));
        if let Err(error) = caught {
            eprintln!("error: {error:#}");
            wrong.push(mutant.name);
            continue;
        }
        let took = since.elapsed().as_secs();
        table.push_str(&format!(
            "| {} | {} | {} | {took} |\n",
            mutant.name, mutant.story, mutant.says
        ));
    }
    print!("{table}");
    ensure!(wrong.is_empty(), "not caught: {}", wrong.join(", "));
    Ok(())
}

/// Builds the broken hosts and tells one story on them; an error if it passes, or fails for something else.
fn attempt(mutant: &Mutant, workspace: &Workspace, flake: &Flake, whole: &Stage) -> Result<()> {
    let recipe = |name: &&str| -> Result<&Recipe> {
        let found = GENERATIONS.iter().find(|recipe| recipe.name == *name);
        found.with_context(|| format!("no generation {name}"))
    };
    let recipes = std::iter::once(&"base").chain(mutant.generations);
    let recipes = recipes.map(recipe).collect::<Result<Vec<_>>>()?;
    let stage = build::changed(workspace, flake, &recipes, mutant.changes, whole)
        .context("building it: it must build, for the lab to see it")?;
    let stage = build::write(workspace, "mutant.json", &stage)?;
    told(mutant, workspace, &stage)
}

fn told(mutant: &Mutant, workspace: &Workspace, stage: &Path) -> Result<()> {
    let mut tests = super::tests(workspace);
    let (status, said) = process::heard(tests.arg(mutant.story).env("CIM_LAB", stage))?;
    ensure!(
        !status.success(),
        "the story {:?} passes:\n{said}",
        mutant.story
    );
    if !said.contains(mutant.says) {
        bail!(
            "the story {:?} fails for something else than {:?}:\n{said}",
            mutant.story,
            mutant.says
        );
    }
    Ok(())
}
