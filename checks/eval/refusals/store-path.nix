# A secret in the Nix store can be read by everybody.
{
  host =
    { pkgs, ... }:
    {
      services.cim.leaves.a.nkeySeedFile = "${pkgs.writeText "seed" "SU"}";
    };
  says = [ "services.cim.leaves.a.nkeySeedFile" ];
}
