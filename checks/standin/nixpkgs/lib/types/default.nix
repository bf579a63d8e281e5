# Option types, from single values to submodules.
lib:
let
  core = import ./core.nix lib;
in
{
  inherit (core) mkOptionType isOptionType addCheck;
}
// import ./single.nix lib
// import ./collections.nix lib
// import ./alternatives.nix lib
// import ./modules.nix lib
