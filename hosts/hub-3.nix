# Node 3 of the hub.
{
  networking.hostName = "hub-3";

  services.cim.hub = {
    enable = true;
    openFirewall = true;
    leafnodes.openFirewall = true;
    cluster.openFirewall = true;
    tls = {
      certFile = "/run/secrets/hub-3.pem";
      keyFile = "/run/secrets/hub-3.key";
      caFile = "/etc/ssl/certs/cim-ca.pem";
    };
    jetstream.maxFileStore = "100GiB";
  };
}
