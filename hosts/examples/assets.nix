# Seed 002, "JetStream": streams and consumers beside the server. Corrected: METRICS keeps its messages by limits, for with
# `interest` those that no consumer waits for go at once; DOMAIN_EVENTS stores events and not `domain.*.commands.>`, whose
# senders would take the stream's acknowledgement for the answer; `rate_limit` is `rateLimitBps`, of consumers that push;
# and the hub collects what happened on the leaf, through partitions.
{
  fleet = {
    hubs.hub = {
      nodes.hub.address = "hub.cim.example.com";
      leafnodes.verify = true;
    };
    accounts.CIM = {
      users.alchemist.nkey = "UB235WRMRSWT3MKCT2XPER37C3LQ6765VFVYMUKLOAROOAOI5GH5ZMCB";
      streams = {
        CIM_EVENTS = {
          description = "What happened on every CIM";
          sources = [
            {
              name = "DOMAIN_EVENTS";
              leaf = "cim-prod-001";
              subjectTransforms = [
                {
                  src = "domain.*.events.>";
                  dest = "leaf.cim-prod-001.domain.{{wildcard(1)}}.events.>";
                }
              ];
            }
          ];
          maxAge = "365d";
          maxBytes = "4GiB";
        };
        COMMANDS = {
          subjects = [ "directives.>" ];
          maxAge = "7d";
        };
      };
      kv.settings = {
        history = 5;
        maxBytes = "16MiB";
      };
      objectStores.models.maxBytes = "1GiB";
    };
    leaves.cim-prod-001 = {
      account = "CIM";
      nkey = "UANMA6GIXGKWCS33NDFCBOWNSQU4OOZENYE5QY53QG2BLKQQPBBKR3P7";
      streams = {
        toHub = [ "DOMAIN_EVENTS" ];
        toLeaf = [ "COMMANDS" ];
      };
    };
  };

  hosts.hub.services.cim.hub = {
    enable = true;
    leafnodes.tls = {
      certFile = "/run/secrets/server.pem";
      keyFile = "/run/secrets/server.key";
      caFile = "/etc/ssl/certs/cim-ca.pem";
    };
    tls = {
      certFile = "/run/secrets/server.pem";
      keyFile = "/run/secrets/server.key";
    };
  };

  hosts.cim-prod-001.services.cim.leaves.cim-prod-001 = {
    nkeySeedFile = "/run/secrets/leaf.nk";
    remotes.hub.tls = {
      certFile = "/run/secrets/leaf.pem";
      keyFile = "/run/secrets/leaf.key";
      caFile = "/etc/ssl/certs/cim-ca.pem";
    };
    jetstream.maxFileStore = "100GiB";

    accounts.CIM = {
      users.cim-local.nkey = "UC5T5MYGTYVHZ7FUTZMEBVTN4KO64HBAHIVOSAUICW6FLUQNRKW6JQ3W";
      streams = {
        DOMAIN_EVENTS = {
          description = "What happened";
          subjects = [ "domain.*.events.>" ];
          maxMsgs = 10000000;
          maxAge = "30d";
          maxMsgSize = "1MiB";
          maxBytes = "40GiB";
          discard = "new";
          duplicateWindow = "2m";
          compression = "s2";
          longestPartition = "7d";
          rate = "64KiB";
          consumers = {
            graph-processor = {
              ackPolicy = "explicit";
              ackWait = "30s";
              maxDeliver = 3;
              filterSubject = "domain.graph.events.>";
            };
            workflow-engine = {
              ackPolicy = "explicit";
              backoff = [
                "1s"
                "10s"
                "1m"
              ];
              maxDeliver = 5;
              filterSubject = "domain.workflow.events.>";
            };
          };
        };
        METRICS = {
          subjects = [ "metrics.>" ];
          storage = "memory";
          maxBytes = "64MiB";
          maxAge = "1h";
        };
        DIRECTIVES = {
          description = "What the hub wants done, also what it said while the link was cut";
          sources = [
            {
              name = "COMMANDS";
              hub = "hub";
            }
          ];
          maxAge = "7d";
        };
      };
    };
  };
}
