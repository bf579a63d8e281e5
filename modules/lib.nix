# `lib` of the flake: what an operator's own flake calls.
{
  lib,
  # This flake, for its programs, and its inputs.
  self,
  inputs,
}:
{
  # A fleet module (a path, a set, a function) → the checked value for `services.cim.fleet`.
  mkFleet = import ./mk-fleet.nix { inherit lib; };

  # A fleet and the NixOS systems that run it → what `cim-admin identity make` has to make, as a value for JSON.
  identity = import ./plan.nix { inherit lib; };

  # An operator's flake and his fleet → packages, apps and checks of that flake.
  outputs = import ./outputs.nix {
    inherit lib inputs;
    cim = self;
  };

  # deploy-rs and NixOS systems → its `deploy`: hubs first, and a host that does not come back is rolled back.
  deploy = import ./deploy.nix { inherit lib; };

  # A NixOS system → by instance, the `endpoints.json` of its build: URLs, CA, accounts, subjects.
  endpoints =
    nixos:
    lib.mapAttrs (
      _: instance: "${instance.artefacts}/endpoints.json"
    ) nixos.config.services.cim.instances;
}
