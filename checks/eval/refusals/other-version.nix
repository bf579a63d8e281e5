# The unit would run another nats-server than the one that the build checked with.
{
  host =
    { pkgs, ... }:
    {
      services.cim.leaves.a.package = pkgs.nats-server // {
        version = "2.15.0";
      };
    };
  says = [
    "services.cim.leaves.a.package"
    "2.15.0"
  ];
}
