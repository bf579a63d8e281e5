# The NixOS VM tests under nixpkgs' own test framework: each script, and every node under its lib and all of NixOS's own
# modules, down to the derivation that would boot them; and their nodes as the stand-in makes them, to be compared.
#
# For a developer who has a tree (CI does not); ./README.md has the command.
{
  # checks/vm: a function of packages and lib
  tests,
  # `tests` of the stand-in
  mine,
  # real-packages.nix
  pkgs,
  # nixpkgs' lib/ and nixos/
  lib,
  nixos,
  # what to compare of a node's configuration
  extract,
}:
let
  real = tests {
    inherit lib;
    pkgs = pkgs // {
      # as nixpkgs' pkgs/build-support/testers/default.nix has it
      testers.runNixOSTest =
        test:
        (import (nixos + "/lib") { inherit lib; }).runTest {
          imports = [ test ];
          hostPkgs = pkgs;
          node = { inherit pkgs; };
          extraBaseModules = {
            # nixpkgs takes it from a table that comes with lib
            system.boot.loader.kernelFile = "bzImage";
            # locale and time zone files, which the stand-in leaves out
            systemd.globalEnvironment = lib.mkForce { };
          };
        };
    };
  };
  nodesOf = test: lib.mapAttrs (_: extract) test.nodes;
in
lib.mapAttrs (
  name: test:
  let
    theirs = nodesOf test;
    ours = nodesOf mine.${name};
  in
  {
    # Their being there is what is proven: each is the hash of all that goes into it.
    driver = test.driver.drvPath;
    run = test.drvPath;
    nodes = lib.attrNames theirs;
    different = lib.filterAttrs (_: made: made.nixpkgs != made.standin) (
      lib.mapAttrs (node: nixpkgs: {
        inherit nixpkgs;
        standin = ours.${node};
      }) theirs
    );
  }
) real
