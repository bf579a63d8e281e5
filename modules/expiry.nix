# `services.cim.expiry`: once a day each instance's certificates and credentials are looked at, as they lie on the host. What ends
# within the fleet's horizon fails a unit, before it fails a server.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.services.cim.expiry;
  inherit (config.services.cim) fleet packages;
  beside = import ./beside.nix { inherit lib; };

  # Every value that an option of a name has in an instance's own part of the spec.
  all =
    option: value:
    lib.optionals (lib.isAttrs value) (
      lib.optional (lib.isString (value.${option} or null)) value.${option}
      ++ lib.concatMap (all option) (lib.attrValues value)
    );

  unit =
    name: instance:
    let
      own = instance.spec.${instance.role}.${instance.role};
      # What programs of ours log in with here.
      inherit (beside instance) credentials quoted;
      flags = flag: files: map (file: "${flag} ${quoted file}") (lib.unique files);
      arguments =
        flags "--certificate" (all "certFile" own)
        ++ flags "--authorities" (all "caFile" own)
        ++ flags "--credentials" (all "credentialsFile" own ++ credentials);
    in
    lib.nameValuePair "${instance.unit}-expiry" {
      inherit arguments;
      service = {
        description = "Whether what NATS ${instance.role} ${name} shows ends soon";
        inherit (cfg) onFailure;
        # It runs when its timer says.
        restartIfChanged = false;
        serviceConfig = import ./sandbox.nix // {
          Type = "oneshot";
          # The files are the instance's.
          User = instance.unit;
          Group = instance.unit;
          ExecStart = "${lib.getExe' packages.cim-node "cim-expiry"} --horizon ${fleet.expiryHorizon} ${lib.concatStringsSep " " arguments}";
          PrivateNetwork = true;
          RestrictAddressFamilies = "none";
        };
      };
      timer = {
        description = "Once a day: whether what NATS ${instance.role} ${name} shows ends soon";
        wantedBy = [ "timers.target" ];
        timerConfig = {
          OnCalendar = cfg.startAt;
          RandomizedDelaySec = "1h";
          Persistent = true; # a host that was off looks when it is on
        };
      };
    };

  # What shows nothing that ends has no unit.
  units = lib.filterAttrs (_: unit: unit.arguments != [ ]) (
    lib.mapAttrs' unit config.services.cim.instances
  );
in
{
  options.services.cim.expiry = {
    startAt = mkOption {
      type = types.nullOr types.str;
      default = "daily";
      example = "Mon..Fri 08:00";
      description = ''
        When the host looks at its instances' certificates and credentials, as `systemd.time(7)` writes it. Units
        `cim-<name>-expiry` fail for what ends within {option}`services.cim.fleet.expiryHorizon`, and their
        log says what renews it. `null`: never.
      '';
    };
    onFailure = mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [ "notify@%n.service" ];
      description = "Units that are started when something ends soon.";
    };
  };

  config.systemd = lib.mkIf (cfg.startAt != null) {
    services = lib.mapAttrs (_: unit: unit.service) units;
    timers = lib.mapAttrs (_: unit: unit.timer) units;
  };
}
