# Node 3 of the hub: as the first.
{
  networking.hostName = "hub-3";

  services.cim.hub = {
    enable = true;
    openFirewall = true;
    leafnodes.openFirewall = true;
    cluster.openFirewall = true;
  };
  # services.cim.sops.hostKey = "ssh-ed25519 AAAA…";
}
