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
  triggers = import ./triggers.nix { inherit lib; };
  knownBad = import ./versions.nix { inherit lib; };

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
        instance
        // {
          artefacts = artefacts {
            inherit name;
            inherit (instance) spec;
            inherit (instance.options) package;
          };
          triggers = triggers {
            inherit (instance) role spec;
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
        instance: instance.ports
      )
      ++ clash "the unit" "A leading cim- does not count: give one of them another name." (instance: [
        instance.unit
      ]);

    warnings = lib.concatMap (
      instance:
      let
        inherit (instance.options.package) version;
      in
      lib.optional (
        knownBad ? ${version}
      ) "${optionOf instance.role instance.name}.package: ${knownBad.${version}}"
    ) instances;

    environment.etc = lib.listToAttrs (
      lib.concatMap (
        instance:
        map
          (file: {
            name = "cim/${instance.name}/${file}";
            value.source = "${instance.artefacts}/${file}";
          })
          [
            "nats.conf"
            "health.json"
            "endpoints.json"
          ]
      ) instances
    );

    systemd.services = lib.listToAttrs (
      map (instance: {
        name = instance.unit;
        value = unit {
          inherit (instance)
            name
            unit
            role
            options
            triggers
            ;
        };
      }) instances
    );

    users = {
      users = lib.listToAttrs (
        map (instance: {
          name = instance.unit;
          value = {
            isSystemUser = true;
            group = instance.unit;
            description = "NATS ${instance.role} ${instance.name}";
          };
        }) instances
      );
      groups = lib.listToAttrs (
        map (instance: {
          name = instance.unit;
          value = { };
        }) instances
      );
    };

    networking.firewall.allowedTCPPorts = lib.concatMap (instance: instance.openPorts) instances;
  };
}
