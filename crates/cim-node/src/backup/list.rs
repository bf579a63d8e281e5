//! What is in a folder of backups, by a glance at each, or by reading all of it.

use std::path::Path;

use anyhow::Result;
use serde_json::{Value, json};

use super::manifest::Manifest;
use super::problem::{Level, Problem};
use super::report::{Report, bytes};
use super::status::{self, Newest};
use super::{check, folder};

/// `list`: a table, by what the manifests say and how large the files are.
///
/// # Errors
/// A folder that cannot be read.
pub fn list(path: &Path) -> Result<Report> {
    let mut report = Report::default();
    let heads = [
        "BACKUP",
        "STREAMS",
        "CONSUMERS",
        "MESSAGES",
        "SIZE",
        "DRILL",
        "STATE",
    ];
    let mut rows = vec![heads.map(str::to_owned)];
    let mut all = Vec::new();
    for backup in folder::backups(path)? {
        let found = check::glance(&backup);
        rows.push(row(&backup, &found));
        all.push(described(&backup, &found));
        report.problems.extend(found.err().unwrap_or_default());
    }
    report.problems.extend(partials(path)?);
    if rows.len() > 1 {
        report.done = table(&rows);
    } else {
        report
            .done
            .push(format!("{} holds no backup", path.display()));
    }
    report.set("backups", all);
    Ok(report)
}

/// `check`: reads every file of a backup, or of each in a folder.
///
/// # Errors
/// A folder that cannot be read.
pub fn checked(path: &Path) -> Result<Report> {
    let mut report = Report::default();
    let single = folder::is_backup(path) || path.join(super::manifest::MANIFEST).exists();
    let backups = match single {
        true => vec![path.to_owned()],
        false => folder::backups(path)?,
    };
    let mut all = Vec::new();
    for backup in &backups {
        let found = check::read(backup);
        match &found {
            Ok(manifest) => {
                let (streams, size) = (manifest.streams.len(), bytes(manifest.bytes()));
                report.done.push(format!(
                    "{}: whole, {streams} streams, {size}",
                    backup.display()
                ));
                report.problems.extend(check::strangers(backup, manifest));
            }
            Err(problems) => report.problems.extend(problems.clone()),
        }
        all.push(described(backup, &found));
    }
    if !single {
        report.problems.extend(partials(path)?);
    }
    if backups.is_empty() {
        let help = "name the folder that `cim-backup create` was given, or run that first";
        report.problems.push(Problem::new(
            path.display().to_string(),
            "holds no backup",
            help,
        ));
    }
    report.set("backups", all);
    Ok(report)
}

fn partials(path: &Path) -> Result<Vec<Problem>> {
    let partials = folder::partials(path)?;
    let problems = partials.iter().map(|partial| {
        let what = "was never finished, or is being written";
        let help = "the next `cim-backup create` removes it";
        Problem::new(partial.display().to_string(), what, help).level(Level::Warning)
    });
    Ok(problems.collect())
}

type Found = Result<Manifest, Vec<Problem>>;

fn described(backup: &Path, found: &Found) -> Value {
    json!({
        "backup": status::name(backup),
        "good": found.is_ok(),
        "manifest": found.as_ref().ok().map(|manifest| json!(Newest::of(backup, manifest))),
        "problems": found.as_ref().err(),
        "drill": status::drill(backup),
    })
}

fn row(backup: &Path, found: &Found) -> [String; 7] {
    let drill = match status::drill(backup) {
        None => "none",
        Some(drill) if drill.ok => "passed",
        Some(_) => "failed",
    };
    let number = |of: &dyn Fn(&Manifest) -> String| found.as_ref().map_or("-".to_owned(), of);
    [
        status::name(backup),
        number(&|manifest| manifest.streams.len().to_string()),
        number(&|manifest| manifest.consumers().to_string()),
        number(&|manifest| manifest.messages().to_string()),
        number(&|manifest| bytes(manifest.bytes())),
        drill.to_owned(),
        if found.is_ok() { "whole" } else { "damaged" }.to_owned(),
    ]
}

fn table(rows: &[[String; 7]]) -> Vec<String> {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or_default()
    };
    let widths: Vec<_> = (0..7).map(width).collect();
    let line = |row: &[String; 7]| {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}
