# A file that was made before the leaf was there, and no certificate for it.
{
  fleet = {
    operator = { };
    leaves.other = {
      account = "CIM";
      exports = [ "metrics.>" ];
    };
    hubs.hub.leafnodes.verify = true;
  };
  host.services.cim.leaves.other.accounts.CIM.users.app.nkey =
    "UA2AFBM7M3PSY4Q3H2PGSTXJ5GJPOYQ6MC5VTQ45BIU4XI6IEGFRFEY5";
}
