//! docs/OPTIONS.md: every option as Nix knows it, made into a page.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Deserialize;

/// One option, as checks/eval/options.nix tells it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OptionDoc {
    loc: Vec<String>,
    #[serde(rename = "type")]
    kind: String,
    description: Option<String>,
    read_only: bool,
    default: Option<Shown>,
    example: Option<Shown>,
}

/// A value, or what is said in its place.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Shown {
    Markdown(String),
    Nix(String),
}

/// A chapter: the options below a path.
struct Chapter {
    title: &'static str,
    /// With dots between.
    below: &'static str,
    about: &'static str,
}

/// Most special first: an option is in the first that fits.
const CHAPTERS: [Chapter; 4] = [
    Chapter {
        title: "The fleet",
        below: "services.cim.fleet",
        about: "What two ends must agree on: one value that every host imports, made with `cim.lib.mkFleet`.",
    },
    Chapter {
        title: "A node of a hub",
        below: "services.cim.hub",
        about: "That this host is a node of one of the fleet's hubs, and what only it has.",
    },
    Chapter {
        title: "Leaves",
        below: "services.cim.leaves",
        about: "That this host runs a leaf of the fleet, or several, and what only they have.",
    },
    Chapter {
        title: "The host",
        below: "services.cim",
        about: "What all instances of a host share.",
    },
];

/// The page.
pub fn page(options: &[OptionDoc]) -> String {
    let mut chapters: BTreeMap<usize, Vec<&OptionDoc>> = BTreeMap::new();
    for option in options {
        chapters.entry(option.chapter()).or_default().push(option);
    }
    let mut page = format!(
        "# Options\n\n\
         All {} options under `services.cim`, made from `modules/` by `cargo xtask golden`; edits are lost. Where an option has a \
         field of nats.conf, its text ends in the field's name. `null` and a list or block that is empty leave a field to \
         nats-server. What is not here goes into `settings`.\n\n",
        options.len()
    );
    for (index, chapter) in CHAPTERS.iter().enumerate() {
        let count = chapters.get(&index).map_or(0, Vec::len);
        let anchor = chapter.title.to_lowercase().replace(' ', "-");
        line(
            &mut page,
            &format!(
                "- [{}](#{anchor}): `{}`, {count} options",
                chapter.title, chapter.below
            ),
        );
    }
    for (index, options) in chapters {
        CHAPTERS[index].write(options, &mut page);
    }
    page
}

impl Chapter {
    fn write(&self, options: Vec<&OptionDoc>, page: &mut String) {
        line(page, &format!("\n## {}\n\n{}", self.title, self.about));
        let depth = self.below.split('.').count();
        let mut blocks: BTreeMap<&str, Vec<&OptionDoc>> = BTreeMap::new();
        for option in options {
            blocks.entry(option.block(depth)).or_default().push(option);
        }
        // Options that have no block of their own come first, together.
        let (single, blocks): (Vec<_>, Vec<_>) = blocks
            .into_iter()
            .partition(|(_, options)| options.len() == 1);
        for (_, options) in single {
            options.iter().for_each(|option| option.write(page));
        }
        for (block, mut options) in blocks {
            line(page, &format!("\n### {}: `{block}`", self.title));
            options.sort_by(|a, b| a.loc.cmp(&b.loc));
            options.iter().for_each(|option| option.write(page));
        }
    }
}

impl OptionDoc {
    fn path(&self) -> String {
        self.loc.join(".")
    }

    fn chapter(&self) -> usize {
        let path = self.path();
        let fits = |chapter: &Chapter| {
            let rest = path.strip_prefix(chapter.below);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        CHAPTERS.iter().position(fits).unwrap_or(CHAPTERS.len() - 1)
    }

    /// The name below the chapter's path, past names that an operator chooses.
    fn block(&self, depth: usize) -> &str {
        let below = self.loc.get(depth..).unwrap_or_default();
        let name = below.iter().find(|name| !name.starts_with('<'));
        name.map_or("", String::as_str)
    }

    fn write(&self, page: &mut String) {
        line(page, &format!("\n#### `{}`\n", self.path()));
        if let Some(description) = &self.description {
            // nixpkgs' own markup.
            line(
                page,
                &format!("{}\n", description.trim().replace("{option}`", "`")),
            );
        }
        line(page, &format!("- type: {}", self.kind));
        match &self.default {
            Some(default) => value("default", default, page),
            None => line(page, "- no default"),
        }
        if let Some(example) = &self.example {
            value("example", example, page);
        }
        if self.read_only {
            line(page, "- it is to be read, not set");
        }
    }
}

fn value(what: &str, shown: &Shown, page: &mut String) {
    match shown {
        Shown::Markdown(text) => line(page, &format!("- {what}: {}", text.trim())),
        Shown::Nix(text) if text.contains(['\n', '`']) => {
            line(page, &format!("- {what}:\n\n  ```nix"));
            for text in text.trim_end().lines() {
                line(page, format!("  {text}").trim_end());
            }
            line(page, "  ```");
        }
        Shown::Nix(text) => line(page, &format!("- {what}: `{text}`")),
    }
}

fn line(page: &mut String, text: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(page, "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_stand_in_their_chapters() {
        let option = |path: &str, default: &str| -> OptionDoc {
            serde_json::from_value(serde_json::json!({
                "loc": path.split('.').collect::<Vec<_>>(),
                "type": "string",
                "description": "See {option}`x`.\n",
                "readOnly": false,
                "default": { "nix": default },
                "example": { "markdown": "*none*" },
            }))
            .unwrap()
        };
        let page = page(&[
            option("services.cim.leaves.<name>.limits.b", "{\n  x = 1;\n}"),
            option("services.cim.leaves.<name>.limits.a", "1"),
            option("services.cim.leaves.<name>.host", "1"),
            option("services.cim.packages", "1"),
        ]);
        let place = |text: &str| {
            page.find(text)
                .unwrap_or_else(|| panic!("no {text} in {page}"))
        };
        assert!(place("## Leaves") < place("#### `services.cim.leaves.<name>.host`"));
        assert!(place("<name>.host`") < place("### Leaves: `limits`"));
        assert!(place("limits.a`") < place("limits.b`"));
        assert!(place("limits.b`") < place("## The host\n"));
        assert!(page.contains("- default:\n\n  ```nix\n  {\n    x = 1;\n  }\n  ```\n"));
        assert!(page.contains("See `x`.\n\n- type: string\n"));
    }
}
