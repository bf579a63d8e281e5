# The fleet fits together: every host's specs and the fleet value, held against each other. A warning that nobody
# acknowledged fails it: this is where one cannot be overlooked.
{
  self,
  pkgs,
  inputs,
  ...
}:
let
  specs = import ../hosts/specs.nix { inherit self inputs pkgs; };
in
pkgs.runCommand "cim-fleet"
  { nativeBuildInputs = [ self.packages.${pkgs.stdenv.hostPlatform.system}.cim-build ]; }
  ''
    cim-render fleet --fleet ${specs}/fleet.json --out "$out" --deny-warnings ${specs}/instances/*.json
  ''
