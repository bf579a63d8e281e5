# Examples, one a file, each with its own fleet: name → host → NixOS system. A host of yours is the same module in a file of
# its own, and the fleet another, as in hosts/.
{ self, inputs }:
let
  inherit (inputs.nixpkgs) lib;
  files = removeAttrs (builtins.readDir ./.) [ "default.nix" ];

  host =
    fleet: name: module:
    lib.nixosSystem {
      modules = [
        self.nixosModules.default
        inputs.sops-nix.nixosModules.sops
        ../base.nix
        module
        {
          nixpkgs.hostPlatform = lib.mkDefault "x86_64-linux";
          networking.hostName = name;
          services.cim = { inherit fleet; };
          # The examples encrypt nothing: their secrets' files are never read in a build.
          sops.defaultSopsFile = ./default.nix;
          sops.validateSopsFiles = false;
        }
      ];
    };

  example =
    file:
    let
      inherit (import (./. + "/${file}")) fleet hosts;
      checked = self.lib.mkFleet fleet;
    in
    lib.mapAttrs (host checked) hosts;
in
lib.mapAttrs' (file: _: lib.nameValuePair (lib.removeSuffix ".nix" file) (example file)) files
