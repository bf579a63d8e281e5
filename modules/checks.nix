# Checks of a fleet and its hosts, for any flake: each instance by the real nats-server, all of them together, and the identity.
{ lib }:
{
  pkgs,
  # Our programs of the build.
  cim-build,
  # As mkFleet makes it.
  fleet,
  # NixOS systems that run it.
  hosts,
  # The time that counts as now, in seconds since 1970: evaluation has no clock.
  at,
}:
let
  spec = import ./spec.nix { inherit lib; };
  plan = import ./plan.nix { inherit lib; } { inherit fleet hosts; };
  ours = lib.filterAttrs (_: host: host.config.services ? cim) hosts;
  instancesOf = host: host.config.services.cim.instances;

  json = value: pkgs.writeText "spec.json" (builtins.toJSON value);
  fleetFile = json (spec.fleet fleet);
  planFile = json plan;
  specs = lib.concatMap (
    host: map (instance: json instance.spec) (lib.attrValues (instancesOf host))
  ) (lib.attrValues ours);
  # A folder that is not there yet lacks everything, and that is what is said.
  identity = if lib.pathExists fleet.identity then fleet.identity else pkgs.emptyDirectory;

  run = name: pkgs.runCommand "cim-${name}" { nativeBuildInputs = [ cim-build ]; };
in
lib.concatMapAttrs (
  name: host:
  lib.optionalAttrs (host.config.nixpkgs.hostPlatform.system == pkgs.stdenv.hostPlatform.system) {
    "host-${name}" = pkgs.linkFarm "cim-${name}" (
      lib.mapAttrs (_: instance: instance.artefacts) (instancesOf host)
    );
  }
) ours
// {
  fleet = run "fleet" ''
    cim-render fleet --fleet ${fleetFile} --out "$out" --deny-warnings ${toString specs}
  '';
}
// lib.optionalAttrs (fleet.identity != null) {
  # What is committed is what the options say, and what the hosts need.
  identity = run "identity" ''
    cim-check identity --plan ${planFile} --identity ${identity}
    touch "$out"
  '';
  # None of it ends within the fleet's horizon.
  expiry = run "expiry" ''
    cim-check expiry --plan ${planFile} --identity ${identity} --at ${toString at}
    touch "$out"
  '';
}
