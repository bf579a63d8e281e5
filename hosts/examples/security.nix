# Seed 002, "Security Configuration": TLS on both sides, an account of its own, a user with permissions, limits.
# Not NATS: a `resolver` in `authorization` (operator mode is the fleet's), and limits as rates.
{
  fleet = {
    hubs.hub = {
      nodes.hub.address = "hub.cim.example.com";
      leafnodes.verifyAndMap = true;
    };
    accounts.CIM-PROD.users.alchemist.nkey = "UB235WRMRSWT3MKCT2XPER37C3LQ6765VFVYMUKLOAROOAOI5GH5ZMCB";
    leaves.cim-prod-001 = {
      account = "CIM-PROD";
      certificate = "CN=cim-prod-001";
      exports = [ "domain.>" ];
    };
  };

  hosts = {
    hub.services.cim.hub = {
      enable = true;
      tls = {
        certFile = "/run/secrets/hub.pem";
        keyFile = "/run/secrets/hub.key";
        caFile = "/etc/ssl/certs/cim-ca.pem";
        minVersion = "1.3";
      };
    };
    cim-prod-001.services.cim.leaves.cim-prod-001 =
      let
        files = {
          certFile = "/etc/nats/certs/leaf-cert.pem";
          keyFile = "/etc/nats/certs/leaf-key.pem";
          caFile = "/etc/nats/certs/ca.pem";
        };
      in
      {
        host = "0.0.0.0";
        tls = files // {
          minVersion = "1.3";
        };
        authorization.timeout = "3s";
        remotes.hub.tls = files // {
          timeout = "3s";
        };

        accounts.CIM-PROD.users.graph = {
          nkey = "UBLVEJ3WMT2E4QAWUKL73GOUL2GTNLGZCGNC7B7KBPGNKZMDXQUQGUYZ";
          permissions = {
            publish = {
              allow = [ "domain.>" ];
              deny = [ "domain.secret.>" ];
            };
            subscribe.allow = [ "domain.>" ];
          };
        };

        limits = {
          maxConnections = 10000;
          maxControlLine = "4KiB";
          maxPayload = "8MiB";
          maxPending = "64MiB";
          maxSubscriptions = 1000000; # of one connection
          writeDeadline = "10s";
        };
      };
  };
}
