# The package set: builders that use the host's own tools, and programs of the host or of ./bin as packages.
{
  lib,
  system,
  bin,
  pkgs,
}:
let
  platform = lib.systems.elaborate system;
  builders = import ./pkgs/builders.nix { inherit lib system pkgs; };
  programs = import ./pkgs/programs.nix { inherit lib bin builders; };
in
programs
// builders.public
// {
  _type = "pkgs";
  inherit lib;
  path = ./.;
  stdenv = {
    name = "stdenv-standin";
    hostPlatform = platform;
    buildPlatform = platform;
    targetPlatform = platform;
    inherit (platform)
      isLinux
      isDarwin
      isx86_64
      isAarch64
      ;
    mkDerivation = throw "stand-in: there is no stdenv.mkDerivation; use runCommand or crane";
  };
  stdenvNoCC = pkgs.stdenv;
  buildPackages = pkgs;
  pkgsBuildBuild = pkgs;
  pkgsBuildHost = pkgs;
  callPackage = lib.callPackageWith pkgs;
  callPackages = lib.callPackageWith pkgs;
  newScope = extra: lib.callPackageWith (pkgs // extra);
  formats = import ./pkgs/formats.nix { inherit lib pkgs; };
  testers = import ./pkgs/testers.nix { inherit lib pkgs; };
  runtimeShell = "${pkgs.bash}/bin/bash";
  shadow = programs.shadow // {
    shellPath = "/bin/nologin";
  };
}
