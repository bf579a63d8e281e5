//! One call of cim-render for a whole fleet, and how that grows, beside what nats-server takes to read a config.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::Bench;
use super::specs::Small;
use crate::process;

/// Fleet sizes that are compared.
const SIZES: [u32; 3] = [100, 1000, 10_000];

/// How many rendered configs nats-server itself reads, for the ratio.
const SAMPLE: usize = 25;

/// A command run under Python's own accounting: seconds and peak memory of the child.
const MEASURE: &str = "import resource,subprocess,sys,time
start=time.monotonic()
code=subprocess.call(sys.argv[1:],stdout=subprocess.DEVNULL,stderr=subprocess.DEVNULL)
took=time.monotonic()-start
print(took,resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)";

impl Bench<'_> {
    /// Renders fleets of several sizes.
    pub fn rendering(&self, cim_render: &Path, small: &Small) -> Result<()> {
        println!("\none cim-render call: all specs, all rules, all files written");
        println!("leaves        ms   ms a leaf   KiB of peak memory a leaf");
        let out = self.folder.join("out");
        let mut each = 0.0;
        for leaves in SIZES {
            if out.exists() {
                fs::remove_dir_all(&out).context("removing the output of the last run")?;
            }
            let (fleet, specs) = small.grow(&self.folder.join("specs"), leaves)?;
            let mut command = vec![
                cim_render.to_owned(),
                "fleet".into(),
                "--fleet".into(),
                fleet,
            ];
            command.extend(["--out".into(), out.clone()]);
            command.extend(specs);
            let (seconds, kib) = measure(&command)?;
            each = seconds * 1000.0 / f64::from(leaves);
            let ms = seconds * 1000.0;
            println!(
                "{leaves:>6} {ms:>9.0} {each:>11.3} {:>14.1}",
                kib / f64::from(leaves)
            );
        }
        let theirs = self.nats_server(&out)? * 1000.0;
        println!(
            "nats-server -t reads one of these configs in {theirs:.1} ms: {:.0} times as long",
            theirs / each
        );
        Ok(())
    }

    /// Seconds that `nats-server -t` takes for one leaf's config, on average.
    fn nats_server(&self, out: &Path) -> Result<f64> {
        let mut total = 0.0;
        for leaf in 1..=SAMPLE {
            // Files that only a host has would stop it at once: it reads a copy without them.
            let config = out.join(format!("leaf-{leaf}/nats.conf"));
            let text = fs::read_to_string(&config)
                .with_context(|| format!("reading {}", config.display()))?;
            let copy: Vec<&str> = text
                .lines()
                .filter(|line| !line.contains("_file\": \"/"))
                .collect();
            let copied = self.folder.join("copy.conf");
            fs::write(&copied, copy.join("\n")).context("writing a copy")?;
            let command = [
                self.tools.nats_server.path.clone(),
                "-t".into(),
                "-c".into(),
                copied,
            ];
            total += measure(&command)?.0;
        }
        Ok(total / SAMPLE as f64)
    }
}

/// Seconds and peak KiB of one command.
pub fn measure(command: &[PathBuf]) -> Result<(f64, f64)> {
    let mut python = Command::new("python3");
    python.arg("-c").arg(MEASURE).args(command);
    let said = process::output(&mut python)?;
    let mut numbers = said.split_whitespace().map(str::parse::<f64>);
    let (Some(Ok(seconds)), Some(Ok(kib))) = (numbers.next(), numbers.next()) else {
        anyhow::bail!("reading the measure of a command: it says {said:?}");
    };
    ensure!(seconds > 0.0, "a command that takes no time was not run");
    Ok((seconds, kib))
}
