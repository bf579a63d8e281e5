# `nixosModules`: hub.nix and leaf.nix declare instances, host.nix makes units of them.
#
# Read fleet.nix, hub.nix, leaf.nix (options), then spec.nix, artefacts.nix, unit.nix: plain functions.
{ self }:
let
  host = import ./host.nix { inherit self; };
in
rec {
  hub.imports = [
    host
    ./hub.nix
  ];
  leaf.imports = [
    host
    ./leaf.nix
  ];
  default.imports = [
    hub
    leaf
  ];
}
