# The specs of all hosts and the fleet, as files: for the fleet's check, the demo and the golden tests.
{
  self,
  inputs,
  pkgs,
}:
let
  inherit (inputs.nixpkgs) lib;
  spec = import ../modules/spec.nix { inherit lib; };
  instances = lib.concatMapAttrs (
    _: host: host.config.services.cim.instances
  ) self.nixosConfigurations;
  file = name: value: {
    inherit name;
    path = pkgs.writeText "spec.json" (builtins.toJSON value);
  };
in
pkgs.linkFarm "cim-specs" (
  [
    (file "fleet.json" (spec.fleet (self.lib.mkFleet ./fleet.nix)))
    # `cim-render diff` compares it: another epoch restarts everything.
    {
      name = "epoch";
      path = ../crates/cim-render/epoch;
    }
  ]
  ++ lib.mapAttrsToList (name: instance: file "instances/${name}.json" instance.spec) instances
)
