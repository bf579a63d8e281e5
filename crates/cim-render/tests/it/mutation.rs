//! Arbitrary changes of golden specs: no panic, nothing unquoted; random plans that hold the rules: the real server takes
//! them. Short here; `cargo xtask soak render` runs the same at length.

pub mod arbitrary;
mod gentle;
mod lines;
mod place;
mod random;

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use cim_render::{Artefacts, Host, artefacts, conf, input};
use cim_spec::{Plan, Spec};
use cim_testkit::nats_server;
use serde_json::{Value, json};

use crate::change::golden;
use crate::support::{cases, name};

pub use random::Random;

/// How many complaints are printed; a bug shows in many cases.
const SHOWN: usize = 20;

/// What a soak asks for by its environment.
fn asked(variable: &str, else_: u64) -> u64 {
    env::var(variable).map_or(else_, |text| text.parse().expect(variable))
}

/// The golden specs, to start from.
fn bases() -> Vec<Value> {
    cases("golden")
        .iter()
        .map(|case| golden(&name(case)))
        .collect()
}

/// What became of one changed spec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    /// It is no spec.
    Shape,
    /// Rules refused it.
    Rules,
    /// It was rendered.
    Rendered,
}

/// Takes a spec the whole way.
fn goes_through(text: &str) -> Result<End, String> {
    let Ok(spec) = input::parse::<Spec>(text) else {
        return Ok(End::Shape);
    };
    let plan = match Plan::from_spec(&spec) {
        Ok(plan) => plan,
        Err(problems) => {
            return match problems.to_string().trim() {
                "" => Err("it is refused and nothing says why".to_owned()),
                _ => Ok(End::Rules),
            };
        }
    };
    let fail = |error: anyhow::Error| format!("{error:#}");
    let rendered = Artefacts::render(&plan).map_err(fail)?;
    let config = &rendered.files["nats.conf"];
    lines::are_quoted(config)?;
    let document = artefacts::document(&plan, &Host).map_err(fail)?;
    match conf::read(config) {
        Ok(read) if read == document => Ok(End::Rendered),
        Ok(_) => Err("nats.conf reads back as another document".to_owned()),
        Err(error) => Err(format!("nats.conf does not read back: {error}")),
    }
}

/// Does `work` for each number below `count` on all processors; gives the results by kind and the complaints.
fn on_all<E: Ord + Send>(
    count: u64,
    work: impl Fn(u64) -> Result<E, String> + Sync,
) -> (BTreeMap<E, u64>, Vec<String>) {
    let next = AtomicUsize::new(0);
    let ends = Mutex::new(BTreeMap::new());
    let complaints = Mutex::new(Vec::new());
    let workers = thread::available_parallelism().map_or(2, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed) as u64;
                    if index >= count {
                        return;
                    }
                    let done = catch_unwind(AssertUnwindSafe(|| work(index)));
                    match done.unwrap_or_else(|_| Err("it panics".to_owned())) {
                        Ok(end) => *ends.lock().unwrap().entry(end).or_insert(0) += 1,
                        Err(complaint) => complaints.lock().unwrap().push(complaint),
                    }
                }
            });
        }
    });
    (ends.into_inner().unwrap(), complaints.into_inner().unwrap())
}

/// Leaves the result of a soak where it asked for it.
fn report(result: &Value) {
    println!("{result}");
    if let Some(file) = env::var_os("CIM_SOAK_REPORT") {
        fs::write(file, result.to_string()).unwrap();
    }
}

fn all_is_well(seed: u64, complaints: &[String]) {
    let shown: Vec<&str> = complaints.iter().map(String::as_str).take(SHOWN).collect();
    assert!(
        complaints.is_empty(),
        "{} complaints with seed {seed}:\n\n{}",
        complaints.len(),
        shown.join("\n\n")
    );
}

#[test]
fn changed_specs_never_panic_and_leave_nothing_unquoted() {
    let seed = asked("CIM_SOAK_SEED", 1);
    let count = asked("CIM_SOAK_MUTATIONS", 3000);
    let bases = bases();
    let since = Instant::now();
    let (ends, complaints) = on_all(count, |index| {
        let mut random = Random::new(seed, index);
        let mut spec = random.pick(&bases).clone();
        arbitrary::change(&mut spec, &bases, &mut random);
        let text = spec.to_string();
        let done = catch_unwind(AssertUnwindSafe(|| goes_through(&text)));
        done.unwrap_or_else(|_| Err("it panics".to_owned()))
            .map_err(|complaint| format!("case {index}: {complaint}\n{text}"))
    });
    let of = |end| ends.get(&end).copied().unwrap_or(0);
    report(&json!({
        "mutations": count,
        "noSpec": of(End::Shape),
        "refused": of(End::Rules),
        "rendered": of(End::Rendered),
        "complaints": complaints.len(),
        "seconds": since.elapsed().as_secs(),
        "seed": seed,
    }));
    all_is_well(seed, &complaints);
    for end in [End::Shape, End::Rules, End::Rendered] {
        assert!(of(end) > count / 100, "only {} ended as {end:?}", of(end));
    }
}

#[test]
fn the_real_server_takes_random_plans_that_hold_the_rules() {
    let seed = asked("CIM_SOAK_SEED", 1);
    let count = asked("CIM_SOAK_PLANS", 20);
    let binary = nats_server().unwrap();
    let version = cim_check::version(&binary).unwrap();
    let bases = bases();
    let pool = gentle::Pool::of(&bases);
    let since = Instant::now();
    let (ends, complaints) = on_all(count, |index| {
        let mut random = Random::new(seed, index);
        let spec = gentle::valid(&bases, &pool, &mut random);
        let plan = Plan::from_spec(&input::parse::<Spec>(&spec.to_string()).unwrap()).unwrap();
        goes_through(&spec.to_string())
            .and_then(|_| {
                cim_check::check(&plan, &binary, &version).map_err(|error| format!("{error:#}"))
            })
            .map_err(|complaint| format!("plan {index}: {complaint}\n{spec}"))
    });
    report(&json!({
        "plans": count,
        "accepted": ends.values().sum::<u64>(),
        "complaints": complaints.len(),
        "seconds": since.elapsed().as_secs(),
        "seed": seed,
        "natsServer": version,
    }));
    all_is_well(seed, &complaints);
}
