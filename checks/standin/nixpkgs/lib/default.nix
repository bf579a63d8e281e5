# The part of nixpkgs' `lib` that this project uses, as one attribute set; what is missing here fails loudly.
let
  parts = {
    trivial = ./trivial.nix;
    lists = ./lists.nix;
    attrsets = ./attrsets.nix;
    strings = ./strings.nix;
    versions = ./versions.nix;
    generators = ./generators.nix;
    meta = ./packages.nix;
    sources = ./sources.nix;
    fileset = ./fileset.nix;
    options = ./options.nix;
    properties = ./properties.nix;
    modules = ./evaluation.nix;
    loading = ./loading.nix;
    renaming = ./renaming.nix;
    types = ./types;
  };
  # these are reached by their own name only, as in nixpkgs
  separate = [
    "versions"
    "generators"
    "fileset"
    "types"
  ];
  # and these by the name of their part
  inParts = [
    "collectModules"
    "commonPrefixLength"
    "defaultOrderPriority"
    "defaultOverridePriority"
    "dischargeDefinition"
    "escapeNixIdentifier"
    "escapeNixString"
    "filterOverrides'"
    "findFirstIndex"
    "floatToString"
    "importApply"
    "isConvertibleWithToString"
    "mkAliasAndWrapDefsWithPriority"
    "release"
    "showDefs"
    "storeDir"
    "unionOfDisjoint"
  ];
  named = builtins.mapAttrs (_: part: import part lib) parts;
  merged = builtins.foldl' (all: name: all // named.${name}) { } (
    builtins.attrNames (removeAttrs named separate)
  );
  lib = removeAttrs merged inParts // {
    inherit (named)
      lists
      attrsets
      strings
      versions
      generators
      sources
      fileset
      options
      types
      ;
    inherit (named.types) isOptionType mkOptionType;
    trivial = { inherit (named.trivial) release version; };
    meta = { inherit (named.meta) getExe getExe'; };
    modules = named.properties // named.loading // named.modules // named.renaming;
    customisation = { inherit (named.meta) callPackageWith makeOverridable; };
    fixedPoints = {
      inherit (named.trivial)
        fix
        extends
        composeExtensions
        composeManyExtensions
        makeExtensible
        ;
    };
    asserts = { inherit (named.trivial) assertMsg assertOneOf; };
  };
in
lib
