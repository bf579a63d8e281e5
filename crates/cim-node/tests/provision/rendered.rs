//! What cim-render writes of declared assets is what a run reads: made once, and then there is nothing to do.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use cim_render::{Artefacts, input};
use cim_spec::Plan;

use crate::support::site;

/// Golden specs that hold something, with how many assets that is.
const CASES: [(&str, &str, usize); 2] = [
    ("assets-hub", "services.cim.fleet.accounts.CIM", 4),
    (
        "assets-cim-prod-001",
        "services.cim.leaves.cim-prod-001.accounts.CIM",
        5,
    ),
];

#[tokio::test]
async fn folders_that_the_build_writes_are_made_true() -> Result<()> {
    for (case, option, count) in CASES {
        let site = site(1, "js:, max_file_store: 107374182400")?; // as on the hosts
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cim-render/tests/golden");
        let spec = input::spec(&golden.join(case).join("spec.json"))?;
        let plan = Plan::from_spec(&spec).map_err(|problems| anyhow::anyhow!("{problems}"))?;
        for (file, content) in Artefacts::render(&plan)?.files {
            let Some(file) = file.strip_prefix("jetstream/CIM/") else {
                continue;
            };
            let path = site.folder().join(file);
            fs::create_dir_all(path.parent().context("a file is in a folder")?)?;
            fs::write(path, content)?;
        }
        let to_do = format!("{count} declared: 0 as declared, {count} to do, 0 refused");
        site.run("plan", &[])?.ended(1, &[&to_do]);
        site.run("plan", &["--json"])?.ended(1, &[option]);
        let done = format!("{count} declared: 0 as declared, {count} done, 0 not");
        site.run("apply", &[])?.ended(0, &[&done]);
        let nothing = format!("{count} declared: {count} as declared");
        for what in ["plan", "apply"] {
            let said = site.run(what, &[])?;
            said.ended(0, &[&nothing]);
            assert_eq!(said.err, "");
        }
    }
    Ok(())
}
