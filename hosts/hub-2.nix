# Node 2 of the hub.
{
  networking.hostName = "hub-2";

  services.cim.hub = {
    enable = true;
    openFirewall = true;
    leafnodes.openFirewall = true;
    cluster.openFirewall = true;
    tls = {
      certFile = "/run/secrets/hub-2.pem";
      keyFile = "/run/secrets/hub-2.key";
      caFile = "/etc/ssl/certs/cim-ca.pem";
    };
    jetstream.maxFileStore = "100GiB";
  };
}
