# The fleet fits together: every host's specs and the fleet value, held against each other.
{
  self,
  lib,
  pkgs,
  ...
}:
let
  spec = import ../modules/spec.nix { inherit lib; };
  fleet = self.lib.mkFleet ../hosts/fleet.nix;
  specs = lib.concatMap (
    host: map (instance: instance.spec) (lib.attrValues host.config.services.cim.instances)
  ) (lib.attrValues self.nixosConfigurations);
  write = name: value: pkgs.writeText name (builtins.toJSON value);
in
pkgs.runCommand "cim-fleet"
  { nativeBuildInputs = [ self.packages.${pkgs.stdenv.hostPlatform.system}.cim-build ]; }
  ''
    cim-render fleet --fleet ${write "fleet.json" (spec.fleet fleet)} --out "$out" \
      ${lib.concatMapStringsSep " " (value: "${write "spec.json" value}") specs}
  ''
