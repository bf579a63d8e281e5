# The port where an instance tells how it is.
{ lib, ... }:
{
  "a health page on the server's own port" = {
    host.services.cim.leaves.a.health.port = 4223;
  };
  "two health pages on one port" = {
    host.services.cim.leaves.a.health.port = 9224;
  };
  "a health page on another server's port" = {
    host.services.cim.leaves.a.health.port = 8224;
  };
  "a monitoring port that is too high for one 1000 above" = {
    host.services.cim.leaves.a.httpPort = lib.mkForce 65535;
  };
  "a leaf that nobody watches needs no port" = {
    host.services.cim.leaves.a.health = {
      enable = false;
      port = 4223;
    };
  };
}
