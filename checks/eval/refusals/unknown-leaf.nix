# A leaf that the fleet has not: cim-render knows.
{
  host.services.cim.leaves.c = {
    port = 4230;
    httpPort = 8230;
    accounts.CIM.users.app.nkey = "UDVYRKCDSNW6MDQSHMYWGLFGB2532YMH4JPQHZJW6GHQQSYDVZ6Q4CWK";
  };
  says = [ "services.cim.leaves.c" ];
}
