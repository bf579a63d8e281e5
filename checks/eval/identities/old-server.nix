# A nats-server that takes over less on reload.
{
  host =
    { pkgs, ... }:
    {
      services.cim.leaves.plant-a = {
        package = pkgs.nats-server // {
          version = "2.12.15";
        };
        accounts.CIM.users.app.nkey = "UA2AFBM7M3PSY4Q3H2PGSTXJ5GJPOYQ6MC5VTQ45BIU4XI6IEGFRFEY5";
      };
    };
}
