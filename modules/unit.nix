# Instance → systemd unit: process, sandbox, reload and restart.
{
  lib,
  # Our node-zone programs: cim-health, cim-reload, cim-secrets.
  cim-node,
}:
let
  seconds = import ./seconds.nix { inherit lib; };
in
{
  name,
  unit,
  role,
  options,
  triggers,
  ...
}:
let
  health = "/etc/cim/${name}/health.json";
  startSeconds = 15 * 60;
in
{
  description = "NATS ${role} ${name}";
  documentation = [ "https://docs.nats.io" ];
  wantedBy = [ "multi-user.target" ];
  wants = [ "network-online.target" ];
  after = [ "network-online.target" ];
  startLimitIntervalSec = 0; # a server that cannot start yet keeps trying

  restartTriggers = [ triggers.restart ];
  reloadTriggers = [ triggers.reload ];

  environment = lib.optionalAttrs (options.memoryMaxBytes != null) {
    GOMEMLIMIT = toString (options.memoryMaxBytes / 10 * 9);
  };

  serviceConfig =
    import ./sandbox.nix
    // {
      Type = "exec";
      User = unit;
      Group = unit;
      # What nats-server takes only inline, and keys for what runs beside it; often nothing.
      ExecStartPre = "${lib.getExe' cim-node "cim-secrets"} ${health}";
      ExecStart = "${lib.getExe options.package} -c /etc/cim/${name}/nats.conf";
      # nats-server does not speak sd_notify: the unit is up when the instance answers. It stands
      # alone if it must, so that the first node of a hub becomes active before the others. A large
      # store takes minutes to recover; a server that ends is not waited for.
      ExecStartPost = "${lib.getExe' cim-node "cim-health"} --wait ${toString startSeconds} --pid $MAINPID ${health}";
      # Outside the sandbox (+): it reads the journal for nats-server's reason when a reload is refused.
      ExecReload = "+${lib.getExe' cim-node "cim-reload"} --pid $MAINPID --nats-server ${lib.getExe options.package} --journal ${unit}.service ${health}";
      # Lame duck: clients are told to move before they are cut. Upstream stops with SIGINT, which cuts them.
      KillSignal = "SIGUSR2";
      KillMode = "mixed";
      TimeoutStopSec = seconds options.lameDuck.duration + seconds options.lameDuck.gracePeriod + 15;
      TimeoutStartSec = startSeconds + 30;
      Restart = "on-failure";
      RestartSec = 2;
      StateDirectory = unit;
      StateDirectoryMode = "0700";
      RuntimeDirectory = unit;
      RuntimeDirectoryMode = "0700";
      LimitNOFILE = options.limits.maxConnections + 16384; # store files, routes, leaves
    }
    // lib.optionalAttrs (options.memoryMaxBytes != null) {
      MemoryMax = options.memoryMaxBytes;
    };
}
