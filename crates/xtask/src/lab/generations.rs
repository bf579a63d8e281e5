//! The states of the flake that the lab's hosts go through.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::keys::Keys;

/// One change of a file: this text, there once, becomes that.
pub type Change = (&'static str, &'static str, &'static str);

/// How a generation differs from what is committed, beside the keys.
#[derive(Debug)]
pub struct Recipe {
    /// Its name.
    pub name: &'static str,
    changes: &'static [Change],
}

/// All of them; every one has the host with two instances.
pub const GENERATIONS: [Recipe; 7] = [
    Recipe {
        name: "base",
        changes: &[],
    },
    // A permission: hot, on the leaf whose user it is.
    Recipe {
        name: "reload",
        changes: &[(
            "hosts/cim-prod-001.nix",
            "\"metrics.>\"\n",
            "\"metrics.>\"\n        \"audit.>\"\n",
        )],
    },
    // The size of a store: cold.
    Recipe {
        name: "restart",
        changes: &[
            ("hosts/cim-prod-001.nix", "\"50GiB\"", "\"40GiB\""),
            (
                "hosts/cim-dev-001.nix",
                "    logging.debug = true;\n",
                "    logging.debug = true;\n    jetstream.maxFileStore = \"5GiB\";\n",
            ),
        ],
    },
    // A limit of a stream: nats-server does not hear of it.
    Recipe {
        name: "declared",
        changes: &[(
            "hosts/cim-dev-001.nix",
            "maxAge = \"7d\";",
            "maxAge = \"1d\";",
        )],
    },
    // What a stream keeps, which no update makes a work queue.
    Recipe {
        name: "undoable",
        changes: &[(
            "hosts/cim-dev-001.nix",
            "maxAge = \"7d\";",
            "maxAge = \"7d\";\n        retention = \"workqueue\";",
        )],
    },
    // A secret that nobody put on the host: it builds, and cannot start.
    Recipe {
        name: "broken",
        changes: &[(
            "hosts/cim-prod-001.nix",
            "\"/run/secrets/cim-prod-001.nk\"",
            "\"/run/secrets/nowhere.nk\"",
        )],
    },
    // A key that the hub does not know: its units start, and the leaf is alone.
    Recipe {
        name: "unwell",
        changes: &[
            (
                "hosts/cim-prod-001.nix",
                "\"/run/secrets/cim-prod-001.nk\"",
                "\"/run/unwell.nk\"",
            ),
            (
                "hosts/cim-prod-001.nix",
                "  services.cim.leaves.cim-prod-001 = {\n",
                "  services.cim.gate.wait = \"8s\";\n  services.cim.leaves.cim-prod-001 = {\n",
            ),
        ],
    },
];

/// A host that hosts/ does not have: two leaves on one machine.
const EDGE: &str = "hosts/cim-edge-001.nix";
const EDGE_LEAVES: [(&str, u16, u16); 2] =
    [("cim-edge-001", 4222, 8222), ("cim-edge-002", 4223, 8223)];
/// Of the first leaf: a hung watcher is noticed before a story is over, and somebody is told.
const EDGE_HEALTH: &str = "  services.cim.leaves.cim-edge-001.health = {\n    watchdog = \"6s\";\n    \
     onFailure = [ \"lab-told.service\" ];\n  };\n";

impl Recipe {
    /// The hosts that differ from the first generation's; none: it is the first, and all are built.
    pub fn hosts(&self) -> Vec<String> {
        let host = |(path, ..): &Change| path.strip_prefix("hosts/")?.strip_suffix(".nix");
        let hosts = self.changes.iter().filter_map(host);
        hosts.map(str::to_owned).collect()
    }

    /// The files that are not as committed, by their paths; with more changes than the recipe's.
    pub fn files(
        &self,
        source: &Path,
        more: &[Change],
        keys: &mut Keys,
    ) -> Result<Vec<(PathBuf, String)>> {
        let changes: Vec<&Change> = self.changes.iter().chain(more).collect();
        let mut paths = hosts(source)?;
        paths.extend(changes.iter().map(|change| PathBuf::from(change.0)));
        paths.sort();
        paths.dedup();
        let mut files = Vec::new();
        for path in paths {
            let from = source.join(&path);
            let text =
                fs::read_to_string(&from).with_context(|| format!("reading {}", from.display()))?;
            let mut text = keys.replace(&text)?;
            for (_, old, new) in changes.iter().filter(|change| path == Path::new(change.0)) {
                text = replaced(&text, old, new, &path)?;
            }
            if path == Path::new("hosts/fleet.nix") {
                text = replaced(&text, "  leaves = {\n", &in_fleet(keys)?, &path)?;
            }
            files.push((path, text));
        }
        files.push((PathBuf::from(EDGE), keys.replace(&edge_host())?));
        Ok(files)
    }
}

/// The files of hosts/.
fn hosts(source: &Path) -> Result<Vec<PathBuf>> {
    let folder = source.join("hosts");
    let doing = || format!("listing {}", folder.display());
    let mut paths = Vec::new();
    for entry in fs::read_dir(&folder).with_context(doing)? {
        let name = entry.with_context(doing)?.file_name();
        if name.to_string_lossy().ends_with(".nix") {
            paths.push(Path::new("hosts").join(name));
        }
    }
    paths.sort();
    Ok(paths)
}

fn replaced(text: &str, old: &str, new: &str, path: &Path) -> Result<String> {
    let found = text.matches(old).count();
    ensure!(
        found == 1,
        "{} has {old:?} {found} times, and the lab changes it where it is once",
        path.display()
    );
    Ok(text.replace(old, new))
}

fn in_fleet(keys: &mut Keys) -> Result<String> {
    let mut text = String::from("  leaves = {\n");
    for (name, ..) in EDGE_LEAVES {
        let nkey = keys.public(name)?;
        text.push_str(&format!(
            "    {name} = {{\n      account = \"CIM\";\n      nkey = \"{nkey}\";\n      \
             imports = [ \"commands.>\" ];\n      exports = [ \"metrics.>\" ];\n    }};\n"
        ));
    }
    Ok(text)
}

fn edge_host() -> String {
    let mut text = String::from("{\n  networking.hostName = \"cim-edge-001\";\n");
    for (name, port, http_port) in EDGE_LEAVES {
        text.push_str(&format!(
            "  services.cim.leaves.{name} = {{\n    port = {port};\n    httpPort = {http_port};\n    \
             nkeySeedFile = \"/run/secrets/{name}.nk\";\n    remotes.hub.tls = {{\n      \
             certFile = \"/run/secrets/{name}.pem\";\n      keyFile = \"/run/secrets/{name}.key\";\n      \
             caFile = \"/etc/ssl/certs/cim-ca.pem\";\n    }};\n    accounts.CIM.users.app.nkey = \
             \"UDVYRKCDSNW6MDQSHMYWGLFGB2532YMH4JPQHZJW6GHQQSYDVZ6Q4CWK\";\n  }};\n"
        ));
    }
    text.push_str(EDGE_HEALTH);
    text.push_str("}\n");
    text
}
