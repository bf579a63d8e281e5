# `nixosConfigurations`: every host file here, with the modules and the fleet. hub-1 reads hub-1.nix.
{ self, inputs }:
let
  inherit (inputs.nixpkgs) lib;
  shared = [
    "base.nix"
    "default.nix"
    "fleet.nix"
    "specs.nix"
  ];
  files = lib.filterAttrs (
    file: kind: kind == "regular" && lib.hasSuffix ".nix" file && !(lib.elem file shared)
  ) (builtins.readDir ./.);
  fleet = self.lib.mkFleet ./fleet.nix;

  host =
    file:
    lib.nixosSystem {
      modules = [
        self.nixosModules.default
        inputs.sops-nix.nixosModules.sops
        ./base.nix
        (./. + "/${file}")
        {
          nixpkgs.hostPlatform = lib.mkDefault "x86_64-linux";
          services.cim.fleet = fleet;
        }
      ];
    };
in
lib.mapAttrs' (file: _: lib.nameValuePair (lib.removeSuffix ".nix" file) (host file)) files
