//! What the programs on a node are made of: nothing of the build's, nothing of the desk's.

use std::process::Command;

use anyhow::{Context, Result, ensure};

/// What renders, what makes certificates, what encrypts: DESIGN keeps these off the node.
const ELSEWHERE: [&str; 6] = [
    "tera",
    "rcgen",
    "age",
    "cim-render",
    "cim-check",
    "cim-admin",
];

#[test]
fn no_program_of_a_node_has_what_belongs_elsewhere() -> Result<()> {
    let cargo = std::env::var_os("CARGO").context("cargo says where it is")?;
    let tree = Command::new(cargo)
        .args(["tree", "--offline", "--locked", "--package", "cim-node"])
        .args(["--edges", "normal,build", "--prefix", "none"])
        .args(["--format", "{p}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .context("running cargo tree")?;
    let said = String::from_utf8_lossy(&tree.stderr);
    ensure!(tree.status.success(), "{said}");
    let text = String::from_utf8(tree.stdout)?;
    let crates = text.lines().filter_map(|line| line.split(' ').next());
    let crates: Vec<_> = crates.collect();
    ensure!(crates.contains(&"async-nats"), "{crates:?}");
    for elsewhere in ELSEWHERE {
        ensure!(!crates.contains(&elsewhere), "cim-node has {elsewhere}");
    }
    Ok(())
}
