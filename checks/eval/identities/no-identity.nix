# sops without an identity that could be installed.
{ lib, ... }:
{
  fleet.identity = lib.mkForce null;
  host.services.cim = {
    sops.enable = true;
    hub = {
      enable = true;
      plaintext = true;
    };
  };
}
