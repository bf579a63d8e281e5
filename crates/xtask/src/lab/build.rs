//! Builds the generations of the lab's hosts, and writes down where everything is.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result};
use cim_lab::{Generation, Stage};
use serde::Deserialize;

use super::generations::{Change, Recipe};
use super::keys::Keys;
use super::root;
use crate::flake::Flake;
use crate::mirror::Mirror;
use crate::progress::Progress;
use crate::workspace::Workspace;
use crate::{private, process};

/// Where the lab's root, keys, sources and stage are.
pub fn folder(workspace: &Workspace) -> PathBuf {
    workspace.target.join("lab")
}

/// The sources of a generation.
pub fn sources(workspace: &Workspace, recipe: &Recipe) -> PathBuf {
    folder(workspace).join("src").join(recipe.name)
}

/// Builds hosts and makes the root; says where everything is.
pub fn prepare(
    workspace: &Workspace,
    flake: &Flake,
    recipes: &[Recipe],
    progress: &Progress,
) -> Result<Stage> {
    let root = root::ensure(&folder(workspace), progress)?;
    let mut keys = Keys::open(&folder(workspace))?;
    let mut generations = BTreeMap::new();
    for recipe in recipes {
        let what = format!("building generation {} of the hosts", recipe.name);
        let source = sources(workspace, recipe);
        let built = progress.doing(&what, || generation(source, flake, recipe, &[], &mut keys))?;
        generations.insert(recipe.name.to_owned(), built);
    }
    Ok(Stage {
        root,
        seeds: keys.seeds(),
        generations,
        deploy: None,
    })
}

/// The same stage with the recipes' generations built with more changes, all of them in every one.
pub fn changed(
    workspace: &Workspace,
    flake: &Flake,
    recipes: &[&Recipe],
    more: &[Change],
    whole: &Stage,
) -> Result<Stage> {
    let mut stage = whole.clone();
    let mut keys = Keys::open(&folder(workspace))?;
    for recipe in recipes {
        let source = folder(workspace).join("mutant").join(recipe.name);
        let built = generation(source, flake, recipe, more, &mut keys)?;
        stage.generations.insert(recipe.name.to_owned(), built);
    }
    Ok(stage)
}

/// Writes a stage to a file of the lab's folder; gives the file.
pub fn write(workspace: &Workspace, name: &str, stage: &Stage) -> Result<PathBuf> {
    let file = folder(workspace).join(name);
    let text = serde_json::to_string_pretty(stage).context("writing the stage")?;
    private::write(&file, &text)?;
    Ok(file)
}

/// Builds one generation from a copy of the project's files.
fn generation(
    source: PathBuf,
    flake: &Flake,
    recipe: &Recipe,
    more: &[Change],
    keys: &mut Keys,
) -> Result<Generation> {
    let mut copy = Mirror::at(&source);
    copy.copy_folder(flake.source())?;
    for (path, text) in recipe.files(flake.source(), more, keys)? {
        copy.write(&path, text.as_bytes(), false)?;
    }
    copy.finish()?;
    let flake = flake.at(source);
    let hosts = recipe.hosts();
    if hosts.is_empty() {
        return build(&flake, &names(&flake)?, true);
    }
    build(&flake, &hosts, false)
}

#[derive(Deserialize)]
struct Built {
    outputs: BTreeMap<String, PathBuf>,
}

/// The names of all hosts.
fn names(flake: &Flake) -> Result<Vec<String>> {
    let names = process::output(&mut flake.nix(&[
        "eval",
        "--json",
        &format!("{}#nixosConfigurations", flake.reference()),
        "--apply",
        "builtins.attrNames",
    ])?)?;
    serde_json::from_str(&names).context("reading the hosts' names")
}

/// Builds hosts, and the specs where the lab makes its hosts of this generation.
fn build(flake: &Flake, names: &[String], with_specs: bool) -> Result<Generation> {
    const SYSTEM: &str = "-nixos-system-";
    let reference = flake.reference();
    let mut args = vec!["build".to_owned(), "--no-link".into(), "--json".into()];
    if with_specs {
        args.push(format!("{reference}#specs"));
    }
    let toplevel = |name: &String| {
        format!("{reference}#nixosConfigurations.{name}.config.system.build.toplevel")
    };
    args.extend(names.iter().map(toplevel));
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let said = process::output(&mut flake.nix(&args)?)?;
    let built: Vec<Built> = serde_json::from_str(&said).context("reading what nix built")?;
    let mut hosts = BTreeMap::new();
    let mut specs = None;
    for path in built
        .into_iter()
        .filter_map(|mut built| built.outputs.remove("out"))
    {
        let name = path.to_string_lossy().into_owned();
        match name.split_once(SYSTEM) {
            Some((_, host)) => drop(hosts.insert(host.to_owned(), path)),
            None => specs = Some(path),
        }
    }
    Ok(Generation { hosts, specs })
}
