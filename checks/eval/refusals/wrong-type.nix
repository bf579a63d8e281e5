# A text where a port belongs.
{
  host =
    { lib, ... }:
    {
      services.cim.leaves.a.port = lib.mkForce "4222";
    };
  says = [ "services.cim.leaves.a.port" ];
}
