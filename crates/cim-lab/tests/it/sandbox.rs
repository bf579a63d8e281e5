//! What a server can do, as the kernel sees it.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use cim_lab::Host;

use crate::support::{FLEET, Scene};

/// Where a server may write beside its own folders: its own devices and its own `/tmp`.
const OWN: [&str; 4] = ["/dev", "/proc", "/tmp", "/var/tmp"];

/// Where root in the place of a server is tried, beside the server's mounts.
const TRIED: &str =
    "/ /etc /usr /var /var/lib /var/log /srv /home /root /run /run/lock /run/secrets /nix/store";

/// No capability, a system call filter, no way to more rights, and one place to write.
pub fn holds(scene: &Scene) -> Result<()> {
    for name in FLEET {
        let host = scene.host(name)?;
        for plan in host.plans() {
            let pid = host.main_pid(&plan.unit)?;
            let text = host.run(&format!("cat /proc/{pid}/status"))?;
            let status: BTreeMap<&str, &str> = text
                .lines()
                .filter_map(|line| line.split_once(':'))
                .map(|(key, value)| (key, value.trim()))
                .collect();
            for (key, wanted) in [
                ("CapInh", "0000000000000000"),
                ("CapPrm", "0000000000000000"),
                ("CapEff", "0000000000000000"),
                ("CapBnd", "0000000000000000"),
                ("CapAmb", "0000000000000000"),
                ("NoNewPrivs", "1"),
                ("Seccomp", "2"),
            ] {
                let found = status.get(key).copied().unwrap_or_default();
                ensure!(found == wanted, "{name}: {key} is {found}, not {wanted}");
            }
            let uid = host.run(&format!("id -u {}", plan.unit))?;
            let found = status.get("Uid").context("a process has a user")?;
            ensure!(
                found.split_whitespace().all(|id| id == uid.trim()) && uid.trim() != "0",
                "{name}: nats-server runs as {found}, not as {uid}"
            );
            writes_only_its_own(host, &plan.unit, pid)?;
        }
    }
    Ok(())
}

/// The server writes nowhere but in its own folders; and root in its place could not touch the system.
fn writes_only_its_own(host: &Host, unit: &str, pid: i32) -> Result<()> {
    let (state, runtime) = (format!("/var/lib/{unit}"), format!("/run/{unit}"));
    // systemd lets a unit ask to be told of memory pressure.
    let pressure = format!("/sys/fs/cgroup/system.slice/{unit}.service/memory.pressure");
    let mounts = host.run(&format!("cat /proc/{pid}/mountinfo"))?;
    let points = mounts.lines().filter_map(|line| line.split(' ').nth(4));
    let points: Vec<&str> = points.collect();
    let points = points.join(" ");
    let own = |place: &str| {
        let below = |own: &str| place == own || place.starts_with(&format!("{own}/"));
        below(&state) || below(&runtime) || place == pressure || OWN.into_iter().any(below)
    };
    let written = host.script(&format!(
        "nsenter --target {pid} --mount -- setpriv --reuid={unit} --regid={unit} --clear-groups -- sh -c \
         'for place; do test -w $place && echo $place; done; true' sh {TRIED} {points}"
    ))?;
    ensure!(
        written.contains(&state),
        "{unit} cannot write to its own state"
    );
    if let Some(place) = written.lines().find(|place| !own(place)) {
        bail!("{}: {unit} may write to {place}", host.name);
    }
    let written = host.script(&format!(
        "nsenter --target {pid} --mount -- sh -c 'for place; do test -d $place && touch $place/probe && \
         rm $place/probe && echo $place; done 2>/dev/null; true' sh {state} {TRIED} {points}"
    ))?;
    ensure!(
        written.contains(&state),
        "{unit}: nothing was tried as root in its place"
    );
    if let Some(place) = written.lines().find(|place| !own(place)) {
        bail!(
            "{}: root in the place of {unit} can write to {place}",
            host.name
        );
    }
    Ok(())
}

/// A server's user reads its own secrets, and no others; nobody else reads anything of its state.
pub fn secrets(scene: &Scene) -> Result<()> {
    let host = scene.host("cim-prod-001")?;
    // Another user's secret, as a second instance would have one.
    host.script("install -m 0400 /dev/null /run/secrets/other.nk")?;
    let pid = host.main_pid("cim-prod-001")?;
    let readable = |user: &str| {
        // Root lists the files, the user tries to read them.
        host.script(&format!(
            "nsenter --target {pid} --mount -- setpriv --reuid={user} --regid={user} --clear-groups -- sh -c \
             'for file; do test -r $file && echo $file; done; true' sh /run/secrets/* \
             /run/cim-prod-001 /run/cim-prod-001/secrets.conf /var/lib/cim-prod-001 /var/lib/cim-prod-001/jetstream"
        ))
    };
    let own = readable("cim-prod-001")?;
    for file in [
        "/run/secrets/cim-prod-001.nk",
        "/run/secrets/cim-prod-001.key",
        "/run/cim-prod-001/secrets.conf",
    ] {
        ensure!(own.contains(file), "the server cannot read {file}: {own}");
    }
    ensure!(
        !own.contains("other"),
        "the server reads others' secrets: {own}"
    );
    let nobody = readable("nobody").or_else(|_| readable("65534"))?;
    ensure!(nobody.is_empty(), "anybody reads {nobody}");
    host.run("rm /run/secrets/other.nk")?;
    Ok(())
}
