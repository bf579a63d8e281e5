# Whether an instance is well, all the time: the options, and the unit that they become.
{ lib }:
let
  inherit (lib) mkOption types;
  seconds = import ./seconds.nix { inherit lib; };

  # Beside the levels, which stand in health.nix.
  options =
    {
      # The port of the monitoring listener.
      httpPort,
    }:
    {
      enable = mkOption {
        type = types.bool;
        default = true;
        description = "Whether `cim-health` watches the instance all the time, as a unit of its own.";
      };
      port = mkOption {
        type = types.nullOr types.port;
        # The last port is 65535.
        default = if httpPort > 64535 then httpPort - 1000 else httpPort + 1000;
        defaultText = lib.literalMD "1000 above {option}`httpPort`, or below where there is no room";
        example = null;
        description = ''
          Port on 127.0.0.1 where the unit answers `GET /healthz` and `/metrics`. `null`: nowhere; what it finds is then in
          its status and log only.
        '';
      };
      watchdog = mkOption {
        # Each question of a look waits 3 s for its answer.
        type = types.strMatching "([5-9]|[1-9][0-9]{1,5})s|[1-9][0-9]{0,5}[mh]" // {
          description = "time in whole seconds, minutes or hours, 5 s at least, for example \"30s\"";
        };
        default = "30s";
        description = ''
          How long the daemon may be silent before systemd takes it for hung and restarts it. It gives a sign of life with each
          question that it asks, also where the server answers none of them.
        '';
      };
      onFailure = mkOption {
        type = types.listOf types.str;
        default = [ ];
        example = [ "notify@%n.service" ];
        description = ''
          Units that are started when the daemon hangs or ends, so that nobody watches the instance. It is restarted
          all the same.
        '';
      };
    };
in
{
  inherit options;

  unit =
    {
      # Our node-zone programs: cim-health.
      cim-node,
    }:
    instance@{
      name,
      unit,
      role,
      options,
      ...
    }:
    let
      cfg = options.health;
      beside = import ./beside.nix { inherit lib; } instance;
    in
    {
      description = "Health of NATS ${role} ${name}";
      inherit (cfg) onFailure;
      wantedBy = [ "multi-user.target" ];
      # Nothing binds it to the server: it is there to tell when that is not.
      after = [ "${unit}.service" ];
      startLimitIntervalSec = 0; # a port that is taken is tried again
      # health.json is read at each look, so that other levels restart nothing.
      stopIfChanged = false;

      serviceConfig = import ./sandbox.nix // {
        Type = "notify";
        # The instance's own, with which it may write nothing: the digest of a config with secrets, the .creds files and the
        # store are for no other to look at. They are read by path, for they are renewed.
        User = unit;
        Group = unit;
        ExecStart =
          "${lib.getExe' cim-node "cim-health"} daemon /etc/cim/${name}/health.json --nats-server ${lib.getExe options.package}"
          + lib.optionalString (cfg.port != null) " --listen 127.0.0.1:${toString cfg.port}"
          + beside.health;
        WatchdogSec = seconds cfg.watchdog;
        # No core: it would hold what the daemon has read.
        WatchdogSignal = "SIGKILL";
        Restart = "always";
        RestartSec = 2;
        TimeoutStopSec = 10; # it has nothing to finish
      };
    };
}
