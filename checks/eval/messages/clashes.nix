# Two instances of one host that want the same thing: both options are named.
{ lib, ... }:
let
  leaves = options: { host.services.cim.leaves = options; };
in
{
  "nothing wrong" = { };
  "two leaves with one port" = leaves { b.port = lib.mkForce 4223; };
  "two leaves with one monitoring port" = leaves { b.httpPort = lib.mkForce 8223; };
  "a leaf with the hub's port" = leaves { a.port = lib.mkForce 4222; };
  "a leaf with the hub's port for leaves" = leaves { a.port = lib.mkForce 7422; };
  "names that differ in a leading cim- only" = leaves {
    cim-a = {
      port = 4230;
      httpPort = 8230;
      accounts = { };
    };
  };
  "a leaf with the name of the hub's node" = leaves {
    hub-1 = {
      port = 4230;
      httpPort = 8230;
      accounts = { };
    };
  };
  "a leaf with the cluster's port of a hub that is none" = leaves { a.port = lib.mkForce 6222; };
  "a leaf with the cluster's port of a hub that is one" = leaves { a.port = lib.mkForce 6222; } // {
    fleet.hubs.hub.nodes = lib.genAttrs [ "hub-2" "hub-3" ] (node: {
      address = "${node}.example.com";
    });
  };
  "an instance with one port twice is for the rules on its spec" = leaves {
    a.httpPort = lib.mkForce 4223;
  };
  "a leaf that is not enabled claims nothing" = leaves {
    b = {
      enable = false;
      port = lib.mkForce 4223;
    };
  };
}
