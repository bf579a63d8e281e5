# Operator mode: what makes streams and backs them up logs in with what the desk made, the leaf's with keys of the host.
let
  streams.EVENTS.subjects = [ "events.>" ];
in
{
  fleet = {
    operator = { };
    accounts.CIM = { inherit streams; };
  };
  host.services.cim = {
    hub = {
      enable = true;
      backup = {
        enable = true;
        sink = [
          "/srv/offsite"
          "100%/{}"
        ];
        sinkTimeout = "2m";
      };
    };
    leaves.plant-a = {
      port = 4223;
      httpPort = 8223;
      accounts.CIM = {
        inherit streams;
        users.app.nkey = "UA2AFBM7M3PSY4Q3H2PGSTXJ5GJPOYQ6MC5VTQ45BIU4XI6IEGFRFEY5";
      };
    };
  };
}
