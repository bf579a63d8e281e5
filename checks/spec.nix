# The knot: the specs that Nix writes for hosts/ are, byte for byte, the golden specs that the Rust tests read.
{
  self,
  pkgs,
  inputs,
  ...
}:
let
  specs = import ../hosts/specs.nix { inherit self inputs pkgs; };
in
pkgs.runCommand "cim-spec" { golden = ../crates/cim-render/tests/golden; } ''
  failed=
  for spec in ${specs}/instances/*.json; do
    name=$(basename "$spec" .json)
    diff -u "$golden/$name/spec.json" "$spec" || failed="$failed $name"
  done
  if [ -n "$failed" ]; then
    echo "these golden specs are not what Nix writes:$failed" >&2
    echo "if the change is meant: cargo xtask golden" >&2
    exit 1
  fi
  touch "$out"
''
