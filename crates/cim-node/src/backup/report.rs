//! What a run did and what was wrong, for people and for programs.

use serde_json::{Map, Value, json};

use super::problem::{self, Problem};
use crate::provision::report::Exit;

/// One run.
#[derive(Debug, Default)]
pub struct Report {
    /// Lines that say what was done.
    pub done: Vec<String>,
    /// What was wrong.
    pub problems: Vec<Problem>,
    /// Further fields of the JSON document.
    pub fields: Map<String, Value>,
}

impl Report {
    /// A run that found only problems.
    pub fn of(problems: Vec<Problem>) -> Self {
        Self {
            problems,
            ..Self::default()
        }
    }

    /// The exit code.
    pub fn exit(&self) -> Exit {
        problem::exit(&self.problems)
    }

    /// Sets a field of the JSON document.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.fields.insert(name.to_owned(), value.into());
    }

    /// One JSON document.
    pub fn json(&self) -> Value {
        let mut all = Map::new();
        all.insert("exit".to_owned(), json!(self.exit() as u8));
        all.insert("problems".to_owned(), json!(self.problems));
        all.extend(self.fields.clone());
        Value::Object(all)
    }

    /// Prints it: what was done to standard output, what was wrong to standard error.
    pub fn tell(&self, json: bool) {
        if json {
            println!("{:#}", self.json());
            return;
        }
        for line in &self.done {
            println!("{line}");
        }
        for problem in &self.problems {
            eprintln!("{problem}");
        }
    }
}

/// Bytes as people read them.
pub fn bytes(count: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    let unit = UNITS.iter().find(|(_, size)| count >= *size);
    match unit {
        Some((unit, size)) => format!("{}.{} {unit}", count / size, (count % size) * 10 / size),
        None => format!("{count} B"),
    }
}
