//! Version numbers as programs print them.

use std::fmt;

use anyhow::{Result, bail};

/// A version: three numbers, and whether it is a release or only on the way to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    numbers: [u32; 3],
    release: bool,
}

impl Version {
    /// The release with these numbers.
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self {
            numbers: [major, minor, patch],
            release: true,
        }
    }

    /// The version in what a program's `--version` prints: the first of the first line that is not in brackets.
    pub fn printed(output: &str) -> Result<Self> {
        let line = output.lines().next().unwrap_or_default();
        match without_brackets(line)
            .split_whitespace()
            .find_map(Self::parse)
        {
            Some(version) => Ok(version),
            None => bail!("looking for a version in {line:?}: there is none"),
        }
    }

    /// `v2.15.1`, `2.26`, `252`, `2.12.0-RC.1`, `2.35pre20260101`.
    fn parse(word: &str) -> Option<Self> {
        let word = word.strip_prefix('v').unwrap_or(word);
        let end = word
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(word.len());
        let (digits, rest) = word.split_at(end);
        if !(rest.is_empty() || rest.starts_with(['-', '+', '~']) || rest.starts_with("pre")) {
            return None;
        }
        let mut numbers = [0; 3];
        for (index, part) in digits.split('.').enumerate() {
            let number = part.parse().ok()?;
            if let Some(slot) = numbers.get_mut(index) {
                *slot = number;
            }
        }
        let release = rest.is_empty() || rest.starts_with('+');
        Some(Self { numbers, release })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.numbers;
        write!(
            f,
            "{major}.{minor}.{patch}{}",
            if self.release { "" } else { "-pre" }
        )
    }
}

fn without_brackets(line: &str) -> String {
    let mut depth = 0_usize;
    line.chars()
        .filter(|c| {
            match c {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => return depth == 0,
            }
            false
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_tools_print() {
        for (output, version) in [
            ("nats-server: v2.15.1\n", Version::new(2, 15, 1)),
            ("nix (Nix) 2.34.8\n", Version::new(2, 34, 8)),
            ("nix (Nix) 2.26.3", Version::new(2, 26, 3)),
            ("nix (Determinate Nix 3.8.5) 2.30.2", Version::new(2, 30, 2)),
            (
                "nix (Lix, like Nix) 2.93.0\nSystem type: x86_64-linux",
                Version::new(2, 93, 0),
            ),
            (
                "systemd 252 (252.38-1~deb12u1)\n+PAM +AUDIT",
                Version::new(252, 0, 0),
            ),
            ("nixfmt-rs 0.5.3", Version::new(0, 5, 3)),
            ("taplo 0.10.0+build", Version::new(0, 10, 0)),
            ("sops 3.11.0\n", Version::new(3, 11, 0)),
            ("1.2.1", Version::new(1, 2, 1)),
        ] {
            assert_eq!(Version::printed(output).unwrap(), version, "{output}");
        }
    }

    #[test]
    fn a_version_on_the_way_comes_before_its_release() {
        let release = Version::new(2, 26, 0);
        for early in ["nix (Nix) 2.26pre20250101_abc", "nats-server: v2.26.0-RC.1"] {
            let early = Version::printed(early).unwrap();
            assert!(early < release && early > Version::new(2, 25, 9), "{early}");
        }
    }

    #[test]
    fn compares_numbers_not_text() {
        assert!(Version::new(2, 8, 0) < Version::new(2, 26, 0));
        assert!(Version::new(2, 14, 5) > Version::new(2, 14, 4));
        assert!(Version::new(3, 0, 0) > Version::new(2, 99, 99));
    }

    #[test]
    fn says_what_it_got_where_there_is_no_version() {
        for output in [
            "",
            "command not found",
            "nix (Nix 2.34.8)",
            "nats-server: vNext",
            "a 1.2x 4294967296.0",
        ] {
            let error = Version::printed(output).unwrap_err().to_string();
            assert!(error.contains(output), "{error}");
        }
    }
}
