# Static accounts: a leaf is known by its nkey, which the identity has.
{
  fleet.accounts.CIM.users.app = { };
  host.services.cim = {
    hub.enable = true;
    leaves.plant-a = {
      port = 4223;
      httpPort = 8223;
      accounts.CIM.users.app.nkey = "UA2AFBM7M3PSY4Q3H2PGSTXJ5GJPOYQ6MC5VTQ45BIU4XI6IEGFRFEY5";
    };
  };
}
