# sops-nix is not imported: nothing is referred to that would be missing, and who asks for it is told.
{
  sops = false;
  fleet.operator = { };
  host.services.cim = {
    sops.enable = true;
    hub.enable = true;
  };
}
