//! The disk that the store is on.

use super::jetstream::{bytes, declared};
use crate::health::check::{Check, Context, one};
use crate::health::finding::{Figure, Unit, Verdict, reached};

pub const CHECKS: &[Check] = &[Check {
    name: "disk",
    of: "",
    looks_at: "the file system that holds the store",
    states: "WARNING, CRITICAL: the share that is used reaches the level, as `df` counts. UNKNOWN: the store is not there or cannot be looked at.",
    option: "disk",
    after: &[],
    gates: false,
    is_slow: false,
    meaning: "nats-server counts what it stores itself and not what others put on the same disk. On a full one it turns JetStream off.",
    causes: [
        (
            "something else fills it: logs, images, backups",
            "du -xh / | sort -h | tail -20",
        ),
        (
            "maxFileStore is more than there is",
            "df -h /var/lib/{unit}; curl -s {monitor}/varz | grep max_storage",
        ),
        (
            "old generations of NixOS",
            "nix-collect-garbage --delete-older-than 14d",
        ),
    ],
    subjects: declared,
    judge: |context| one(disk(context)),
}];

fn disk(context: &Context) -> Result<Verdict, Verdict> {
    let store = context.health.watch.jetstream.as_ref();
    let store = store.map_or("", |jetstream| &jetstream.store_dir);
    let disk = context.look.slow.disk.as_ref().map_err(|why| {
        let help =
            format!("see whether it is there and this user may look at it: namei -l {store}");
        Verdict::unknown(why.clone(), help)
    })?;
    let level = context.level(|levels| levels.disk);
    let share = disk.percent();
    let message = format!(
        "{} of {} used: {share} %",
        bytes(disk.used),
        bytes(disk.size)
    );
    let help =
        format!("make room: du -xh {store} | sort -h | tail; or give the store a disk of its own");
    Ok(Verdict::measured(reached(share, level), message, help)
        .figure(Figure::new("used_bytes", disk.used as f64, Unit::Bytes))
        .figure(Figure::new("size_bytes", disk.size as f64, Unit::Bytes))
        .figure(Figure::new("used_percent", share as f64, Unit::Percent).against(level)))
}
