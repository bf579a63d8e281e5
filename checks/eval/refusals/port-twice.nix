# One instance that wants a port twice: cim-render names both options.
{
  host =
    { lib, ... }:
    {
      services.cim.leaves.a.httpPort = lib.mkForce 4223;
    };
  says = [
    "services.cim.leaves.a.port"
    "services.cim.leaves.a.httpPort"
  ];
}
