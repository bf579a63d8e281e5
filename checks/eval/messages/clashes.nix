# Two instances of one host that want the same thing: both options are named.
{ lib }:
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
  "a leaf that is not enabled claims nothing" = leaves {
    b = {
      enable = false;
      port = lib.mkForce 4223;
    };
  };
}
