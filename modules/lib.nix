# `lib` of the flake: what an operator's own flake calls.
{ lib }:
{
  # A fleet module (a path, a set, a function) → the checked value for `services.cim.fleet`.
  mkFleet = import ./mk-fleet.nix { inherit lib; };

  # A NixOS system → by instance, the `endpoints.json` of its build: URLs, CA, accounts, subjects.
  endpoints =
    nixos:
    lib.mapAttrs (
      _: instance: "${instance.artefacts}/endpoints.json"
    ) nixos.config.services.cim.instances;
}
