# `checks`: every file here is one, found by readDir, never listed; a check is a function of these arguments.
args@{ inputs, ... }:
let
  inherit (inputs.nixpkgs) lib;
  notChecks = [
    "default.nix"
    "treefmt.nix"
  ];
  files = lib.filterAttrs (
    file: kind: kind == "regular" && lib.hasSuffix ".nix" file && !(lib.elem file notChecks)
  ) (builtins.readDir ./.);
in
# A file gives one check of its own name, or a set of them; so does the folder of NixOS VM tests.
lib.concatMapAttrs (
  file: _:
  let
    made = import (./. + "/${file}") (args // { inherit lib; });
  in
  if lib.isDerivation made then { ${lib.removeSuffix ".nix" file} = made; } else made
) (files // { vm = "directory"; })
