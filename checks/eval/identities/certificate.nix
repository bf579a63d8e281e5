# Static accounts: a leaf is known by its certificate, in whose subject the name must be.
{
  fleet = {
    hubs.hub.leafnodes.verifyAndMap = true;
    leaves.plant-a.certificate = "CN=the-plant";
    accounts.CIM.users.app = { };
  };
  host.services.cim.leaves.plant-a.accounts.CIM.users.app.nkey =
    "UA2AFBM7M3PSY4Q3H2PGSTXJ5GJPOYQ6MC5VTQ45BIU4XI6IEGFRFEY5";
}
