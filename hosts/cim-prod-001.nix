# Production in us-east-1: known to the hub by its nkey.
{
  networking.hostName = "cim-prod-001";

  services.cim.leaves.cim-prod-001 = {
    nkeySeedFile = "/run/secrets/cim-prod-001.nk";
    remotes.hub.tls = {
      certFile = "/run/secrets/cim-prod-001.pem";
      keyFile = "/run/secrets/cim-prod-001.key";
      caFile = "/etc/ssl/certs/cim-ca.pem";
    };
    accounts.CIM.users.graph = {
      nkey = "UBLVEJ3WMT2E4QAWUKL73GOUL2GTNLGZCGNC7B7KBPGNKZMDXQUQGUYZ";
      permissions.publish.allow = [
        "domain.>"
        "metrics.>"
      ];
    };
    jetstream.maxFileStore = "50GiB";
  };

  # Its series go out to where all come together; nobody comes in for them.
  services.cim.monitoring.enable = true;
  services.prometheus = {
    enableAgentMode = true;
    checkConfig = "syntax-only"; # the password is on the host
    remoteWrite = [
      {
        url = "https://metrics.cim.example.com/api/v1/write";
        basic_auth = {
          username = "cim-prod-001";
          password_file = "/run/secrets/metrics";
        };
      }
    ];
  };
}
