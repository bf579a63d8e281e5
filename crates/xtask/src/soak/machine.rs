//! When and where a soak ran, as its page says it.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;

use anyhow::Result;

use crate::process;

/// Today.
pub fn date() -> Result<String> {
    let date = process::output(Command::new("date").args(["-u", "+%F"]))?;
    Ok(date.trim().to_owned())
}

/// The processor and how many of it.
pub fn machine() -> String {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let info = fs::read_to_string(Path::new("/proc/cpuinfo")).unwrap_or_default();
    let model = info.lines().find_map(|line| {
        let (name, model) = line.split_once(':')?;
        (name.trim() == "model name").then(|| model.trim().to_owned())
    });
    let model = model.unwrap_or_else(|| "an unknown processor".to_owned());
    format!("{cores} shared cores of {model}")
}

/// How many processes have been waiting for a processor, of late.
pub fn load() -> String {
    let text = fs::read_to_string(Path::new("/proc/loadavg")).unwrap_or_default();
    let of_late = text.split(' ').nth(1);
    of_late.unwrap_or("unknown").to_owned()
}
