# The knot: the specs that Nix writes for hosts/ and its examples are, byte for byte, the golden specs that the Rust tests read.
#
# Only the version of nats-server is taken from the golden spec: another nixpkgs has another one.
{
  self,
  lib,
  pkgs,
  inputs,
  ...
}:
let
  inherit (import ../hosts/specs.nix { inherit self inputs pkgs; }) cases;
  compare =
    name: instance:
    let
      golden = ../crates/cim-render/tests/golden + "/${name}/spec.json";
      inherit (instance) role;
      inherit ((builtins.fromJSON (builtins.readFile golden)).${role}) natsServerVersion;
      spec.${role} = instance.spec.${role} // {
        inherit natsServerVersion;
      };
    in
    ''
      diff -u ${golden} ${pkgs.writeText "spec.json" (builtins.toJSON spec)} || failed="$failed ${name}"
    '';
in
pkgs.runCommand "cim-spec" { } ''
  failed=
  ${lib.concatStrings (lib.mapAttrsToList compare cases)}
  if [ -n "$failed" ]; then
    echo "these golden specs are not what Nix writes:$failed" >&2
    echo "if the change is meant: cargo xtask golden" >&2
    exit 1
  fi
  touch "$out"
''
