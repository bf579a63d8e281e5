# Development in eu-west-1: sees development commands only, and logs more.
{
  networking.hostName = "cim-dev-001";

  services.cim.leaves.cim-dev-001 = {
    nkeySeedFile = "/run/secrets/cim-dev-001.nk";
    remotes.hub.tls = {
      certFile = "/run/secrets/cim-dev-001.pem";
      keyFile = "/run/secrets/cim-dev-001.key";
      caFile = "/etc/ssl/certs/cim-ca.pem";
    };
    accounts.CIM = {
      users.dev.nkey = "UDVYRKCDSNW6MDQSHMYWGLFGB2532YMH4JPQHZJW6GHQQSYDVZ6Q4CWK";
      streams.EVENTS = {
        subjects = [ "domain.*.events.>" ];
        maxAge = "7d";
        maxBytes = "1GiB";
      };
    };
    backup.enable = true;
    logging.debug = true;
    memoryMaxBytes = 1024 * 1024 * 1024;
  };
}
