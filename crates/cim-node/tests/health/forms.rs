//! The forms that a report is told in.

use anyhow::{Context, Result, ensure};
use cim_testkit::golden;
use regex::Regex;

use crate::fault::well;
use crate::scene::{LEAF, alone, pair};

#[tokio::test]
async fn each_form_of_a_report() -> Result<()> {
    let scene = pair().await?;
    well(&scene)?;
    let text = scene.run(&[])?;
    ensure!(
        text.code == 0 && text.out.starts_with("cim-prod-001: OK ("),
        "{text:?}"
    );
    ensure!(
        text.out
            .contains("OK        link hub: linked to hub (127.0.0.1:"),
        "{text:?}"
    );
    let nagios = scene.run(&["--nagios"])?;
    let first = nagios.out.lines().next().context("a line")?;
    let line = Regex::new(
        r"^CIM cim-prod-001: OK: \d+ checks \| ('[^'=|]+'=-?[0-9.]+(c|%|s|B)?(;[0-9.:]*;[0-9.:]*)? ?)+$",
    )?;
    ensure!(line.is_match(first), "{first}");
    ensure!(
        first.contains("'link hub rtt_seconds'=0.") && first.contains("s;1;5"),
        "{first}"
    );
    // Less is worse: ranges.
    ensure!(
        Regex::new(r"left_seconds'=[0-9.]+s;7200:;3600:")?.is_match(first),
        "{first}"
    );
    Ok(())
}

#[test]
fn openmetrics_holds_its_grammar() -> Result<()> {
    let mut scene = alone(&golden("security-cim-prod-001")?)?;
    let odd = "/nowhere/\"quoted\\file\"".to_owned();
    scene.health.watch.files[0].file = odd;
    let said = scene.run(&["--openmetrics"])?;
    ensure!(said.code == 3, "{said:?}");
    let name = "[a-zA-Z_:][a-zA-Z0-9_:]*";
    let label = format!("{name}=\"([^\"\\\\\\n]|\\\\[\\\\\"n])*\"");
    let line = Regex::new(&format!(
        "^(# (TYPE|HELP|UNIT|EOF).*|{name}\\{{{label}(,{label})*\\}} -?[0-9.]+)$"
    ))?;
    for text in said.out.lines() {
        ensure!(line.is_match(text), "{text}");
    }
    ensure!(said.out.ends_with("# EOF\n"));
    ensure!(
        said.out.contains(r#"of="/nowhere/\"quoted\\file\"""#),
        "{}",
        said.out
    );
    // A family stands once, before its samples; counters end in _total, units are part of names.
    let mut families = Vec::new();
    for text in said.out.lines() {
        if let Some(rest) = text.strip_prefix("# TYPE ") {
            let (family, kind) = rest.split_once(' ').context("a kind")?;
            ensure!(
                !families.iter().any(|(then, _)| then == family),
                "{family} twice"
            );
            families.push((family.to_owned(), kind.to_owned()));
        } else if let Some(rest) = text.strip_prefix("# UNIT ") {
            let (family, unit) = rest.split_once(' ').context("a unit")?;
            ensure!(family.ends_with(unit), "{text}");
        } else if !text.starts_with('#') {
            let (family, kind) = families.last().context("a family")?;
            let total = if kind == "counter" { "_total" } else { "" };
            ensure!(
                text.starts_with(&format!("{family}{total}{{")),
                "{text} in {family}"
            );
        }
    }
    ensure!(families.len() > 10, "{families:?}");
    Ok(())
}

#[test]
fn a_pipe_that_is_closed_is_no_failure() -> Result<()> {
    let scene = alone(&golden("security-cim-prod-001")?)?;
    well(&scene)?;
    let mut command = scene.command(&[])?;
    let mut child = command.stdout(std::process::Stdio::piped()).spawn()?;
    drop(child.stdout.take());
    ensure!(
        child.wait()?.code() == Some(0),
        "the server of {LEAF} is well"
    );
    Ok(())
}
