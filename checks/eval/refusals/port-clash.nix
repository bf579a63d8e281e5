# A failed assertion stops the build.
{
  host =
    { lib, ... }:
    {
      services.cim.leaves.a.port = lib.mkForce 4222;
    };
  says = [
    "services.cim.hub"
    "services.cim.leaves.a"
    "4222"
  ];
}
