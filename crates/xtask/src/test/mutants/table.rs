//! The mistakes, as replacements of text in modules/ and checks/vm/. A text that is not there once is a failure: the table is stale.

/// One mistake.
#[derive(Debug)]
pub struct Mutant {
    /// What it is called in messages.
    pub name: &'static str,
    /// The file, from the root of the project.
    pub file: &'static str,
    /// What stands there, once.
    pub old: &'static str,
    /// What stands there instead.
    pub new: &'static str,
}

const fn mutant(
    name: &'static str,
    file: &'static str,
    old: &'static str,
    new: &'static str,
) -> Mutant {
    Mutant {
        name,
        file,
        old,
        new,
    }
}

/// Every mistake that must be noticed.
#[rustfmt::skip] // one line each, as a table
pub const MUTANTS: &[Mutant] = &[
    // Nix itself
    mutant("syntax", "modules/unit.nix", "KillMode = \"mixed\";", "KillMode = \"mixed\""),
    mutant("undefined variable", "modules/triggers.nix", "without durable.unsized [", "without durable.unsised ["),
    mutant("typo in a lib function", "modules/hub.nix", "lib.optional cfg.openFirewall", "lib.optionl cfg.openFirewall"),
    mutant("default of a wrong type", "modules/server.nix", "maxPayload = text \"1MiB\"", "maxPayload = text 1048576"),
    mutant("port out of range", "modules/fleet.nix", "leafnodesPort = port 7422", "leafnodesPort = port 74220"),
    mutant("undeclared NixOS option", "modules/host.nix", "networking.firewall.allowedTCPPorts", "networking.firewall.allowedTcpPorts"),
    mutant("assertions are no options", "modules/host.nix", "    assertions =\n", "    asertions =\n"),
    mutant("missing package", "modules/server.nix", "mkPackageOption pkgs \"nats-server\"", "mkPackageOption pkgs \"nats-serverr\""),
    mutant("a flow is no text", "modules/flow.nix", "types.either types.str full", "types.either types.int full"),

    // options → spec
    mutant("option not passed to the spec", "modules/spec.nix", "        \"lameDuck\"\n", ""),
    mutant("option of leaves not passed to the spec", "modules/spec.nix", "            nkeySeedFile\n", ""),
    mutant("slice leaks other hubs", "modules/spec.nix", "lib.filterAttrs (hub: _: lib.elem hub named) fleet.hubs", "fleet.hubs"),
    mutant("slice leaks links to other hubs", "modules/spec.nix", "leaf // { remotes = dials hub leaf; }", "leaf"),
    mutant("slice leaks other leaves", "modules/spec.nix", "lib.optional (leaf != null && fleet.accounts ? ${leaf.account}) leaf.account", "lib.attrNames fleet.leaves"),
    mutant("slice leaks other accounts", "modules/spec.nix", "lib.optional (leaf != null && fleet.accounts ? ${leaf.account}) leaf.account", "lib.attrNames fleet.accounts"),
    mutant("default of a limit changed", "modules/server.nix", "maxConnections = count 65536", "maxConnections = count 4096"),
    mutant("default of leaves changed", "modules/leaf.nix", "pingInterval = \"10s\";", "pingInterval = \"20s\";"),
    mutant("default of hubs changed", "modules/hub.nix", "lib.length (lib.attrNames hub.nodes) > 1", "lib.length (lib.attrNames hub.nodes) > 3"),
    mutant("plaintext by default", "modules/server.nix", "plaintext = flag false \"Says out loud that clients", "plaintext = flag true \"Says out loud that clients"),
    mutant("plaintext leaf links by default", "modules/fleet.nix", "plaintext = mkOption {\n            type = types.bool;\n            default = false;", "plaintext = mkOption {\n            type = types.bool;\n            default = true;"),
    mutant("localAccount ignores account", "modules/fleet-leaf.nix", "default = leaf.config.account;", "default = \"APP\";"),

    // assets
    mutant("slice leaks other hubs' streams", "modules/spec.nix", "asset: asset.hub == null || hubs ? ${asset.hub} || !(fleet.hubs ? ${asset.hub})", "_: true"),
    mutant("streams of a leaf not passed to the spec", "modules/spec.nix", "assets = assets (_: true) options.accounts;", "assets = { };"),
    mutant("fields of parts not passed to the spec", "modules/fields.nix", "option = \"${row.option}.${inner.option}\";", "inherit (inner) option;"),
    mutant("sources not passed to the spec", "modules/asset-spec.nix", "sources = map source options.sources;", "sources = [ ];"),
    mutant("assets restart the server of a hub", "modules/triggers.nix", "          \"fleet\"\n          \"assets\"\n", "          \"fleet\"\n          \"asset\"\n"),
    mutant("assets restart the server of a leaf", "modules/triggers.nix", "          \"leaf\"\n          \"assets\"\n", "          \"leaf\"\n          \"asset\"\n"),
    mutant("assets provision nothing", "modules/triggers.nix", "      epoch\n      assets\n", "      epoch\n"),

    // the unit
    mutant("wantedBy dropped", "modules/unit.nix", "wantedBy = [ \"multi-user.target\" ];", ""),
    mutant("restartTriggers dropped", "modules/unit.nix", "restartTriggers = [ triggers.restart ];", ""),
    mutant("reloadTriggers dropped", "modules/unit.nix", "reloadTriggers = [ triggers.reload ];", ""),
    mutant("triggers swapped", "modules/unit.nix", "restartTriggers = [ triggers.restart ];\n  reloadTriggers = [ triggers.reload ];", "restartTriggers = [ triggers.reload ];\n  reloadTriggers = [ triggers.restart ];"),
    mutant("hardening line removed", "modules/sandbox.nix", "NoNewPrivileges = true;", ""),
    mutant("sandbox weakened", "modules/sandbox.nix", "ProtectSystem = \"strict\";", "ProtectSystem = \"full\";"),
    mutant("system calls allowed", "modules/sandbox.nix", "    \"~@privileged\"\n", ""),
    mutant("file limit does not follow", "modules/unit.nix", "options.limits.maxConnections + 16384", "65536 + 16384"),
    mutant("killed before lame duck ends", "modules/unit.nix", "seconds options.lameDuck.duration +", "30 +"),
    mutant("milliseconds are seconds", "modules/seconds.nix", "ms = 1;", "ms = 0;"),
    mutant("garbage collector aims at all memory", "modules/unit.nix", "options.memoryMaxBytes / 10 * 9", "options.memoryMaxBytes"),
    mutant("no lame duck", "modules/unit.nix", "KillSignal = \"SIGUSR2\";", "KillSignal = \"SIGTERM\";"),
    mutant("secrets are not written", "modules/unit.nix", "ExecStartPre = ", "ExecStopPost = "),
    mutant("streams are not made after a restart", "modules/provision.nix", "    \"${unit}.service\"\n  ];", "  ];"),
    mutant("streams stay as they were declared", "modules/provision.nix", "restartTriggers = [ triggers.provision ];", ""),
    mutant("backups of no account", "modules/backup.nix", "ExecStart = map create accounts", "ExecStart = map create [ ]"),
    mutant("a sink may stand still for as long as it was at first", "modules/backup.nix", "seconds cfg.sinkTimeout", "600"),
    mutant("cim-health has no keys", "modules/beside.nix", "[ \"--host-keys\" ]", "[ ]"),
    mutant("a hub's certificate is asked for one name", "modules/beside.nix", "tls != null && !isLoopback", "false"),

    // what watches an instance, and what waits for it
    mutant("nobody watches", "modules/health-unit.nix", "wantedBy = [ \"multi-user.target\" ];", ""),
    mutant("what watches ends with its server", "modules/health-unit.nix", "after = [ \"${unit}.service\" ];", "after = [ \"${unit}.service\" ];\n      bindsTo = [ \"${unit}.service\" ];"),
    mutant("what watches may hang", "modules/health-unit.nix", "WatchdogSec = seconds cfg.watchdog;", ""),
    mutant("nobody hears that nobody watches", "modules/health-unit.nix", "inherit (cfg) onFailure;", ""),
    mutant("the port of pages is not claimed", "modules/host.nix", "instance.ports ++ healthPort instance", "instance.ports"),
    mutant("the server's own port is a port of pages", "modules/host.nix", "(lib.intersectLists (healthPort instance) instance.ports)", "[ ]"),
    mutant("no room for a port of pages", "modules/health-unit.nix", "if httpPort > 64535 then httpPort - 1000 else httpPort + 1000", "httpPort + 1000"),
    mutant("ready before streams are", "modules/ready.nix", " ++ lib.optional (holds instance)", " ++ lib.optional (!holds instance)"),
    mutant("ready without its server", "modules/ready.nix", "bindsTo = units;", "wants = units;"),
    mutant("what comes back starts what was stopped", "modules/ready.nix", "requisite = all;", "bindsTo = all;"),
    mutant("ready once", "modules/ready.nix", "[ \"multi-user.target\" ] ++ units;", "[ \"multi-user.target\" ];"),
    mutant("minutes of a gate are seconds", "modules/seconds.nix", "m = 60 * 1000;", "m = 1000;"),
    mutant("the desk does not wait for the gate", "modules/deploy.nix", "gateSeconds host +", ""),
    mutant("hosts that run no NATS are deployed", "modules/deploy.nix", "(_: host: host.config.services ? cim) hosts", "(_: _: true) hosts"),
    mutant("a deployment passes no gate", "modules/deploy.nix", "${lib.getExe gate.package}", ":"),
    mutant("a gate for no deployment", "modules/deploy.nix", "if !gate.enable then", "if gate.enable then"),

    // triggers
    mutant("reload trigger sees cold fields only", "modules/triggers.nix", "reload = digest body;", "reload = digest (lib.foldl' without body hot);"),
    mutant("everything restarts", "modules/triggers.nix", "(lib.foldl' without body hot)", "body"),
    mutant("older versions reload as new ones", "modules/triggers.nix", "known = since: lib.versionAtLeast version since;", "known = _: true;"),
    mutant("every field restarts", "modules/triggers.nix", "++ lib.concatMap rows blocks.${role}", ""),
    mutant("no field restarts", "modules/triggers.nix", "row ? hot && known row.hot", "true"),
    mutant("fields of TLS restart", "modules/triggers.nix", "at = at ++ [ \"tls\" ];", "inherit at;"),
    mutant("fields of remotes restart", "modules/triggers.nix", "(block \"remote\" remote)", ""),
    mutant("star in a path is a name", "modules/triggers.nix", "name == \"*\"", "name == \"**\""),

    // the host
    mutant("user not created", "modules/host.nix", "byUnit \"\" (instance: {\n          isSystemUser", "byUnit \"x\" (instance: {\n          isSystemUser"),
    mutant("group not created", "modules/host.nix", "byUnit \"\" (_: { }) instances", "byUnit \"x\" (_: { }) instances"),
    mutant("commands that nobody has", "modules/host.nix", "lib.mkIf (instances != [ ]) [ cfg.packages.cim-node ]", "[ ]"),
    mutant("file missing in /etc", "modules/host.nix", "            \"health.json\"\n", ""),
    mutant("firewall stays shut", "modules/host.nix", "(instance: instance.openPorts) instances;", "(_: [ ]) instances;"),
    mutant("firewall opens the wrong port of leaves", "modules/leaf.nix", "lib.optional options.openFirewall options.port", "lib.optional options.openFirewall options.httpPort"),
    mutant("firewall opens the wrong port of hubs", "modules/hub.nix", "cfg.leafnodes.openFirewall node.leafnodesPort", "cfg.leafnodes.openFirewall node.clusterPort"),
    mutant("assertion inverted", "modules/host.nix", "  refuse = options: what: help: {\n    assertion = false;", "  refuse = options: what: help: {\n    assertion = true;"),
    mutant("monitoring port not claimed", "modules/leaf.nix", "      options.httpPort\n", ""),
    mutant("namesakes pass", "modules/host.nix", "lib.length instance.roles > 1", "lib.length instance.roles > 2"),
    mutant("one instance clashes with itself", "modules/host.nix", "lib.mapAttrs (_: lib.unique)", "lib.id"),
    mutant("cluster port of a lone hub is claimed", "modules/hub.nix", "++ lib.optional isCluster node.clusterPort", "++ [ node.clusterPort ]"),
    mutant("units may clash", "modules/host.nix", "        instance.unit\n      ])", "        instance.name\n      ])"),
    mutant("leaf that is not enabled", "modules/leaf.nix", "(lib.filterAttrs (_: leaf: leaf.enable) cfg.leaves)", "cfg.leaves"),
    mutant("known-bad version forgotten", "modules/versions.nix", "(advisory.versions or [ ])", "[ ]"),
    mutant("endpoints of another name", "modules/lib.nix", "/endpoints.json\"", "/endpoint.json\""),

    // identity and sops
    mutant("secrets that every user reads", "modules/sops.nix", "mode = \"0400\";", "mode = \"0444\";"),
    mutant("secrets of root", "modules/sops.nix", "owner = entry.unit;", "owner = \"root\";"),
    mutant("secrets of another name", "modules/sops.nix", "key = name;", "key = \"key\";"),
    mutant("secrets restart what can reload", "modules/sops.nix", "reloadUnits = units \"reload\";", "reloadUnits = [ ];"),
    mutant("nothing restarts what cannot reload", "modules/sops.nix", "restartUnits = units \"restart\";", "restartUnits = [ ];"),
    mutant("an older server reloads its seed", "modules/needed.nix", "if instance.triggers.isHot path then", "if true then"),
    mutant("renewed credentials restart the link", "modules/needed.nix", "        onChange = \"nothing\";\n        requirement = {\n          kind = \"leafCreds\"", "        onChange = \"restart\";\n        requirement = {\n          kind = \"leafCreds\""),
    mutant("a renewed certificate goes unnoticed", "modules/sops.nix", "reloadTriggers = [ (builtins.hashFile \"sha256\" file.source) ];", "reloadTriggers = [ ];"),
    mutant("what is named is sealed too", "modules/needed.nix", "lib.filterAttrs (_: names (own instance)) (filesOf name)", "filesOf name"),
    mutant("nodes of a leaf share a certificate", "modules/needed.nix", "lib.optionalString isNodeOfLeaf \".${node}\"", "\"\""),
    mutant("certificates without the fleet's address", "modules/needed.nix", "map (node: node.address) nodes ++ [ name ]", "[ name ]"),
    mutant("certificates without a leaf's declared name", "modules/needed.nix", "if subject == null then name else lib.head subject", "name"),
    mutant("sops is on without its module", "modules/sops.nix", "default = hasIdentity && isImported;", "default = hasIdentity;"),
    mutant("sops is off", "modules/sops.nix", "default = hasIdentity && isImported;", "default = false;"),
    mutant("an unencrypted file passes", "modules/sealed.nix", "!isEncrypted cfg;", "false;"),
    mutant("an unencrypted value passes", "modules/sealed.nix", "isSealed = lib.hasPrefix \"ENC[\";", "isSealed = lib.isString;"),
    mutant("a missing entry passes", "modules/sealed.nix", "(entry: !values ? ${entry}) entries", "(_: false) entries"),
    mutant("a missing certificate passes", "modules/sealed.nix", "hasIdentity && absent != [ ]", "false"),
    mutant("leaves show certificates that nobody asks for", "modules/leaf.nix", "lib.optionals (!isAsked) [", "lib.optionals false ["),
    mutant("remotes need naming", "modules/leaf.nix", "lib.mkIf (files ? caFile)", "lib.mkIf false"),
    mutant("the plan knows what was made", "modules/plan.nix", "spec.fleet fleet.declared", "spec.fleet fleet"),
    mutant("two hosts may share secrets", "modules/plan.nix", "lib.length names > 1", "lib.length names > 2"),
    mutant("leaves' keys are not filled in", "modules/identity.nix", "keys.leaves.${name} or null", "null"),
    mutant("users' keys are not filled in", "modules/identity.nix", "keys.users.${account}.${user} or null", "null"),
    mutant("accounts' JWTs are not filled in", "modules/identity.nix", "textOf (folder + \"/accounts/${account}.jwt\")", "null"),
    mutant("a key for who is known by a certificate", "modules/identity.nix", " || entry.certificate != null", ""),
    mutant("in operator mode a flow restarts hubs", "modules/triggers.nix", "lib.optionals (role == \"hub\" && hasOperator)", "lib.optionals false"),
    mutant("a flow reloads hubs without an operator", "modules/triggers.nix", "(role == \"hub\" && hasOperator)", "(role == \"hub\")"),
    mutant("nobody looks at what ends", "modules/expiry.nix", "wantedBy = [ \"timers.target\" ];", ""),
    mutant("nobody hears what ends", "modules/expiry.nix", "inherit (cfg) onFailure;", ""),
    mutant("credentials may end unseen", "modules/expiry.nix", "(all \"credentialsFile\" own ++ credentials)", "credentials"),
    mutant("credentials of programs may end unseen", "modules/expiry.nix", "(all \"credentialsFile\" own ++ credentials)", "(all \"credentialsFile\" own)"),
    mutant("authorities may end unseen", "modules/expiry.nix", "++ flags \"--authorities\" (all \"caFile\" own)", ""),
    mutant("credentials that nobody has are asked for", "modules/beside.nix", "lib.optionals options.health.enable (loginsOf \"health\" linked)", "loginsOf \"health\" linked"),
    mutant("what ends is asked of 1970", "modules/outputs.nix", "at = self.lastModified;", "at = 0;"),
    mutant("seeds of users in the store", "modules/secret.nix", "(text != null && isSecret text)", "false"),
    mutant("passwords of users in the store", "modules/secret.nix", "(text != null && !isHash text)", "false"),
    mutant("passwords in settings in the store", "modules/secret.nix", "(namesSecret key && !isHash value && !isPublicKey value)", "false"),
    mutant("seeds in settings in the store", "modules/secret.nix", "isSecret value || (namesSecret", "(namesSecret"),
    mutant("numbers that are passwords in the store", "modules/secret.nix", "(lib.isInt value || lib.isFloat value) && namesSecret key", "false"),
    mutant("the template without checks", "modules/outputs.nix", "[ \"packages\" \"apps\" \"checks\" ]", "[ \"packages\" \"apps\" ]"),
    mutant("pages are read elsewhere", "modules/monitoring.nix", "\"127.0.0.1:${toString (page instance)}\"", "\"127.0.0.1:${toString instance.options.httpPort}\""),
    mutant("series without a region", "modules/monitoring.nix", "region = fleet.regions.${name};", ""),
    mutant("a leaf of several hubs belongs to one", "modules/monitoring.nix", "lib.concatStringsSep \",\" (", "lib.head ("),
    mutant("a node of a leaf is called as the leaf", "modules/monitoring.nix", "instance.options.node != null then instance.options.node else name", "false then instance.options.node else name"),
    mutant("who reports nothing is missed", "modules/monitoring.nix", "removeAttrs servers cfg.alerts.unreported", "servers"),
    mutant("the exporter as it is without flags", "modules/monitoring.nix", "          \"-jsz=all\"\n", ""),
    mutant("one server for the exporter", "modules/monitoring.nix", "url = lib.concatStringsSep \" \" (", "url = lib.head ("),
    mutant("an agent judges", "modules/monitoring.nix", "assertion = !config.services.prometheus.enableAgentMode;", "assertion = true;"),
    mutant("a page on Prometheus' port", "modules/monitoring.nix", "(instance.ports ++ [ (page instance) ])", "instance.ports"),
    mutant("instances without a page", "modules/monitoring.nix", "}) unseen;", "}) { };"),
    mutant("no data source", "modules/monitoring.nix", "lib.optional (cfg.dashboards.url != null)", "lib.optional false"),
    mutant("a data source of nothing", "modules/monitoring.nix", "lib.optional (cfg.dashboards.url != null)", "lib.optional true"),

    // what must not build
    mutant("cim-check not called", "modules/artefacts.nix", "    cim-check \"$specPath\"", "    : cim-check \"$specPath\""),
    mutant("any version passes", "modules/artefacts.nix", "--expect-version ${package.version}", "--expect-version \"$(nats-server --version | sed 's/.*v//')\""),
    mutant("secrets may be in the store", "modules/types.nix", "(path: !(inStore path))", "(_: true)"),
    mutant("errors of the fleet without its path", "modules/mk-fleet.nix", "    \"fleet\"\n", ""),

    // the VM tests: what boots them is not here, and what they say is read
    mutant("a machine that no test has", "checks/vm/message.nix", "crosses(hub_1,", "crosses(hub_2,"),
    mutant("a script that is not Python", "checks/vm/missing-secret.nix", "    start_all()\n", "    start_all(\n"),
    mutant("what no machine can do", "checks/vm/restart.nix", "hub_1.shutdown()", "hub_1.shut_down()"),
    mutant("what no machine can do, in what scripts share", "checks/vm/default.nix", "hub.wait_for_unit(", "hub.wait_for_units("),
    mutant("a host that is not in hosts/", "checks/vm/message.nix", "host \"cim-prod-002\"", "host \"cim-prod-003\""),
    mutant("what no test of NixOS has", "checks/vm/restart.nix", "  testScript = ", "  testscript = "),
    mutant("a password in place of its hash", "checks/vm/default.nix", "\"$2a$11$L9vSm7L93TJhnuLFRr.e5OCZ2dcqrmn698TdAfDGmtREqUCWsvK06\"", "password"),
    mutant("a node with packages of its own", "checks/vm/default.nix", "networking.domain = ", "nixpkgs.hostPlatform = \"x86_64-linux\";\n          networking.domain = "),
];

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// The step tries some of them: here each is read.
    #[test]
    fn each_text_stands_once() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let stale = MUTANTS.iter().filter(|mutant| {
            let text = fs::read_to_string(root.join(mutant.file)).unwrap_or_default();
            text.matches(mutant.old).count() != 1
        });
        let stale: Vec<_> = stale.map(|mutant| (mutant.name, mutant.file)).collect();
        assert!(stale.is_empty(), "{stale:#?}");
    }
}
