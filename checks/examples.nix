# Every example and the template build: each with its own fleet, rendered and checked by the real nats-server.
{
  self,
  lib,
  pkgs,
  inputs,
  ...
}:
let
  inherit (pkgs.stdenv.hostPlatform) system;
  build =
    modules:
    (lib.nixosSystem {
      modules = modules ++ [
        self.nixosModules.default
        inputs.sops-nix.nixosModules.sops
        ../hosts/base.nix
        {
          nixpkgs.hostPlatform = system;
          # The examples encrypt nothing: their secrets' files are never read in a build.
          sops.defaultSopsFile = ./examples.nix;
          sops.validateSopsFiles = false;
        }
      ];
    }).config.system.build.toplevel;

  folder = ../hosts/examples;
  example = file: build [ (import (folder + "/${file}") { inherit (self.lib) mkFleet; }) ];
  examples = lib.mapAttrs' (
    file: _: lib.nameValuePair "example-${lib.removeSuffix ".nix" file}" (example file)
  ) (builtins.readDir folder);

  template =
    file:
    build [
      file
      { services.cim.fleet = self.lib.mkFleet ../hosts/template/fleet.nix; }
    ];
in
examples
// {
  template-hub = template ../hosts/template/hub.nix;
  template-leaf = template ../hosts/template/plant-a.nix;
}
