# Node 2 of the hub: as the first, and it logs all there is to log.
{
  networking.hostName = "hub-2";

  services.cim.hub = {
    enable = true;
    openFirewall = true;
    leafnodes.openFirewall = true;
    cluster.openFirewall = true;
    # Every line of the protocol: not even then may a secret be in the log.
    logging = {
      debug = true;
      trace = true;
    };
  };
  # services.cim.sops.hostKey = "ssh-ed25519 AAAA…";
}
