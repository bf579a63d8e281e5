# Seed 000, "Auth Callout": devices that a registry knows and nats.conf does not. Whoever shows a certificate of the device
# authority and is no user here, the service is asked about; users that are declared, and the link, go past it.
{
  fleet = {
    hubs.nats-core.nodes.nats-0.address = "nats-0.nats.example.com";
    accounts.CORE.users.alchemist.nkey = "UB235WRMRSWT3MKCT2XPER37C3LQ6765VFVYMUKLOAROOAOI5GH5ZMCB";
    leaves.nats-leaf = {
      account = "CORE";
      localAccount = "DEVICES";
      nkey = "UANMA6GIXGKWCS33NDFCBOWNSQU4OOZENYE5QY53QG2BLKQQPBBKR3P7";
      exports = [ "device.>" ];
    };
  };

  hosts = {
    nats-0.services.cim.hub = {
      enable = true;
      tls = {
        certFile = "/run/secrets/nats-0.pem";
        keyFile = "/run/secrets/nats-0.key";
      };
    };
    nats-leaf.services.cim.leaves.nats-leaf = {
      nkeySeedFile = "/run/secrets/nats-leaf.nk";
      remotes.nats-core.tls.caFile = "/etc/nats-certs/ca.crt";

      host = "0.0.0.0";
      openFirewall = true;
      tls = {
        certFile = "/etc/nats-certs/tls.crt";
        keyFile = "/etc/nats-certs/tls.key";
        caFile = "/etc/nats-certs/device-ca.crt";
        verify = true;
      };

      authCallout = {
        issuer = "ABXN7JFHHV7CU4PGD65YBKXW4V4KTR56O6JYFRWX7SM6BBSABSBQ6LH2";
        account = "AUTH";
      };
      accounts = {
        AUTH = {
          users.callout.nkey = "UASSS5T3EFW2MJ4OBQXT5ESUWKFNYLN374MNJ2UKMZYVEAMLIHDE24DT";
          jetstream.enable = false;
        };
        DEVICES = {
          users.app.nkey = "UBLVEJ3WMT2E4QAWUKL73GOUL2GTNLGZCGNC7B7KBPGNKZMDXQUQGUYZ";
          # What an answer says of limits nats-server does not enforce; this it does.
          limits = {
            maxSubscriptions = 100;
            maxPayload = "64KiB";
          };
        };
      };
    };
  };
}
