# Seed 001, "messages lost unless JetStream": flows that a cut link delays and does not lose. A plant's measurements cross as
# they are published, under its name; its orders wait on the plant for the hub, its commands on the hub for the plant.
{
  fleet = {
    hubs.hub.nodes.hub.address = "hub.cim.example.com";
    accounts.CIM.users.alchemist.nkey = "UB235WRMRSWT3MKCT2XPER37C3LQ6765VFVYMUKLOAROOAOI5GH5ZMCB";
    leaves.plant-7 = {
      account = "CIM";
      nkey = "UANMA6GIXGKWCS33NDFCBOWNSQU4OOZENYE5QY53QG2BLKQQPBBKR3P7";
      exports = [
        {
          subject = "metrics.>";
          prefix = "plant-7"; # at the hub plant-7.metrics.>
        }
        {
          subject = "orders.>";
          prefix = "plant-7"; # in the hub's stream ORDERS, with those of other plants
          durable = {
            longestPartition = "72h";
            rate = "4KiB";
          };
        }
      ];
      imports = [
        {
          subject = "recipes.plant_7.>"; # the stream RECIPES_PLANT_7, on the hub and on the plant
          durable = {
            longestPartition = "72h";
            rate = "1KiB";
          };
        }
      ];
    };
  };

  hosts = {
    hub.services.cim.hub = {
      enable = true;
      tls = {
        certFile = "/run/secrets/hub.pem";
        keyFile = "/run/secrets/hub.key";
      };
    };
    plant-7.services.cim.leaves.plant-7 = {
      nkeySeedFile = "/run/secrets/plant-7.nk";
      remotes.hub.tls.caFile = "/etc/ssl/certs/cim-ca.pem";
      accounts.CIM.users.orders.nkey = "UBLVEJ3WMT2E4QAWUKL73GOUL2GTNLGZCGNC7B7KBPGNKZMDXQUQGUYZ";
    };
  };
}
