# What `lib` makes of every case: `ok` with the value, or `error`. expected.json holds what nixpkgs' own lib makes of them.
{ lib }:
let
  try =
    value:
    let
      result = builtins.tryEval (builtins.deepSeq value value);
    in
    if result.success then { ok = result.value; } else { error = true; };
  run = file: builtins.mapAttrs (_: try) (import file { inherit lib; });
in
{
  functions = run ./functions.nix;
  modules = run ./modules.nix;
  types = run ./types.nix;
}
