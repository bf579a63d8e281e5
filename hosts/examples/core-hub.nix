# Seed 001: the hub, a cluster of 3 with TLS everywhere, JetStream, leaves, and a service that is asked about clients which no
# account knows. Without an operator here; with one, `fleet.operator` takes the accounts' place and the callout stands in a JWT.
let
  node =
    { config, ... }:
    let
      inherit (config.networking) hostName;
    in
    {
      services.cim.hub = {
        enable = true;
        openFirewall = true;
        leafnodes.openFirewall = true;
        cluster.openFirewall = true;
        tls = {
          certFile = "/run/secrets/${hostName}.pem";
          keyFile = "/run/secrets/${hostName}.key";
          caFile = "/etc/ssl/certs/ca.crt";
          verify = true;
        };
        jetstream = {
          maxMemoryStore = "4GiB";
          maxFileStore = "100GiB";
        };
      };
    };
in
{
  fleet = {
    hubs.nats-core = {
      nodes = {
        nats-0.address = "nats-0.nats.example.com";
        nats-1.address = "nats-1.nats.example.com";
        nats-2.address = "nats-2.nats.example.com";
      };
      leafnodes.verify = true;
    };

    accounts = {
      APP.users.alchemist.nkey = "UB235WRMRSWT3MKCT2XPER37C3LQ6765VFVYMUKLOAROOAOI5GH5ZMCB";
      AUTH = {
        users.callout.nkey = "UASSS5T3EFW2MJ4OBQXT5ESUWKFNYLN374MNJ2UKMZYVEAMLIHDE24DT";
        jetstream.enable = false;
      };
    };
    authCallout = {
      issuer = "ABXN7JFHHV7CU4PGD65YBKXW4V4KTR56O6JYFRWX7SM6BBSABSBQ6LH2";
      account = "AUTH";
    };

    leaves.edge = {
      account = "APP";
      nkey = "UANMA6GIXGKWCS33NDFCBOWNSQU4OOZENYE5QY53QG2BLKQQPBBKR3P7";
      exports = [ "device.>" ];
    };
  };

  hosts = {
    nats-0 = node;
    nats-1 = node;
    nats-2 = node;
    edge.services.cim.leaves.edge = {
      nkeySeedFile = "/run/secrets/edge.nk";
      remotes.nats-core.tls = {
        certFile = "/run/secrets/edge.pem";
        keyFile = "/run/secrets/edge.key";
        caFile = "/etc/ssl/certs/ca.crt";
      };
      accounts.APP.users.app.nkey = "UBLVEJ3WMT2E4QAWUKL73GOUL2GTNLGZCGNC7B7KBPGNKZMDXQUQGUYZ";
    };
  };
}
