# The host on which all of it runs.
{
  imports = [ ../../../hosts/base.nix ];
  networking.hostName = "hub-1";
  services.openssh.enable = true; # its key decrypts the secrets
  services.cim.leaves = { };
}
