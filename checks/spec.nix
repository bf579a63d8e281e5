# The knot: the specs that Nix writes for hosts/ are, byte for byte, the golden specs that the Rust tests read.
{
  self,
  lib,
  pkgs,
  ...
}:
let
  golden = ../crates/cim-render/tests/golden;
  instances = lib.concatMapAttrs (
    _: host: host.config.services.cim.instances
  ) self.nixosConfigurations;
  compare = name: instance: ''
    diff -u ${golden + "/${name}/spec.json"} ${
      pkgs.writeText "spec.json" (builtins.toJSON instance.spec)
    } || failed="$failed ${name}"
  '';
in
pkgs.runCommand "cim-spec" { } ''
  failed=
  ${lib.concatStrings (lib.mapAttrsToList compare instances)}
  if [ -n "$failed" ]; then
    echo "these golden specs are not what Nix writes:$failed" >&2
    echo "run: cargo xtask golden" >&2
    exit 1
  fi
  touch "$out"
''
