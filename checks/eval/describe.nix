# What tests look at in a host's configuration.
{ lib }:
let
  isOurs = name: _: lib.hasPrefix "cim-" name;
  unitText = config: unit: config.systemd.units."${unit}.service".text;

  # What switch-to-configuration compares: the two triggers, and all the rest of the unit's text.
  parts =
    text:
    let
      lines = lib.splitString "\n" text;
      isTrigger =
        line: lib.hasPrefix "X-Reload-Triggers=" line || lib.hasPrefix "X-Restart-Triggers=" line;
      only = prefix: lib.filter (lib.hasPrefix prefix) lines;
    in
    {
      "reload trigger" = only "X-Reload-Triggers=";
      "restart trigger" = only "X-Restart-Triggers=";
      unit = lib.filter (line: !(isTrigger line)) lines;
    };

  instances =
    config:
    lib.mapAttrs (
      _: instance:
      {
        spec = builtins.toJSON instance.spec;
        "provision trigger" = instance.triggers.provision;
      }
      // parts (unitText config instance.unit)
    ) config.services.cim.instances;
in
{
  # Units, and the options that their text is held against.
  units = config: {
    units = lib.mapAttrs (_: unit: unit.text) (lib.filterAttrs isOurs config.systemd.units);
    instances = lib.mapAttrs (_: instance: {
      inherit (instance) unit;
      inherit (instance.options) memoryMaxBytes lameDuck;
      inherit (instance.options.limits) maxConnections;
    }) config.services.cim.instances;
  };

  # What else the modules install.
  summary = config: {
    etc = lib.mapAttrs' (_: entry: lib.nameValuePair entry.target "${entry.source}") (
      lib.filterAttrs (name: _: lib.hasPrefix "cim/" name) config.environment.etc
    );
    users = lib.mapAttrs (_: user: {
      inherit (user)
        isSystemUser
        group
        uid
        description
        ;
    }) (lib.filterAttrs isOurs config.users.users);
    groups = lib.attrNames (lib.filterAttrs isOurs config.users.groups);
    openPorts = lib.sort lib.lessThan config.networking.firewall.allowedTCPPorts;
    inherit (config) warnings;
  };

  differences =
    before: after:
    let
      was = instances before;
      is = instances after;
      different =
        name: lib.attrNames (lib.filterAttrs (part: value: is.${name}.${part} != value) was.${name});
      ports = config: config.networking.firewall.allowedTCPPorts;
    in
    lib.filterAttrs (_: parts: parts != [ ]) (lib.genAttrs (lib.attrNames was) different)
    // lib.optionalAttrs (ports after != ports before) { "open ports" = ports after; };

  messages = config: {
    inherit (config) warnings;
    failed = map (entry: entry.message) (lib.filter (entry: !entry.assertion) config.assertions);
  };

  specs =
    config: lib.mapAttrs (_: instance: builtins.toJSON instance.spec) config.services.cim.instances;
}
