# Names that the stand-in's lib has and nixpkgs' does not: must be empty, for a module that used one would fail for users.
{ standin, nixpkgs }:
let
  missing = a: b: builtins.filter (name: !(b ? ${name})) (builtins.attrNames a);
  parts = [
    "asserts"
    "attrsets"
    "customisation"
    "fileset"
    "fixedPoints"
    "generators"
    "licenses"
    "lists"
    "meta"
    "options"
    "platforms"
    "sources"
    "strings"
    "systems"
    "trivial"
    "types"
    "versions"
  ];
  inParts = builtins.concatMap (
    part: map (name: "${part}.${name}") (missing standin.${part} nixpkgs.${part})
  ) parts;
in
missing standin nixpkgs ++ inParts
