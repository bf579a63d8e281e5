# An older nats-server takes over less on reload.
{ lib, ... }:
{
  "leaf with nats-server 2.12: more nodes of the hub" = {
    before.host =
      { pkgs, ... }:
      {
        services.cim.leaves.a.package = pkgs.nats-server // {
          version = "2.12.15";
        };
      };
    fleet.hubs.hub.nodes = lib.genAttrs [ "hub-2" "hub-3" ] (node: {
      address = "${node}.example.com";
    });
  };
}
