# Nothing is made yet: both folders are missing.
{ lib, ... }:
{
  fleet = {
    identity = lib.mkForce ../sealed/not-made/identity;
    operator = { };
  };
  host.services.cim.hub.enable = true;
}
