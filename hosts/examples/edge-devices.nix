# Seed 000: a leaf that is a cluster of 3 at a device edge; each device is known by the name in its certificate. Not NATS:
# `verify_cert_and_check_known_urls` towards clients, and limits of bytes a second; the account limits each connection.
let
  # What Terraform's script registers is one line here, and one reload on the nodes; other devices stay connected.
  device = id: {
    certificate = "CN=device-${id}.device.synadia.local";
    permissions = {
      publish.allow = [
        "device.${id}.metrics.>"
        "device.${id}.status"
      ];
      # Not _INBOX.>: there every device would read every answer.
      subscribe.allow = [
        "device.${id}.cmd"
        "_INBOX.device.${id}.>"
      ];
      allowResponses = true; # to commands
    };
  };

  node =
    { config, ... }:
    let
      inherit (config.networking) hostName;
      files = {
        certFile = "/etc/nats-certs/tls.crt";
        keyFile = "/etc/nats-certs/tls.key";
        caFile = "/etc/nats-certs/ca.crt";
      };
    in
    {
      services.cim.leaves.nats-leaf = {
        node = hostName;
        nkeySeedFile = "/run/secrets/nats-leaf.nk";
        remotes.nats-core.tls = files;

        host = "0.0.0.0";
        openFirewall = true;
        tls = files // {
          caFile = "/etc/nats-certs/device-ca.crt";
          verifyAndMap = true;
        };
        cluster = {
          openFirewall = true;
          tls = files;
        };

        accounts.DEVICES = {
          users = {
            device-0001 = device "0001";
            device-0002 = device "0002";
            app.nkey = "UBLVEJ3WMT2E4QAWUKL73GOUL2GTNLGZCGNC7B7KBPGNKZMDXQUQGUYZ";
          };
          limits = {
            maxSubscriptions = 100;
            maxPayload = "64KiB";
          };
        };
        limits = {
          maxConnections = 10000;
          maxControlLine = "4096";
          maxPayload = "1MiB";
          writeDeadline = "10s";
        };
      };
    };
in
{
  fleet = {
    hubs.nats-core = {
      nodes.nats-0.address = "nats-0.nats.example.com";
      leafnodes.verify = true;
    };
    accounts.CORE.users.alchemist.nkey = "UB235WRMRSWT3MKCT2XPER37C3LQ6765VFVYMUKLOAROOAOI5GH5ZMCB";
    leaves.nats-leaf = {
      account = "CORE";
      localAccount = "DEVICES";
      nkey = "UANMA6GIXGKWCS33NDFCBOWNSQU4OOZENYE5QY53QG2BLKQQPBBKR3P7";
      nodes = {
        nats-leaf-0.address = "nats-leaf-0.edge.example.com";
        nats-leaf-1.address = "nats-leaf-1.edge.example.com";
        nats-leaf-2.address = "nats-leaf-2.edge.example.com";
      };
      imports = [ "device.*.cmd" ];
      exports = [
        {
          subject = "device.*.status";
          to = "edge.$1.status"; # device to core translation
        }
        "device.*.metrics.>"
      ];
    };
  };

  hosts = {
    nats-0.services.cim.hub = {
      enable = true;
      tls = {
        certFile = "/run/secrets/nats-0.pem";
        keyFile = "/run/secrets/nats-0.key";
        caFile = "/etc/ssl/certs/ca.crt";
      };
    };
    nats-leaf-0 = node;
    nats-leaf-1 = node;
    nats-leaf-2 = node;
  };
}
