# The unit would run another nats-server than the one that the build checked with.
{
  host =
    { pkgs, ... }:
    {
      services.cim.leaves.a.package = pkgs.nats-server // {
        version = if pkgs.nats-server.version == "2.14.6" then "2.14.7" else "2.14.6";
      };
    };
  says = [ "services.cim.leaves.a.package" ];
}
