# `deploy` for deploy-rs: every host, hubs first.
#
#     deploy --rollback-succeeded false --targets $(nix eval --raw .#deploy.targets)
#
# deploy-rs takes targets one after the other as they are given, and a whole flake (`deploy .`) in no order at all. It
# ends at the first host that fails, which takes itself back. Without the flag it would then revoke the hosts before it,
# also those that this run did not change: they would go back to a generation older than the one they had.
{ self, inputs }:
let
  inherit (inputs.nixpkgs) lib;
  hosts = self.nixosConfigurations;

  node = _: host: {
    hostname = host.config.networking.hostName;
    # How long the desk waits for the switch. nats-server recovers a large store before its unit is up, and the unit
    # waits for it; giving up earlier would take back a switch that goes well.
    activationTimeout = slowest host + 120;
    profiles.system = {
      user = "root";
      path = inputs.deploy-rs.lib.${host.config.nixpkgs.hostPlatform.system}.activate.nixos host;
    };
  };

  # The units of one host stop together, then start together.
  slowest =
    host:
    let
      settings = name: host.config.systemd.services.${name}.serviceConfig;
      units = map (instance: instance.unit) (lib.attrValues host.config.services.cim.instances);
      longest = key: lib.foldl' lib.max 0 (map (unit: (settings unit).${key}) units);
    in
    longest "TimeoutStopSec" + longest "TimeoutStartSec";

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
