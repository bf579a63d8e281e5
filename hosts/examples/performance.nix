# Seed 002, "Performance Tuning": a link across a WAN, and a large store that is encrypted. Not NATS: `connections`,
# `no_delay`, `pending_size`, `block_size`; `compression` is a stream's. A `cipher` without a key encrypts nothing.
{
  fleet = {
    hubs.hub.nodes.hub.address = "hub.cim.example.com";
    accounts.CIM.users.alchemist.nkey = "UB235WRMRSWT3MKCT2XPER37C3LQ6765VFVYMUKLOAROOAOI5GH5ZMCB";
    leaves.cim-001 = {
      account = "CIM";
      nkey = "UANMA6GIXGKWCS33NDFCBOWNSQU4OOZENYE5QY53QG2BLKQQPBBKR3P7";
      exports = [ "metrics.>" ];
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
      remotes.hub = {
        compression = "s2_best";
        tls.caFile = "/etc/ssl/certs/cim-ca.pem";
      };
      leafnodes.writeDeadline = "30s";
      limits = {
        maxPending = "128MiB";
        writeDeadline = "30s";
        maxControlLine = "4KiB";
      };
      jetstream = {
        maxMemoryStore = "8GiB";
        maxFileStore = "1TiB";
        syncInterval = "30s";
        encryption = {
          keyFile = "/run/secrets/store.key";
          cipher = "aes";
        };
      };
      acknowledged."sync-interval services.cim.leaves.cim-001.jetstream.syncInterval" =
        "metrics of the last 30 s may be lost in a power cut";
      accounts.CIM.users.graph.nkey = "UBLVEJ3WMT2E4QAWUKL73GOUL2GTNLGZCGNC7B7KBPGNKZMDXQUQGUYZ";
    };
  };
}
