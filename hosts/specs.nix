# The specs of all hosts and the fleet, as files: for the fleet's check, the demo and the golden tests; in `operator`, of a
# fleet that has no identity yet. Beside them `examples`, the specs of hosts/examples, and `cases`: every instance by the name of its golden case.
{
  self,
  inputs,
  pkgs,
}:
let
  inherit (inputs.nixpkgs) lib;
  spec = import ../modules/spec.nix { inherit lib; };
  instancesOf = lib.concatMapAttrs (_: host: host.config.services.cim.instances);
  instances = instancesOf self.nixosConfigurations;

  # The name that only one server of a fleet has: a leaf's nodes are all of the leaf's name.
  serverName = name: { options, ... }: if options.node or null == null then name else options.node;
  examples = lib.concatMapAttrs (
    example:
    lib.concatMapAttrs (
      _: host:
      lib.mapAttrs' (
        name: instance: lib.nameValuePair "${example}-${serverName name instance}" instance
      ) host.config.services.cim.instances
    )
  ) (import ./examples { inherit self inputs; });

  file = name: value: {
    inherit name;
    path = pkgs.writeText "spec.json" (builtins.toJSON value);
  };
  files = folder: lib.mapAttrsToList (name: instance: file "${folder}${name}.json" instance.spec);
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
  ++ files "instances/" instances
  ++ import ./grown { inherit self inputs pkgs; }
)
// {
  examples = pkgs.linkFarm "cim-example-specs" (files "" examples);
  cases = instances // examples;
}
