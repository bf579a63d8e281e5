# `lib.mkFleet`: a fleet module → the checked value that every host gets as `services.cim.fleet`.
{ lib }:
fleet:
let
  inherit (import ./identity.nix { inherit lib; }) fill;
  secret = import ./secret.nix { inherit lib; };
  declared =
    (lib.evalModules {
      # Errors name the options as an operator knows them.
      prefix = [
        "services"
        "cim"
        "fleet"
      ];
      modules = [
        ./fleet.nix
        fleet
      ];
    }).config;
in
secret.fleet declared (fill declared)
// {
  _type = "cim-fleet";
  # Without what its identity holds: what an identity is made for must not depend on it.
  inherit declared;
}
