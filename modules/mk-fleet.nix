# `lib.mkFleet`: a fleet module → the checked value that every host gets as `services.cim.fleet`.
{ lib }:
fleet:
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
}).config
// {
  _type = "cim-fleet";
}
