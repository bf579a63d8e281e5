# Seed 002, "Subject Mapping": what crosses, and what it is called at the other end. In nats.conf a remote has no `import`
# and `export`: these become allow lists on the hub, and on the leaf an account of their own for the links.
{
  fleet = {
    hubs.hub.nodes.hub.address = "hub.cim.example.com";
    accounts.CIM.users.alchemist.nkey = "UB235WRMRSWT3MKCT2XPER37C3LQ6765VFVYMUKLOAROOAOI5GH5ZMCB";
    leaves.cim-001 = {
      account = "CIM";
      nkey = "UANMA6GIXGKWCS33NDFCBOWNSQU4OOZENYE5QY53QG2BLKQQPBBKR3P7";
      imports = [
        {
          subject = "commands.>";
          prefix = "hub"; # here hub.commands.>
        }
        "global.events.>"
      ];
      exports = [
        {
          subject = "domain.graph.>";
          prefix = "leaf.cim-001"; # at the hub leaf.cim-001.domain.graph.>
        }
        "metrics.>"
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
    cim-001.services.cim.leaves.cim-001 = {
      nkeySeedFile = "/run/secrets/cim-001.nk";
      remotes.hub.tls.caFile = "/etc/ssl/certs/cim-ca.pem";
      accounts.CIM.users.graph.nkey = "UBLVEJ3WMT2E4QAWUKL73GOUL2GTNLGZCGNC7B7KBPGNKZMDXQUQGUYZ";
    };
  };
}
