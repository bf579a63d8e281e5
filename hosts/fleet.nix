# The fleet that every host imports: one hub of three nodes, three leaves, and who may do what.
{
  hubs.hub = {
    nodes = {
      hub-1.address = "hub-1.cim.example.com";
      hub-2.address = "hub-2.cim.example.com";
      hub-3.address = "hub-3.cim.example.com";
    };
    # Leaves show a certificate; a leaf without an nkey is known by it.
    leafnodes.verifyAndMap = true;
  };

  accounts.CIM = {
    # Alchemist, command and control: a client of the hub.
    users.alchemist.nkey = "UB235WRMRSWT3MKCT2XPER37C3LQ6765VFVYMUKLOAROOAOI5GH5ZMCB";
    jetstream.maxFile = "8GiB";
  };

  leaves = {
    cim-prod-001 = {
      account = "CIM";
      nkey = "UANMA6GIXGKWCS33NDFCBOWNSQU4OOZENYE5QY53QG2BLKQQPBBKR3P7";
      imports = [
        "commands.>"
        "global.events.>"
      ];
      exports = [
        "domain.graph.>"
        "metrics.>"
      ];
    };
    # Follows the graph that cim-prod-001 publishes.
    cim-prod-002 = {
      account = "CIM";
      certificate = "CN=cim-prod-002";
      imports = [
        "commands.>"
        "global.events.>"
        "domain.graph.>"
      ];
      exports = [ "metrics.>" ];
    };
    cim-dev-001 = {
      account = "CIM";
      nkey = "UCOUPEN63Q3YX6RTHL2S5H56GLJ3QBRUZ5MDNDYGTE4UET22DQP5ZZNY";
      imports = [ "commands.dev.>" ];
      exports = [ "metrics.dev.>" ];
    };
  };

  # Labels of what is read of them; no server knows.
  regions = {
    cim-prod-001 = "us-east-1";
    cim-prod-002 = "us-west-2";
    cim-dev-001 = "eu-west-1";
  };
}
