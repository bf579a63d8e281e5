# What hub and leaf instances of one host share: the fleet, units, users, files in /etc, firewall.
{ self }:
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.services.cim;
  instances = lib.mapAttrsToList (name: instance: instance // { inherit name; }) cfg.instances;

  artefacts = import ./artefacts.nix {
    inherit lib pkgs;
    inherit (cfg.packages) cim-build;
  };
  unit = import ./unit.nix {
    inherit lib;
    inherit (cfg.packages) cim-node;
  };
  beside = import ./beside.nix { inherit lib; };
  provision = import ./provision.nix {
    inherit lib;
    inherit (cfg.packages) cim-node;
  };
  health = (import ./health-unit.nix { inherit lib; }).unit { inherit (cfg.packages) cim-node; };
  ready = import ./ready.nix { inherit lib; };
  backup = import ./backup.nix { inherit lib; };
  backupUnit = backup.unit { inherit (cfg.packages) cim-node; };
  triggers = import ./triggers.nix { inherit lib; };
  knownBad = import ./versions.nix { inherit lib; };
  secret = import ./secret.nix { inherit lib; };

  # Which instances claim each value: two that do clash. What one claims twice, the rules on its spec refuse.
  clashes =
    claims:
    lib.filterAttrs (_: names: lib.length names > 1) (
      lib.mapAttrs (_: lib.unique) (
        lib.zipAttrs (
          lib.concatMap (
            instance: map (value: { ${toString value} = instance.name; }) (claims instance)
          ) instances
        )
      )
    );
  optionOf = role: name: if role == "hub" then "services.cim.hub" else "services.cim.leaves.${name}";
  refuse = options: what: help: {
    assertion = false;
    message = ''
      ${lib.concatStringsSep " and " options}: both have ${what}.
      ${help}'';
  };
  clash =
    what: help: claims:
    lib.mapAttrsToList (
      value: names:
      refuse (map (name: optionOf cfg.instances.${name}.role name) names) "${what} ${value}" help
    ) (clashes claims);

  # What of ours runs beside a server, by the name of its unit.
  byUnit =
    suffix: make: instances:
    lib.listToAttrs (
      map (instance: lib.nameValuePair "${instance.unit}${suffix}" (make instance)) instances
    );
  holds = instance: (beside instance).holding != [ ];
  backedUp = lib.filter (instance: instance.options.backup.enable) instances;
  watched = lib.filter (instance: instance.options.health.enable) instances;
  healthPort =
    instance:
    lib.optional (
      instance.options.health.enable && instance.options.health.port != null
    ) instance.options.health.port;

  # In operator mode programs log in with what the desk made.
  withoutLogin =
    instance:
    map (
      {
        service,
        account,
        file,
      }:
      {
        assertion = file != null;
        message = ''
          services.cim.hub.services.${account}.${service}.credentialsFile: is null, so cim-${service} cannot log in to ${account}.
          Make it: nix run .#identity; or name a .creds file of role service/${service}.'';
      }
    ) (beside instance).logins;
  # The port of the pages is in no spec, so that no rule sees it.
  healthPortTwice =
    instance:
    map (port: {
      assertion = false;
      message = ''
        ${optionOf instance.role instance.name}.health.port: the server itself listens on ${toString port}.
        Give it another, for example ${toString (port + 1)}, or null for no pages.'';
    }) (lib.intersectLists (healthPort instance) instance.ports);
  nothingToBackUp =
    instance:
    let
      option = "${optionOf instance.role instance.name}.backup";
      own = instance.spec.${instance.role};
      accounts = if instance.role == "hub" then own.fleet.accounts else own.leaf.accounts;
      stores = name: instance.options.jetstream.enable && accounts.${name}.jetstream.enable or false;
      named = (beside instance).backedUp;
      wrong = lib.filter (name: !stores name) named;
    in
    lib.optional (named == [ ]) {
      assertion = false;
      message = ''
        ${option}.accounts: names none, and no account is declared to hold anything.
        Name those that have streams, for example [ "${
          lib.head (lib.attrNames accounts ++ [ "CIM" ])
        }" ], or write ${option}.enable = false.'';
    }
    ++ map (name: {
      assertion = false;
      message = ''
        ${option}.accounts: ${name} has no JetStream on this server.
        Name accounts that have, or set jetstream.enable for it.'';
    }) wrong;

  # A hub's node and a leaf of one name are one instance to what follows, and refused.
  namesakes = lib.concatMap (
    instance:
    lib.optional (lib.length instance.roles > 1) (
      refuse (map (role: optionOf role instance.name) instance.roles) "the name ${instance.name}"
        "Every server of the fleet has a name of its own: give one of them another."
    )
  ) instances;
  instance = types.raw // {
    merge =
      _: definitions:
      (lib.head definitions).value
      // {
        roles = map (definition: definition.value.role) definitions;
      };
  };
in
{
  # One module, however many of hub and leaf import it.
  key = "cim-host";
  imports = [
    ./expiry.nix
    ./gate.nix
    ./monitoring.nix
    ./sops.nix
  ];

  options.services.cim = {
    fleet = mkOption {
      type = types.addCheck types.raw (value: value._type or null == "cim-fleet") // {
        description = "fleet made by `cim.lib.mkFleet`";
      };
      example = lib.literalExpression "cim.lib.mkFleet ./fleet.nix";
      description = ''
        Everything that two ends must agree on: hubs, accounts, leaves and what may cross. One value
        that every host imports, type-checked once.
      '';
    };
    packages = mkOption {
      type = types.attrsOf types.package;
      default = {
        inherit (self.packages.${pkgs.stdenv.buildPlatform.system}) cim-build;
        inherit (self.packages.${pkgs.stdenv.hostPlatform.system}) cim-node;
      };
      defaultText = lib.literalMD "the packages of this flake";
      description = "Our own programs: `cim-build` runs in the build, `cim-node` on the host.";
    };
    instances = mkOption {
      type = types.lazyAttrsOf instance;
      default = { };
      internal = true;
      description = "By name: `spec`, `artefacts`, `unit`, `triggers` of each instance. To be read, not set.";
      apply = lib.mapAttrs (
        name: instance:
        let
          spec = secret.instance (optionOf instance.role name) instance.options instance.spec;
        in
        instance
        // {
          inherit spec;
          artefacts = artefacts {
            inherit name spec;
            inherit (instance.options) package;
          };
          triggers = triggers {
            inherit (instance) role;
            inherit spec;
            inherit (instance.options.package) version;
          };
        }
      );
    };
  };

  config = {
    assertions =
      namesakes
      ++ clash "the port" "Two servers of a host cannot share a port: give one of them another." (
        instance: instance.ports ++ healthPort instance
      )
      ++ clash "the unit" "A leading cim- does not count: give one of them another name." (instance: [
        instance.unit
      ])
      ++ lib.concatMap healthPortTwice watched
      ++ lib.concatMap withoutLogin instances
      ++ lib.concatMap nothingToBackUp backedUp;

    warnings = lib.concatMap (
      instance:
      let
        inherit (instance.options.package) version;
      in
      lib.optional (
        knownBad ? ${version}
      ) "${optionOf instance.role instance.name}.package: ${knownBad.${version}}"
    ) instances;

    # What alerts, `cim-health explain` and the documentation say to type on a host.
    environment.systemPackages = lib.mkIf (instances != [ ]) [ cfg.packages.cim-node ];

    environment.etc = lib.listToAttrs (
      lib.concatMap (
        instance:
        map
          (file: {
            name = "cim/${instance.name}/${file}";
            value.source = "${instance.artefacts}/${file}";
          })
          (
            [
              "nats.conf"
              "health.json"
              "endpoints.json"
            ]
            ++ lib.optional (holds instance) "jetstream"
          )
      ) instances
    );

    systemd = {
      services =
        byUnit "" unit instances
        // byUnit "-health" health watched
        // byUnit "-provision" provision (lib.filter holds instances)
        // byUnit "-backup" (instance: (backupUnit instance).service) backedUp;
      targets = ready { inherit holds instances; };
      timers = byUnit "-backup" (instance: (backupUnit instance).timer) backedUp;
      tmpfiles.settings = byUnit "-backup" (instance: (backupUnit instance).tmpfiles) backedUp;
    };

    users = {
      users =
        byUnit "" (instance: {
          isSystemUser = true;
          group = instance.unit;
          description = "NATS ${instance.role} ${instance.name}";
        }) instances
        // lib.optionalAttrs (backedUp != [ ]) {
          ${backup.user} = {
            isSystemUser = true;
            group = backup.user;
            description = "Backups of NATS";
          };
        };
      groups =
        byUnit "" (_: { }) instances // lib.optionalAttrs (backedUp != [ ]) { ${backup.user} = { }; };
    };

    networking.firewall.allowedTCPPorts = lib.concatMap (instance: instance.openPorts) instances;
  };
}
