//! The mistakes, as replacements of text in modules/. A text that is not there once is a failure: the table is stale.

/// One mistake.
#[derive(Debug)]
pub struct Mutant {
    /// What it is called in messages.
    pub name: &'static str,
    /// The file under modules/.
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
    mutant("syntax", "unit.nix", "KillMode = \"mixed\";", "KillMode = \"mixed\""),
    mutant("undefined variable", "triggers.nix", "without spec.${role} [", "without spec.${rolle} ["),
    mutant("typo in a lib function", "hub.nix", "lib.optional cfg.openFirewall", "lib.optionl cfg.openFirewall"),
    mutant("default of a wrong type", "server.nix", "maxPayload = text \"1MiB\"", "maxPayload = text 1048576"),
    mutant("port out of range", "fleet.nix", "leafnodesPort = port 7422", "leafnodesPort = port 74220"),
    mutant("undeclared NixOS option", "host.nix", "networking.firewall.allowedTCPPorts", "networking.firewall.allowedTcpPorts"),
    mutant("assertions are no options", "host.nix", "    assertions =\n", "    asertions =\n"),
    mutant("missing package", "server.nix", "mkPackageOption pkgs \"nats-server\"", "mkPackageOption pkgs \"nats-serverr\""),
    mutant("a flow is no text", "fleet.nix", "flow = types.either types.str (", "flow = types.either types.int ("),

    // options → spec
    mutant("option not passed to the spec", "spec.nix", "        \"lameDuck\"\n", ""),
    mutant("option of leaves not passed to the spec", "spec.nix", "            nkeySeedFile\n", ""),
    mutant("slice leaks other hubs", "spec.nix", "lib.filterAttrs (hub: _: lib.elem hub named) fleet.hubs", "fleet.hubs"),
    mutant("slice leaks links to other hubs", "spec.nix", "leaf // { remotes = dials hub leaf; }", "leaf"),
    mutant("slice leaks other leaves", "spec.nix", "lib.optional (leaf != null && fleet.accounts ? ${leaf.account}) leaf.account", "lib.attrNames fleet.leaves"),
    mutant("slice leaks other accounts", "spec.nix", "lib.optional (leaf != null && fleet.accounts ? ${leaf.account}) leaf.account", "lib.attrNames fleet.accounts"),
    mutant("default of a limit changed", "server.nix", "maxConnections = count 65536", "maxConnections = count 4096"),
    mutant("default of leaves changed", "leaf.nix", "pingInterval = \"10s\";", "pingInterval = \"20s\";"),
    mutant("default of hubs changed", "hub.nix", "lib.length (lib.attrNames hub.nodes) > 1", "lib.length (lib.attrNames hub.nodes) > 3"),
    mutant("plaintext by default", "server.nix", "plaintext = flag false \"Says out loud that clients", "plaintext = flag true \"Says out loud that clients"),
    mutant("plaintext leaf links by default", "fleet.nix", "plaintext = mkOption {\n            type = types.bool;\n            default = false;", "plaintext = mkOption {\n            type = types.bool;\n            default = true;"),
    mutant("localAccount ignores account", "fleet.nix", "default = leaf.config.account;", "default = \"APP\";"),

    // the unit
    mutant("wantedBy dropped", "unit.nix", "wantedBy = [ \"multi-user.target\" ];", ""),
    mutant("restartTriggers dropped", "unit.nix", "restartTriggers = [ triggers.restart ];", ""),
    mutant("reloadTriggers dropped", "unit.nix", "reloadTriggers = [ triggers.reload ];", ""),
    mutant("triggers swapped", "unit.nix", "restartTriggers = [ triggers.restart ];\n  reloadTriggers = [ triggers.reload ];", "restartTriggers = [ triggers.reload ];\n  reloadTriggers = [ triggers.restart ];"),
    mutant("hardening line removed", "unit.nix", "NoNewPrivileges = true;", ""),
    mutant("sandbox weakened", "unit.nix", "ProtectSystem = \"strict\";", "ProtectSystem = \"full\";"),
    mutant("system calls allowed", "unit.nix", "      \"~@privileged\"\n", ""),
    mutant("file limit does not follow", "unit.nix", "options.limits.maxConnections + 16384", "65536 + 16384"),
    mutant("killed before lame duck ends", "unit.nix", "seconds options.lameDuck.duration +", "30 +"),
    mutant("milliseconds are seconds", "unit.nix", "ms = 1;", "ms = 0;"),
    mutant("garbage collector aims at all memory", "unit.nix", "options.memoryMaxBytes / 10 * 9", "options.memoryMaxBytes"),
    mutant("no lame duck", "unit.nix", "KillSignal = \"SIGUSR2\";", "KillSignal = \"SIGTERM\";"),
    mutant("secrets are not read", "unit.nix", "needsSecrets = options.nkeySeedFile or null != null || isEncrypted;", "needsSecrets = isEncrypted;"),
    mutant("keys of the store are not read", "unit.nix", "|| isEncrypted;", ";"),
    mutant("keys are read for a store that is off", "unit.nix", "isEncrypted = options.jetstream.enable && ", "isEncrypted = "),

    // triggers
    mutant("reload trigger sees cold fields only", "triggers.nix", "reload = digest body;", "reload = digest (lib.foldl' without body (hotPaths role version));"),
    mutant("everything restarts", "triggers.nix", "(lib.foldl' without body (hotPaths role version))", "body"),
    mutant("older versions reload as new ones", "triggers.nix", "known = since: lib.versionAtLeast version since;", "known = _: true;"),
    mutant("every field restarts", "triggers.nix", "++ lib.concatMap rows blocks.${role}", ""),
    mutant("no field restarts", "triggers.nix", "row ? hot && known row.hot", "true"),
    mutant("fields of TLS restart", "triggers.nix", "at = at ++ [ \"tls\" ];", "inherit at;"),
    mutant("fields of remotes restart", "triggers.nix", "(block \"remote\" remote)", ""),
    mutant("star in a path is a name", "triggers.nix", "name == \"*\"", "name == \"**\""),

    // the host
    mutant("user not created", "host.nix", "      users = lib.listToAttrs (", "      users = lib.const { } ("),
    mutant("group not created", "host.nix", "      groups = lib.listToAttrs (", "      groups = lib.const { } ("),
    mutant("file missing in /etc", "host.nix", "            \"health.json\"\n", ""),
    mutant("firewall stays shut", "host.nix", "(instance: instance.openPorts) instances;", "(_: [ ]) instances;"),
    mutant("firewall opens the wrong port of leaves", "leaf.nix", "lib.optional options.openFirewall options.port", "lib.optional options.openFirewall options.httpPort"),
    mutant("firewall opens the wrong port of hubs", "hub.nix", "cfg.leafnodes.openFirewall node.leafnodesPort", "cfg.leafnodes.openFirewall node.clusterPort"),
    mutant("assertion inverted", "host.nix", "assertion = false;", "assertion = true;"),
    mutant("monitoring port not claimed", "leaf.nix", "      options.httpPort\n", ""),
    mutant("namesakes pass", "host.nix", "lib.length instance.roles > 1", "lib.length instance.roles > 2"),
    mutant("one instance clashes with itself", "host.nix", "lib.mapAttrs (_: lib.unique)", "lib.id"),
    mutant("cluster port of a lone hub is claimed", "hub.nix", "++ lib.optional isCluster node.clusterPort", "++ [ node.clusterPort ]"),
    mutant("units may clash", "host.nix", "        instance.unit\n      ]);", "        instance.name\n      ]);"),
    mutant("leaf that is not enabled", "leaf.nix", "(lib.filterAttrs (_: leaf: leaf.enable) cfg.leaves)", "cfg.leaves"),
    mutant("known-bad version forgotten", "versions.nix", "(advisory.versions or [ ])", "[ ]"),
    mutant("endpoints of another name", "lib.nix", "/endpoints.json\"", "/endpoint.json\""),

    // what must not build
    mutant("cim-check not called", "artefacts.nix", "    cim-check \"$specPath\"", "    : cim-check \"$specPath\""),
    mutant("any version passes", "artefacts.nix", "--expect-version ${package.version}", "--expect-version \"$(nats-server --version | sed 's/.*v//')\""),
    mutant("secrets may be in the store", "types.nix", "(path: !(inStore path))", "(_: true)"),
    mutant("errors of the fleet without its path", "mk-fleet.nix", "    \"fleet\"\n", ""),
];
