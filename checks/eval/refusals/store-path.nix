# A secret in the Nix store can be read by everybody.
{
  host =
    { pkgs, ... }:
    {
      services.cim.leaves.a.nkeySeedFile = "${pkgs.writeText "seed" "SU"}";
    };
  # Our own words: the type's description, so that evaluation stops, not the build.
  says = [
    "services.cim.leaves.a.nkeySeedFile"
    "outside the Nix store"
  ];
}
