//! Tells acts on one fleet, and makes it whole between them: one story that fails takes no other with it.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, anyhow, ensure};
use cim_lab::{Lab, Stage, Times};

use crate::acts::{Act, Strand};
use crate::support::{FLEET, Scene};

/// The generation that hosts start with and come back to.
const FIRST: &str = "base";

/// What is known after all acts.
#[derive(Default)]
pub struct Theatre {
    /// What was measured.
    pub times: Arc<Times>,
    failed: Mutex<Vec<String>>,
}

impl Theatre {
    /// Boots a fleet and tells all acts on it. What a story that failed kept from being told is told after the repair.
    pub fn play(&self, stage: &Stage, acts: Vec<Act>) -> Result<()> {
        let mut acts = VecDeque::from(acts);
        if acts.is_empty() {
            return Ok(());
        }
        let mut scene = self.boot(stage)?;
        let mut is_new = true;
        while let Some(act) = acts.pop_front() {
            let names = act.iter().flatten().map(|(name, _)| *name);
            let names = names.collect::<Vec<_>>().join(", ");
            let failed = self.failed().len();
            let rest = self.act(&scene, &act);
            let passed = self.failed().len() == failed;
            if !rest.is_empty() {
                acts.push_front(rest);
            }
            match made_whole(&scene) {
                Ok(undone) if undone.is_empty() => {}
                Ok(undone) => {
                    let undone = undone.join("; ");
                    eprintln!("note  repaired after {names}: {undone}");
                    if passed {
                        self.fails(format!(
                            "{names}: passed, and left the fleet broken: {undone}"
                        ));
                    }
                }
                Err(error) => {
                    eprintln!("FAIL  repairing the fleet after {names}\n{error:#}");
                    self.fails(format!("repairing the fleet after {names}"));
                    ensure!(
                        is_new,
                        "the fleet was made anew once: the other acts are not told"
                    );
                    drop(scene);
                    scene = self.boot(stage).context("making the fleet anew")?;
                    is_new = false;
                }
            }
        }
        Ok(())
    }

    fn boot(&self, stage: &Stage) -> Result<Scene> {
        let lab = Lab::prepare(stage.clone(), FIRST, &[])?;
        let what = "boot: six hosts from nothing to every unit active";
        self.times.measure(what, || lab.boot(&FLEET))?;
        let scene = Scene::new(lab, Arc::clone(&self.times))?;
        scene.whole()?;
        Ok(scene)
    }

    /// Tells the strands of an act at the same time, each until a story of it fails; gives what was not told.
    fn act(&self, scene: &Scene, act: &Act) -> Act {
        let strand = |stories: &Strand| -> Strand {
            let mut rest = stories.iter();
            for (name, story) in rest.by_ref() {
                if !self.tell(name, || story(scene)) {
                    break;
                }
            }
            rest.copied().collect()
        };
        let strand = &strand;
        thread::scope(|scope| {
            let threads: Vec<_> = act
                .iter()
                .map(|stories| scope.spawn(move || strand(stories)))
                .collect();
            let rest = threads
                .into_iter()
                .filter_map(|thread| thread.join().ok())
                .filter(|rest| !rest.is_empty());
            rest.collect()
        })
    }

    /// Tells one story; gives whether it went well.
    pub fn tell(&self, name: &str, story: impl FnOnce() -> Result<()>) -> bool {
        let since = Instant::now();
        eprintln!("  ..  {name}");
        let panicked = |_| anyhow!("it panicked");
        let told = catch_unwind(AssertUnwindSafe(story));
        let told = told.map_err(panicked).flatten();
        let took = since.elapsed().as_secs_f64();
        match told {
            Ok(()) => eprintln!("  ok  {name} ({took:.1} s)"),
            Err(error) => {
                eprintln!("FAIL  {name} ({took:.1} s)\n{error:#}");
                self.fails(name.to_owned());
                return false;
            }
        }
        true
    }

    fn fails(&self, what: String) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.push(what);
    }

    /// What failed, in order.
    pub fn failed(&self) -> Vec<String> {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.clone()
    }
}

/// Undoes what a story left behind, and waits until the fleet is whole; says what there was to undo.
fn made_whole(scene: &Scene) -> Result<Vec<String>> {
    let undone = scene.lab.repair(FIRST, &FLEET)?;
    scene.whole()?;
    Ok(undone)
}
