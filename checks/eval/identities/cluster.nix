# A leaf of several servers: one name and one set of credentials, and a certificate for each.
{
  fleet = {
    operator = { };
    leaves.edge = {
      account = "CIM";
      exports = [ "metrics.>" ];
      nodes = {
        edge-1.address = "10.0.0.1";
        edge-2.address = "10.0.0.2";
        edge-3.address = "10.0.0.3";
      };
    };
  };
  host.services.cim.leaves.edge = {
    node = "edge-1";
    accounts.CIM.users.app.nkey = "UA2AFBM7M3PSY4Q3H2PGSTXJ5GJPOYQ6MC5VTQ45BIU4XI6IEGFRFEY5";
  };
}
