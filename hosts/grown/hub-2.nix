# Node 2 of the hub: as the first, and it logs all there is to log.
{
  networking.hostName = "hub-2";

  services.cim.hub = {
    enable = true;
    openFirewall = true;
    leafnodes.openFirewall = true;
    cluster.openFirewall = true;
    logging = {
      debug = true;
      trace = true;
    };
    acknowledged."trace services.cim.hub.logging.trace" =
      "a test looks for secrets in every line of the protocol";
  };
  # services.cim.sops.hostKey = "ssh-ed25519 AAAA…";
}
