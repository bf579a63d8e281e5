# `services.cim.gate`: after a switch, `cim-gate` waits until the host's instances are back, or says what is not and fails.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.services.cim.gate;
  inherit (config.services.cim) packages;
  cimTypes = import ./types.nix { inherit lib; };
  seconds = import ./seconds.nix { inherit lib; };
  instances = lib.mapAttrsToList (
    name: instance: instance // { inherit name; }
  ) config.services.cim.instances;

  # As the instance's user, which may read its secrets and nothing else.
  gate =
    {
      name,
      unit,
      options,
      ...
    }:
    ''
      setpriv --reuid=${unit} --regid=${unit} --init-groups --inh-caps=-all --bounding-set=-all --no-new-privs \
        ${lib.getExe' packages.cim-node "cim-health"} gate --wait ${toString (seconds cfg.wait)} \
        --nats-server ${lib.getExe options.package} /etc/cim/${name}/health.json || status=$?
    '';
in
{
  options.services.cim.gate = {
    enable = mkOption {
      type = types.bool;
      default = true;
      description = ''
        Whether a deployment by `lib.deploy` has failed, and is rolled back, where an instance does not come back:
        its links, its config, its streams. The first of a hub's nodes cannot be well before the others are
        there: `false` for as long as they are deployed for the first time.
      '';
    };
    wait = mkOption {
      type = cimTypes.wholeSeconds;
      default = "1m";
      description = "How long each instance may take to come back after its unit was started or reloaded.";
    };
    package = mkOption {
      type = types.package;
      internal = true;
      readOnly = true;
      description = "`cim-gate`; exit code 0 where all instances are back.";
    };
  };

  config = {
    services.cim.gate.package = pkgs.writeShellApplication {
      name = "cim-gate";
      runtimeInputs = [ pkgs.util-linux ];
      text = ''
        status=0
        ${lib.concatMapStrings gate instances}
        exit "$status"
      '';
    };
    environment.systemPackages = lib.mkIf (instances != [ ]) [ cfg.package ];
  };
}
