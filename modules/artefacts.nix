# Spec → derivation: our rules, then the real nats-server on a throwaway copy. A bad config does not build.
{
  lib,
  pkgs,
  # Our build-zone programs: cim-render, cim-check.
  cim-build,
}:
{
  name,
  spec,
  # The package that the unit runs; the build uses the build platform's, of the same version.
  package,
}:
let
  sameMachine = pkgs.stdenv.buildPlatform.system == pkgs.stdenv.hostPlatform.system;
  nats-server = if sameMachine then package else pkgs.buildPackages.nats-server;
in
pkgs.runCommand "cim-${lib.removePrefix "cim-" name}"
  {
    nativeBuildInputs = [
      cim-build
      nats-server
    ];
    spec = builtins.toJSON spec;
    passAsFile = [ "spec" ];
  }
  ''
    cim-render instance "$specPath" --out "$out"
    cim-check "$specPath" --nats-server "$(command -v nats-server)" --expect-version ${package.version}
  ''
