//! The fleet of `hosts/` on real hosts, broken on purpose. One fleet is booted for all stories; they are told in acts,
//! each from a whole fleet to a whole fleet.

mod acts;
mod declared;
mod deploy;
mod ends;
mod faults;
mod flows;
mod order;
mod partitions;
mod repaired;
mod sandbox;
mod stop;
mod stored;
mod support;
mod switch;
mod theatre;
mod watched;

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, ensure};
use cim_lab::Stage;

use theatre::Theatre;

fn main() -> ExitCode {
    // A test of this very binary: see `ends`.
    if let Some(end) = std::env::var_os("CIM_LAB_END") {
        return ends::play(&end.to_string_lossy());
    }
    let wanted = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
    match tell(wanted.as_deref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Tells the stories whose names hold `wanted`, and sees that nothing is left behind.
fn tell(wanted: Option<&str>) -> Result<()> {
    let since = Instant::now();
    let chosen = |name: &str| wanted.is_none_or(|wanted| name.contains(wanted));
    let stage = Stage::from_environment()?;
    cim_lab::clean_up_when_interrupted()?;
    let theatre = Theatre::default();
    if chosen(ends::NAME) {
        theatre.tell(ends::NAME, ends::leave_nothing);
    }
    let told = theatre.play(&stage, acts::chosen(chosen));
    println!(
        "\n{}\nall of it: {:.0} s",
        theatre.times,
        since.elapsed().as_secs_f64()
    );
    ends::nothing_left("the fleet of the stories")?;
    told?;
    let failed = theatre.failed();
    ensure!(failed.is_empty(), "failed: {}", failed.join("; "));
    Ok(())
}
