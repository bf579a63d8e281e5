//! What keeps one story that fails from taking others with it.

use anyhow::{Result, ensure};
use cim_lab::Cut;

use crate::support::{FLEET, Scene};

/// The host that is off between stories.
const OFF: &str = "cim-edge-001";

/// What is broken, and what the repair must say of it.
const BROKEN: [(&str, &str); 8] = [
    ("cim-prod-001", "it was cut off"),
    ("cim-prod-001", "it had another generation"),
    ("cim-prod-002", "it was off"),
    ("cim-dev-001", "cim-dev-001.service was on a small disk"),
    ("cim-dev-001", "secret cim-dev-001.nk was another"),
    ("hub-2", "was frozen"),
    ("hub-3", "changed: /etc/cim/hub-3/nats.conf"),
    (OFF, "it was on"),
];

/// Every host broken in another way: the repair names each, and all are whole again.
pub fn from_everything(scene: &Scene) -> Result<()> {
    let lab = &scene.lab;
    let mut hosts: Vec<&str> = BROKEN.iter().map(|(host, _)| *host).collect();
    hosts.dedup();
    lab.each(&hosts, |host| match host.name.as_str() {
        "cim-prod-001" => {
            host.switch(lab.toplevel("reload", &host.name)?)?;
            host.net.cut(Cut::Link)
        }
        "cim-prod-002" => host.power_cut(),
        "cim-dev-001" => {
            host.small_disk("cim-dev-001.service", 16)?;
            host.run("rm /run/secrets/cim-dev-001.nk").map(drop)
        }
        "hub-2" => host.freeze("cim-hub-2.service").map(drop),
        "hub-3" => host
            .script("cd /etc/cim/hub-3 && echo not-a-config > new && mv new nats.conf")
            .map(drop),
        _ => {
            host.start()?;
            host.ready()
        }
    })?;
    let undone = lab.repair("base", &FLEET)?;
    for (host, what) in BROKEN {
        let named = |line: &String| line.starts_with(host) && line.contains(what);
        ensure!(
            undone.iter().any(named),
            "the repair does not say of {host} that {what}: {undone:?}"
        );
    }
    scene.whole()?;
    let undone = lab.repair("base", &FLEET)?;
    ensure!(
        undone.is_empty(),
        "a second repair finds something: {undone:?}"
    );
    Ok(())
}
