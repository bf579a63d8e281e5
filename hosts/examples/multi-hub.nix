# Seed 002, "Multi-Hub Failover": a leaf that goes on through any node of its hub, and hangs on a second hub as well, over
# WebSocket. Not NATS: `connection` and `reconnect_buf_size`; what must outlive a cut link belongs in a stream.
let
  node =
    { config, ... }:
    let
      inherit (config.networking) hostName;
    in
    {
      services.cim.hub = {
        enable = true;
        tls = {
          certFile = "/run/secrets/${hostName}.pem";
          keyFile = "/run/secrets/${hostName}.key";
          caFile = "/etc/ssl/certs/cim-ca.pem";
        };
      };
    };
in
{
  fleet = {
    hubs.hub.nodes = {
      hub1.address = "hub1.cim.example.com";
      hub2.address = "hub2.cim.example.com";
      hub3.address = "hub3.cim.example.com";
    };
    hubs.west.nodes.west1 = {
      address = "west1.cim.example.com";
      websocketPort = 443;
    };
    accounts.CIM.users.alchemist.nkey = "UB235WRMRSWT3MKCT2XPER37C3LQ6765VFVYMUKLOAROOAOI5GH5ZMCB";
    leaves.cim-prod-001 = {
      account = "CIM";
      nkey = "UANMA6GIXGKWCS33NDFCBOWNSQU4OOZENYE5QY53QG2BLKQQPBBKR3P7";
      imports = [ "commands.>" ];
      exports = [ "metrics.>" ];
      remotes = {
        hub = { };
        west.websocket = true; # the way out of this site passes HTTP only
      };
    };
  };

  hosts = {
    hub1 = node;
    hub2 = node;
    hub3 = node;
    west1 = {
      imports = [ node ];
      services.cim.hub.websocket.tls = {
        certFile = "/run/secrets/west1.pem";
        keyFile = "/run/secrets/west1.key";
      };
    };
    cim-prod-001.services.cim.leaves.cim-prod-001 = {
      nkeySeedFile = "/run/secrets/cim-prod-001.nk";
      remotes = {
        hub = {
          compression = "s2_better"; # the line is slow
          tls.caFile = "/etc/ssl/certs/cim-ca.pem";
        };
        west.tls.caFile = "/etc/ssl/certs/cim-ca.pem";
      };
      accounts.CIM.users.graph.nkey = "UBLVEJ3WMT2E4QAWUKL73GOUL2GTNLGZCGNC7B7KBPGNKZMDXQUQGUYZ";
    };
  };
}
