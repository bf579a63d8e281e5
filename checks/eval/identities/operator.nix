# Operator mode: nothing is named, and all of it is there.
{
  fleet.operator = { };
  host.services.cim = {
    expiry.onFailure = [ "notify@%n.service" ];
    hub = {
      enable = true;
      jetstream.encryption = { };
    };
    leaves.plant-a = {
      port = 4223;
      httpPort = 8223;
      accounts.CIM.users.app.nkey = "UA2AFBM7M3PSY4Q3H2PGSTXJ5GJPOYQ6MC5VTQ45BIU4XI6IEGFRFEY5";
    };
  };
}
