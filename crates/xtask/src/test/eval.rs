//! checks/eval: Nix expressions over one copy of the project's files, with the stand-in for the flake's inputs.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde::de::DeserializeOwned;

use crate::process;
use crate::tools::Tools;

/// One copy of the project's files, ready to be evaluated.
#[derive(Debug, Clone)]
pub struct Eval<'a> {
    tools: &'a Tools,
    source: PathBuf,
    standins: PathBuf,
}

impl<'a> Eval<'a> {
    /// The files in `source`, with the stand-ins in `standins`.
    pub fn new(tools: &'a Tools, source: &Path, standins: &Path) -> Self {
        Self {
            tools,
            source: source.to_path_buf(),
            standins: standins.to_path_buf(),
        }
    }

    /// A file of the copy.
    pub fn file(&self, path: &str) -> PathBuf {
        self.source.join(path)
    }

    /// The value of an attribute of checks/eval.
    pub fn json<T: DeserializeOwned>(&self, attribute: &str) -> Result<T> {
        let mut nix = self.nix("eval", attribute)?;
        let said = process::output(nix.arg("--json"))?;
        serde_json::from_str(&said).with_context(|| format!("reading {attribute} of checks/eval"))
    }

    /// Builds what an attribute of checks/eval is.
    pub fn build(&self, attribute: &str) -> Result<PathBuf> {
        let mut nix = self.nix("build", attribute)?;
        let said = process::output(nix.args(["--no-link", "--print-out-paths"]))?;
        Ok(PathBuf::from(said.trim()))
    }

    fn nix(&self, task: &str, attribute: &str) -> Result<Command> {
        let mut nix = self.tools.command("nix")?;
        nix.args([task, "--impure", "--offline", "--expr"])
            .arg(format!(
                "(import {} {{ standin = {}; }}).{attribute}",
                path(&self.file("checks/eval")),
                path(&self.standins)
            ));
        Ok(nix)
    }
}

/// A path as a Nix expression.
pub fn path(path: &Path) -> String {
    format!("(/. + {})", string(&path.display().to_string()))
}

/// A text as a Nix expression.
pub fn string(text: &str) -> String {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace("${", "\\${");
    format!("\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stay_what_they_are() {
        assert_eq!(string(r#"a "b" ${c} \"#), r#""a \"b\" \${c} \\""#);
        assert_eq!(path(Path::new("/a b")), r#"(/. + "/a b")"#);
    }
}
