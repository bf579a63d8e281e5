# `lib.deploy`: deploy-rs's `deploy` for the hosts of a fleet, hubs first; a host that does not come back is rolled back.
#
#     deploy --rollback-succeeded false --targets $(nix eval --raw .#deploy.targets)
#
# deploy-rs takes targets one after the other as they are given, and a whole flake (`deploy .`) in no order at all. It
# ends at the first host that fails, which takes itself back. Without the flag it would then revoke the hosts before it,
# also those that this run did not change: they would go back to a generation older than the one they had.
{ lib }:
{
  # The flake of deploy-rs.
  deploy-rs,
  # NixOS systems that run the fleet.
  hosts,
}:
let
  seconds = import ./seconds.nix { inherit lib; };
  instancesOf = host: lib.attrValues host.config.services.cim.instances;

  node = _: host: {
    hostname = host.config.networking.hostName;
    # How long the desk waits for the switch. nats-server recovers a large store before its unit is up, and the unit
    # waits for it; giving up earlier would take back a switch that goes well.
    activationTimeout = slowest host + gateSeconds host + 120;
    profiles.system = {
      user = "root";
      path = gated host;
    };
  };

  # The units of one host stop together, then start together.
  slowest =
    host:
    let
      settings = name: host.config.systemd.services.${name}.serviceConfig;
      longest =
        key: lib.foldl' lib.max 0 (map (instance: (settings instance.unit).${key}) (instancesOf host));
    in
    longest "TimeoutStopSec" + longest "TimeoutStartSec";

  # One instance is waited for after the other.
  gateSeconds =
    host:
    let
      inherit (host.config.services.cim) gate;
    in
    if gate.enable then lib.length (instancesOf host) * seconds gate.wait else 0;

  # What deploy-rs activates, and then the gate: switch-to-configuration ends when all units have been started or
  # reloaded. What is rolled back to is taken as it is; `activate` sets the two variables only for what is new.
  gated =
    host:
    let
      inherit (host) pkgs;
      inherit (host.config.services.cim) gate;
      system = deploy-rs.lib.${host.config.nixpkgs.hostPlatform.system}.activate.nixos host;
    in
    if !gate.enable then
      system
    else
      pkgs.runCommand "gated-${system.name}"
        {
          script = ''
            #!${pkgs.runtimeShell}
            set -euo pipefail
            ${system}/deploy-rs-activate
            if [ "''${DRY_ACTIVATE:-}''${BOOT:-}" = 00 ]; then
              ${lib.getExe gate.package}
            fi
          '';
          passAsFile = [ "script" ];
        }
        ''
          mkdir "$out"
          ln -s ${system}/* "$out"
          rm "$out/deploy-rs-activate"
          install --mode=0555 "$scriptPath" "$out/deploy-rs-activate"
        '';

  # A leaf that starts before its hub knows it is refused until the hub does.
  isHub = name: hosts.${name}.config.services.cim.hub.enable;
  names = lib.partition isHub (lib.attrNames hosts);
in
{
  nodes = lib.mapAttrs node hosts;
  targets = lib.concatMapStringsSep " " (name: ".#${name}") (names.right ++ names.wrong);

  # As root over ssh: an activation by another user needs a sudo that asks for no password.
  sshUser = "root";
  # A switch that fails is taken back, and so is one after which ssh no longer reaches the host.
  autoRollback = true;
  magicRollback = true;
  # Only one ssh command, whatever the servers do.
  confirmTimeout = 30;
}
