//! A page in docs/ of which a campaign writes a part, between two lines; whoever wrote the rest, it stays.

use std::fs;

use anyhow::{Context, Result};

use crate::workspace::Workspace;

const END: &str = "<!-- to here -->\n";

/// A page.
pub struct Page {
    /// Where it is, from the workspace on.
    pub path: &'static str,
    /// The line after which the part begins.
    pub begin: &'static str,
}

impl Page {
    /// What stands in the part.
    pub fn part(&self, workspace: &Workspace) -> Result<String> {
        Ok(self.split(&self.text(workspace)?)?.1.to_owned())
    }

    /// Writes the part anew.
    pub fn write(&self, workspace: &Workspace, part: &str) -> Result<()> {
        let text = self.with(&self.text(workspace)?, part)?;
        fs::write(workspace.root.join(self.path), text)
            .with_context(|| format!("writing {}", self.path))
    }

    fn text(&self, workspace: &Workspace) -> Result<String> {
        fs::read_to_string(workspace.root.join(self.path))
            .with_context(|| format!("reading {}", self.path))
    }

    /// What is before the part, the part, and what is after it.
    fn split<'a>(&self, text: &'a str) -> Result<(&'a str, &'a str, &'a str)> {
        let (path, begin) = (self.path, self.begin);
        let lost = || format!("{path} has no place between {begin:?} and {END:?}");
        let (before, rest) = text.split_once(begin).with_context(lost)?;
        let (part, after) = rest.split_once(END).with_context(lost)?;
        Ok((before, part, after))
    }

    fn with(&self, text: &str, part: &str) -> Result<String> {
        let (before, _, after) = self.split(text)?;
        Ok(format!("{before}{}\n{part}\n{END}{after}", self.begin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: Page = Page {
        path: "docs/page.md",
        begin: "<!-- from here -->\n",
    };

    #[test]
    fn a_result_replaces_the_one_before_and_nothing_else() {
        let text = format!("a\n{}old\n{END}z\n", PAGE.begin);
        let new = PAGE.with(&text, "new").unwrap();
        assert_eq!(new, format!("a\n{}\nnew\n{END}z\n", PAGE.begin));
        assert_eq!(PAGE.split(&new).unwrap().1, "\nnew\n");
        let error = PAGE.with("a", "new").unwrap_err().to_string();
        assert!(error.contains(PAGE.path), "{error}");
    }
}
