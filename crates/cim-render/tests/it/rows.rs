//! Every row of the table of fields, with its example, on the real nats-server.

use cim_testkit::{Row, nats_server, plan, rows};

use crate::support::each;

#[test]
fn the_real_server_takes_the_example_of_every_row() {
    let binary = nats_server().unwrap();
    let version = cim_check::version(&binary).unwrap();
    let rows = rows().unwrap();
    assert!(rows.len() > 200, "only {} rows are tried", rows.len());
    each(rows, |row| {
        accepted(&row, &binary, &version).map_err(|error| format!("{}: {error:#}", row.name))
    });
}

fn accepted(row: &Row, binary: &std::path::Path, version: &str) -> anyhow::Result<()> {
    let before = plan(&row.unset)?;
    let after = plan(&row.set_to(&row.example)?)?;
    let text = |plan| anyhow::Ok(cim_render::Artefacts::render(plan)?.files["nats.conf"].clone());
    anyhow::ensure!(text(&before)? != text(&after)?, "it changes nothing");
    cim_check::check(&after, binary, version)
}
