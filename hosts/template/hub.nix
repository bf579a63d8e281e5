# The hub: one server, its certificate in /run/secrets.
{
  networking.hostName = "hub";

  services.cim.hub = {
    enable = true;
    openFirewall = true;
    leafnodes.openFirewall = true;
    tls = {
      certFile = "/run/secrets/hub.pem";
      keyFile = "/run/secrets/hub.key";
      caFile = "/etc/ssl/certs/cim-ca.pem";
    };
  };
}
