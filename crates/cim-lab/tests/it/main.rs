//! The fleet of `hosts/` on real hosts, one after the other broken on purpose. One fleet is booted for all stories; they
//! run in order, each from a whole fleet to a whole fleet.

mod ends;
mod faults;
mod flows;
mod order;
mod sandbox;
mod stop;
mod support;
mod switch;

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, ensure};
use cim_lab::{Lab, Stage, Times};

use support::{FLEET, Scene};

/// A story and its name.
type Story = (&'static str, fn(&mut Scene) -> Result<()>);

const STORIES: &[Story] = &[
    ("a message crosses the fleet", flows::crosses),
    ("servers stay in their sandbox", sandbox::holds),
    ("secrets are for their owner", sandbox::secrets),
    ("a killed server is restarted", faults::killed),
    (
        "a full disk stops what is stored, and nothing else",
        faults::full_disk,
    ),
    ("a power cut of the hub in use", faults::power_cut),
    (
        "partitions and a frozen hub are noticed",
        faults::partitions,
    ),
    ("a reloadable change reloads", switch::reloads),
    ("a change that needs it restarts", switch::restarts),
    ("a config that is refused fails the reload", switch::refused),
    ("a certificate is renewed by a reload", switch::renewed),
    ("a missing secret is named", switch::missing_secret),
    ("lame duck lets clients go before the stop", stop::lame_duck),
    ("leaves first, the hub 20 s later", order::leaves_first),
    ("two instances on one host", order::two_instances),
    ("all hosts at once, and back", order::reboot),
];

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
    let mut failed = Vec::new();
    if chosen(ends::NAME) {
        run(ends::NAME, &mut failed, ends::leave_nothing);
    }
    cim_lab::clean_up_when_interrupted()?;
    let mut times = Times::default();
    let lab = Lab::prepare(stage, "base", &[])?;
    times.measure("boot: six hosts from nothing to every unit active", || {
        lab.boot(&FLEET)
    })?;
    let mut scene = Scene::new(lab, times)?;
    for (name, story) in STORIES.iter().filter(|(name, _)| chosen(name)) {
        run(name, &mut failed, || story(&mut scene));
    }
    let table = scene.times.to_string();
    drop(scene);
    let left = cim_lab::leftovers()?;
    ensure!(left.is_empty(), "the lab left {left:?}");
    println!(
        "\n{table}\nall of it: {:.0} s",
        since.elapsed().as_secs_f64()
    );
    ensure!(failed.is_empty(), "failed: {}", failed.join("; "));
    Ok(())
}

fn run(name: &'static str, failed: &mut Vec<&str>, story: impl FnOnce() -> Result<()>) {
    let since = Instant::now();
    eprintln!("  ..  {name}");
    let told = story();
    let took = since.elapsed().as_secs_f64();
    match told {
        Ok(()) => eprintln!("  ok  {name} ({took:.1} s)"),
        Err(error) => {
            eprintln!("FAIL  {name} ({took:.1} s)\n{error:#}");
            failed.push(name);
        }
    }
}
