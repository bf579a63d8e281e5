# One hub of one node and two leaves, which have nothing to do with each other.
{
  hubs.hub = {
    nodes.hub-1.address = "hub-1.example.com";
    leafnodes.verifyAndMap = true;
  };

  accounts.CIM.users.alchemist.nkey = "UB235WRMRSWT3MKCT2XPER37C3LQ6765VFVYMUKLOAROOAOI5GH5ZMCB";

  leaves = {
    a = {
      account = "CIM";
      certificate = "CN=a";
      exports = [ "metrics.a.>" ];
    };
    b = {
      account = "CIM";
      certificate = "CN=b";
      exports = [ "metrics.b.>" ];
    };
  };
}
