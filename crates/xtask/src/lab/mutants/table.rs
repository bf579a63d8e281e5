//! The mistakes. A text that is not there once is a failure: the table is stale.

use crate::lab::generations::Change;

/// One mistake, which must build.
#[derive(Debug)]
pub struct Mutant {
    /// What is broken.
    pub name: &'static str,
    /// The story that must fail.
    pub story: &'static str,
    /// What the story must say.
    pub says: &'static str,
    /// The generations that it takes beside the first.
    pub generations: &'static [&'static str],
    /// The mistake.
    pub changes: &'static [Change],
}

const fn mutant(
    name: &'static str,
    story: &'static str,
    says: &'static str,
    generations: &'static [&'static str],
    changes: &'static [Change],
) -> Mutant {
    Mutant {
        name,
        story,
        says,
        generations,
        changes,
    }
}

const FLEET: &str = "hosts/fleet.nix";
const UNIT: &str = "modules/unit.nix";
const SANDBOX: &str = "modules/sandbox.nix";
const WATCH: &str = "modules/health-unit.nix";

/// The text of unit.nix before the command.
const RELOAD: &str = "ExecReload = \"+${lib.getExe' cim-node \"cim-reload\"} --pid";

/// Every mistake that a story must notice.
#[rustfmt::skip] // as a table
pub const MUTANTS: &[Mutant] = &[
    mutant("a leaf exports too little", "a message crosses the fleet", "nothing on domain.graph.node.1 arrived", &[],
        &[(FLEET, "        \"domain.graph.>\"\n        \"metrics.>\"\n", "        \"metrics.>\"\n")]),
    mutant("a leaf exports too much", "a message crosses the fleet", "what no flow declares left the leaf", &[],
        &[(FLEET, "        \"domain.graph.>\"\n        \"metrics.>\"\n", "        \"domain.>\"\n        \"metrics.>\"\n")]),
    mutant("capabilities are kept", "servers stay in their sandbox", "CapBnd is", &[],
        &[(SANDBOX, "CapabilityBoundingSet = \"\";", "")]),
    mutant("the system is writable", "servers stay in their sandbox", "can write to", &[],
        &[(SANDBOX, "ProtectSystem = \"strict\";", "ProtectSystem = \"full\";")]),
    mutant("/run is writable", "servers stay in their sandbox", "may write to /run", &[],
        &[(SANDBOX, "ReadOnlyPaths = \"/run\";", "")]),
    mutant("the state directory is everybody's", "secrets are for their owner", "anybody reads /var/lib", &[],
        &[(UNIT, "StateDirectoryMode = \"0700\";", "StateDirectoryMode = \"0755\";")]),
    mutant("a dead server stays dead", "a killed server is restarted", "until systemd restarted it", &[],
        &[(UNIT, "Restart = \"on-failure\";", "Restart = \"no\";")]),
    mutant("the store is on another disk", "a full disk stops what is stored, and nothing else", "goes on storing", &[],
        &[("modules/server.nix", "default = \"/var/lib/${unit}/jetstream\";", "default = \"/var/tmp/${unit}/jetstream\";")]),
    mutant("a leaf redials once a minute", "a power cut of the hub in use", "until the leaf is on another node", &[],
        &[("modules/leaf.nix", "default = \"500ms\";", "default = \"60s\";")]),
    mutant("pings as rare as nats-server's own", "partitions and a frozen hub are noticed", "cim-prod-001 notices", &[],
        &[("modules/leaf.nix", "pingInterval = \"10s\";", "pingInterval = \"2m\";")]),
    mutant("a changed spec reloads nothing", "a reloadable change reloads", "the switch did not touch", &["reload"],
        &[(UNIT, "reloadTriggers = [ triggers.reload ];", "")]),
    mutant("a hot field restarts", "a reloadable change reloads", "it is not a reload", &["reload"],
        &[("modules/triggers.nix", "(lib.foldl' without body hot)", "body")]),
    mutant("a cold field reloads", "a change that needs it restarts", "it is not a restart", &["restart"],
        &[("modules/triggers.nix", "(lib.foldl' without body hot)", "")]),
    mutant("a reload is a bare signal", "a change that the server refuses fails the switch", "the switch is called a success", &["reload"],
        &[(UNIT, RELOAD, "ExecReload = \"+/bin/sh -c 'kill -HUP $MAINPID' --")]),
    mutant("a reload is a bare signal, and the table is wrong", "a reload that should have been a restart fails", "was called a success", &["restart"],
        &[(UNIT, RELOAD, "ExecReload = \"+/bin/sh -c 'kill -HUP $MAINPID' --")]),
    mutant("a reload signals nobody", "a certificate is renewed by a reload", "the old certificate is loaded", &[],
        &[(UNIT, RELOAD, "ExecReload = \"+/bin/true --")]),
    mutant("a server that cannot start gives up", "a missing secret is named", "until the unit is active by itself", &[],
        &[(UNIT, "Restart = \"on-failure\";", "Restart = \"no\";")]),
    mutant("a stop cuts clients", "lame duck lets clients go before the stop", "no lame duck", &[],
        &[(UNIT, "KillSignal = \"SIGUSR2\";", "KillSignal = \"SIGTERM\";")]),
    mutant("a stop that takes too long is a kill", "lame duck lets clients go before the stop", "the stop may take", &[],
        &[(UNIT, "TimeoutStopSec = seconds options.lameDuck.duration + seconds options.lameDuck.gracePeriod + 15;", "TimeoutStopSec = 3;")]),
    mutant("a leaf is up only with its hub", "leaves first, the hub 20 s later", "is activating", &[],
        &[(UNIT, "ExecStartPost = \"${", "ExecStartPost = if role == \"leaf\" then \"/bin/sh -c 'until grep -q :1CFE.01 /proc/self/net/tcp; do sleep 0.2; done'\" else \"${")]),
    mutant("one instance takes the other along", "two instances on one host", "cim-edge-002 noticed", &[],
        &[(UNIT, "  wants = [ \"network-online.target\" ];", "  wants = [ \"network-online.target\" ];\n  partOf = lib.optional (name == \"cim-edge-002\") \"cim-edge-001.service\";")]),
    mutant("what watches ends with its server", "a watcher outlives its server", "until the watcher of cim-prod-002 says UNKNOWN server", &[],
        &[(WATCH, "after = [ \"${unit}.service\" ];", "after = [ \"${unit}.service\" ];\n      bindsTo = [ \"${unit}.service\" ];")]),
    mutant("what watches may hang", "a hung watcher is restarted", "until systemd restarted it", &[],
        &[(WATCH, "WatchdogSec = seconds cfg.watchdog;", "")]),
    mutant("nobody hears that nobody watches", "a hung watcher is restarted", "until somebody is told", &[],
        &[(WATCH, "inherit (cfg) onFailure;", "")]),
    mutant("what watches cannot read the secrets", "a hung server is reported", "until the watcher of cim-prod-002 says OK", &[],
        &[(WATCH, "        User = unit;\n        Group = unit;\n", "        DynamicUser = true;\n")]),
    mutant("what comes back starts what was stopped", "targets fall and come back", "until cim-ready.target is not reached", &[],
        &[("modules/ready.nix", "requisite = all;", "bindsTo = all;")]),
    mutant("a stop removes the store", "all hosts at once, and back", "until the stream stores", &[],
        &[(UNIT, "StateDirectory = unit;", "StateDirectory = unit;\n      ExecStopPost = \"+/bin/sh -c 'rm -rf /var/lib/${unit}/jetstream'\";")]),
];
