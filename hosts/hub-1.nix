# Node 1 of the hub; here the series of all hosts come together.
{
  networking.hostName = "hub-1";

  services.cim.hub = {
    enable = true;
    openFirewall = true;
    leafnodes.openFirewall = true;
    cluster.openFirewall = true;
    tls = {
      certFile = "/run/secrets/hub-1.pem";
      keyFile = "/run/secrets/hub-1.key";
      caFile = "/etc/ssl/certs/cim-ca.pem";
    };
    jetstream.maxFileStore = "100GiB";
  };

  services.cim.monitoring = {
    enable = true;
    exporter.enable = true;
    dashboards.enable = true;
    alerts = {
      enable = true;
      # They send nothing here yet.
      unreported = [
        "hub-2"
        "hub-3"
        "cim-prod-002"
        "cim-dev-001"
      ];
    };
  };
  # Others send it their series, through whatever ends their TLS and knows their passwords.
  services.prometheus = {
    listenAddress = "127.0.0.1";
    extraFlags = [ "--web.enable-remote-write-receiver" ];
  };
}
