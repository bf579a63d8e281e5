# What tests look at in a host's configuration.
{ lib }:
let
  isOurs = name: _: lib.hasPrefix "cim-" name;
  unitText = config: unit: config.systemd.units."${unit}.service".text;

  # `null`: there is no such unit.
  textOf = config: unit: config.systemd.units.${unit}.text or null;

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
        "provision unit" = textOf config "${instance.unit}-provision.service";
        "health unit" = textOf config "${instance.unit}-health.service";
        "ready target" = textOf config "${instance.unit}-ready.target";
        "backup unit" = textOf config "${instance.unit}-backup.service";
        "backup timer" = textOf config "${instance.unit}-backup.timer";
      }
      // parts (unitText config instance.unit)
    ) config.services.cim.instances;

  # The options for files that are set.
  filesIn =
    options:
    lib.filterAttrs (_: value: value != null && value != { }) (
      lib.mapAttrs (
        name: value:
        if lib.hasSuffix "File" name then
          value
        else if lib.isAttrs value then
          filesIn value
        else
          null
      ) options
    );

  short = lib.mapNullable (lib.substring 0 8);

  # What services.cim.monitoring sets of nixpkgs' own modules; a file by what it says.
  monitoring =
    config:
    let
      inherit (config.services) grafana prometheus;
      inherit (prometheus.exporters) nats;
      # NixOS's own types say `null` or `{ }` for what nobody set.
      set =
        value:
        if lib.isList value then
          map set value
        else if lib.isAttrs value then
          lib.filterAttrs (_: value: value != null && value != { }) (lib.mapAttrs (_: set) value)
        else
          value;
    in
    lib.optionalAttrs prometheus.enable {
      scrapeConfigs = set prometheus.scrapeConfigs;
      ruleFiles = map (
        file: if lib.isDerivation file then builtins.fromJSON file.text else baseNameOf (toString file)
      ) prometheus.ruleFiles;
    }
    // lib.optionalAttrs nats.enable {
      exporter = { inherit (nats) listenAddress url extraFlags; };
    }
    // lib.optionalAttrs grafana.enable {
      datasources = map (source: {
        inherit (source)
          name
          type
          uid
          url
          ;
      }) grafana.provision.datasources.settings.datasources;
      dashboards = map (provider: {
        inherit (provider) name folder;
        files = lib.attrNames (builtins.readDir provider.options.path);
      }) grafana.provision.dashboards.settings.providers;
    };

  messages = config: {
    inherit (config) warnings;
    failed = map (entry: entry.message) (lib.filter (entry: !entry.assertion) config.assertions);
  };
in
{
  inherit messages;

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
  summary =
    config:
    {
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
      commands = lib.filter (lib.hasPrefix "cim-") (map lib.getName config.environment.systemPackages);
      openPorts = lib.sort lib.lessThan config.networking.firewall.allowedTCPPorts;
      inherit (config) warnings;
    }
    // lib.optionalAttrs (monitoring config != { }) { monitoring = monitoring config; };
  inherit monitoring;

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

  # What an instance has of an identity: where its options point, who puts that there, and what happens when it changes.
  identity = config: {
    files = lib.mapAttrs (
      _: instance: filesIn instance.spec.${instance.role}.${instance.role}
    ) config.services.cim.instances;
    etc = lib.mapAttrs (_: entry: lib.removePrefix "${toString ./.}/" (toString entry.source)) (
      lib.filterAttrs (
        _: entry: lib.hasSuffix ".pem" (baseNameOf (toString entry.source))
      ) config.environment.etc
    );
    reload = lib.mapAttrs (
      _: instance: lib.length config.systemd.services.${instance.unit}.reloadTriggers
    ) config.services.cim.instances;
    secrets = lib.mapAttrs (_: secret: {
      inherit (secret)
        owner
        group
        mode
        path
        key
        format
        reloadUnits
        restartUnits
        ;
      sopsFile = baseNameOf secret.sopsFile;
    }) (config.sops.secrets or { });
    expiry = lib.mapAttrs (_: unit: {
      inherit (unit) onFailure;
      asks = lib.last (lib.splitString "/bin/" unit.serviceConfig.ExecStart);
    }) (lib.filterAttrs (name: _: lib.hasSuffix "-expiry" name) config.systemd.services);
    # What logs in with credentials of its own.
    logins =
      lib.mapAttrs
        (_: unit: {
          credentials = unit.serviceConfig.LoadCredential;
          runs = map (line: lib.last (lib.splitString "/bin/" line)) unit.serviceConfig.ExecStart;
        })
        (
          lib.filterAttrs (
            name: unit: lib.hasPrefix "cim-" name && unit.serviceConfig ? LoadCredential
          ) config.systemd.services
        );
    inherit (messages config) failed;
  };

  # What the fleet has of its folder: keys as they are, JWTs by their first letters.
  filled = fleet: {
    operator = lib.mapNullable (operator: short operator.jwt) fleet.operator;
    accounts = lib.mapAttrs (_: account: {
      inherit (account) nkey;
      jwt = short account.jwt;
      users = lib.mapAttrs (_: user: user.nkey) account.users;
    }) fleet.accounts;
    leaves = lib.mapAttrs (_: leaf: leaf.nkey) fleet.leaves;
  };

  specs =
    config: lib.mapAttrs (_: instance: builtins.toJSON instance.spec) config.services.cim.instances;
}
